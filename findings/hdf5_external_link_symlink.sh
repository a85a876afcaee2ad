#!/bin/bash
# hdf5_external_link_symlink.sh - where HDF5 looks for the target of a relative external link when the file that has the
# link was opened through a symbolic link.
# version  HDF5 1.12.2 and 2.0.0 (1.10.8 does the same)
# source   the wheels `h5py` 3.9.0 and 3.16.0 of PyPI
# a good guess says: beside the file that has the link, whatever name it was opened by and wherever the reader stands; or,
#          if not found there, an error.
# seen     in the folder of the symbolic link first, then in the folder in which the process stands, and in that of the file
#          itself last. Two experiments with files of equal names, and a shortcut to one of them: standing in (or with the
#          shortcut in) the other's folder, its data come back under the first one's name, without a word.
# Exit code: 0 as seen, 1 otherwise; 77 'skipped: why'.
set -u
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
unset HDF5_EXT_PREFIX
changed=0

for version in 3.9.0:'numpy<2' 3.16.0:numpy; do
    folder=h5py-${version%%:*}
    { python3 -m venv "$folder" && "$folder/bin/pip" -q install "h5py==${version%%:*}" "${version#*:}"; } >said 2>&1 ||
        { echo "skipped: h5py ${version%%:*} from PyPI: $(tail -n 1 said)"; exit 77; }
    python=$PWD/$folder/bin/python
    rm -rf first second shortcuts
    "$python" - <<'END'
import os
import h5py
for name in ("first", "second", "shortcuts"): os.mkdir(name)
for name in ("first", "second"):
    with h5py.File(name + "/data.h5", "w") as file: file.attrs["of"] = name
    with h5py.File(name + "/all.h5", "w") as file: file["data"] = h5py.ExternalLink("data.h5", "/")
os.symlink("../first/all.h5", "shortcuts/first.h5")
os.symlink("../first/all.h5", "second/first.h5")
END
    look() { # STAND OPEN WANTED
        local found
        found=$(cd "$1" && "$python" -c "import h5py, sys; print(h5py.File(sys.argv[1], 'r')['data'].attrs['of'])" "$2")
        printf 'h5py %-7s standing in %-10s opening %-22s shows the data of %s\n' "${version%%:*}" "$1" "$2" "$found"
        [ "$found" = "$3" ] || changed=1
    }
    look second ../first/all.h5 first
    look shortcuts first.h5 first
    look second ../shortcuts/first.h5 second
    look first ../second/first.h5 second
done
exit $changed
