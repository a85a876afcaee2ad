#!/bin/bash
# hdf5_file_image_checksum.sh - whether the image of an open HDF5 file is a file.
# version  HDF5 1.12.2 (1.10.8 does the same) against 2.0.0
# source   the wheels `h5py` 3.9.0 and 3.16.0 of PyPI
# a good guess says: H5Fget_file_image gives the bytes that the flushed file has, so that, written to a disk, they are it.
# seen     of a file in a format of HDF5 1.8 or later (superblock 2 or 3, whose fields have a checksum), the image of 1.12.2
#          has the flags of an open file cleared and the checksum left as it was with them: HDF5 itself refuses it
#          ("incorrect metadata checksum"). In the oldest format, which has no checksum, it is right. 2.0.0 has it right
#          for all.
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
import sys
import h5py

wrong = 0
for bounds in ("earliest", ("v108", "latest"), "latest"):
    for driver in ({}, {"driver": "core", "backing_store": False}):
        with h5py.File("x.h5", "w", libver=bounds, **driver) as file:
            file["group/x"] = range(10)
            file.flush()
            image = file.id.get_file_image()
        with open("image.h5", "wb") as raw: raw.write(image)
        try:
            with h5py.File("image.h5", "r") as file: found = "read" if sum(file["group/x"]) == 45 else "other numbers"
        except OSError as refusal:
            found = "refused" if "checksum" in str(refusal) else str(refusal)
        print("HDF5 %-7s superblock %d  driver %-5s image %s" %
              (h5py.version.hdf5_version, image[8], driver.get("driver", "sec2"), found))
        wrong += found != ("refused" if image[8] >= 2 and h5py.version.hdf5_version_tuple < (2, 0, 0) else "read")
sys.exit(wrong > 0)
END
done
exit $changed
