#!/bin/bash
# netcdf_scales.sh - which dimension netCDF gives to a dataset of an HDF5 file that another program wrote.
# version  netCDF-C 4.10.1 in netCDF4-python 1.7.5.1.post1 (4.9.0 does the same), h5py 3.16.0 (HDF5 2.0.0)
# source   the wheels `netCDF4` and `h5py` of PyPI
# a good guess says: a dataset with an attached dimension scale has that dimension, wherever in the file the scale lies;
#          a dataset without scales has dimensions without names, phony_dim_N.
# seen     1. A scale is found in the dataset's own group and in those above it alone. With one in a sibling group the
#          variable is there, and has no usable dimensions: its numbers cannot be read. HDF5 and h5py show it whole.
#          2. A dataset without scales gets any dimension of its group that has the same length: four letters beside four
#          experts are read as letter(expert), and lose that dimension when there are five experts.
# Exit code: 0 as seen, 1 otherwise; 77 'skipped: why'.
set -u
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
{ python3 -m venv venv && venv/bin/pip -q install netCDF4==1.7.5.1.post1 h5py==3.16.0; } >said 2>&1 ||
    { echo "skipped: netCDF4 and h5py from PyPI: $(tail -n 1 said)"; exit 77; }
venv/bin/python - <<'END'
import sys
import h5py, netCDF4

def attach(file, scale, dataset):
    file[scale].make_scale(scale.split("/")[-1])
    file[dataset].dims[0].attach_scale(file[scale])

def reads(path):
    try:
        with netCDF4.Dataset("x.h5") as file: return int(file[path][:].sum())
    except Exception as refusal:
        return type(refusal).__name__

wrong = 0
for place in ("steps/step", "step", "layer/step"):
    with h5py.File("x.h5", "w") as file:
        file["layer/load"], file[place] = [5, 6, 7], [1, 2, 3]
        attach(file, place, "layer/load")
    with h5py.File("x.h5", "r") as file: by_h5py = int(file["layer/load"][:].sum()), file["layer/load"].dims[0].keys()
    found = reads("layer/load")
    print("/layer/load with its scale at /%-11s h5py %s, netCDF %s" % (place, by_h5py, found))
    wrong += found != (18 if place != "steps/step" else "AttributeError")

for experts in (4, 5):
    with h5py.File("x.h5", "w") as file:
        file["expert"], file["load"], file["letter"] = range(experts), range(experts), [1., 2, 3, 4]
        attach(file, "expert", "load")
    with netCDF4.Dataset("x.h5") as file: found = file["letter"].dimensions
    print("4 letters without a scale beside %d experts: netCDF reads letter%s" % (experts, found))
    wrong += (found == ("expert",)) != (experts == 4)
sys.exit(wrong > 0)
END
