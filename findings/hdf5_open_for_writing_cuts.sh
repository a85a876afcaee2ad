#!/bin/bash
# hdf5_open_for_writing_cuts.sh - what a program loses that puts bytes of its own behind the end of an HDF5 file.
# version  HDF5 1.12.2 and 2.0.0 (1.10.8 does the same), every format of file that they write
# source   the wheels `h5py` 3.9.0 and 3.16.0 of PyPI
# a good guess says: bytes behind the end of the HDF5 file, which no reader of HDF5 looks at, are as safe as a user block in
#          front of it; at least from a program that opens the file, changes nothing, and closes it.
# seen     opening with "r+" (the mode "a" as well) and closing cuts the file to the end that its superblock names; "r"
#          leaves it alone. Room that was asked of HDF5 (H5Fincrement_filesize) stays, with what was written into it.
# Exit code: 0 as seen, 1 otherwise; 77 'skipped: why'.
set -u
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
changed=0

for version in 3.9.0:'numpy<2' 3.16.0:numpy; do
    folder=h5py-${version%%:*}
    { python3 -m venv "$folder" && "$folder/bin/pip" -q install "h5py==${version%%:*}" "${version#*:}"; } >said 2>&1 ||
        { echo "skipped: h5py ${version%%:*} from PyPI: $(tail -n 1 said)"; exit 77; }
    "$folder/bin/python" - <<'END' || changed=1
import ctypes, glob, os, sys
import h5py

library = ctypes.CDLL(glob.glob(os.path.join(os.path.dirname(h5py.__file__), "..", "h5py.libs", "libhdf5-*"))[0])
library.H5Fincrement_filesize.argtypes = (ctypes.c_int64, ctypes.c_uint64)
mark = b"forty bytes that belong to someone else."

def make(bounds, room):
    with h5py.File("x.h5", "w", libver=bounds) as file:
        file["group/x"] = range(10)
        file.flush()
        if room: assert library.H5Fincrement_filesize(file.id.id, len(mark)) == 0
    with open("x.h5", "r+b") as raw:
        raw.seek(-len(mark) if room else 0, os.SEEK_END)
        raw.write(mark)

def there():
    with open("x.h5", "rb") as raw: return raw.read().endswith(mark)

wrong = 0
for bounds in ("earliest", ("v108", "latest"), "latest"):
    for room in (False, True):
        found = []
        for mode in ("r", "r+"):
            make(bounds, room)
            with h5py.File("x.h5", mode): pass
            found.append("kept" if there() else "cut")
        print("HDF5 %-7s libver %-20s %-26s r: %-5s r+: %s" %
              (h5py.version.hdf5_version, bounds, "in room made by HDF5" if room else "behind the end", *found))
        wrong += found != ["kept", "kept" if room else "cut"]
sys.exit(wrong > 0)
END
done
exit $changed
