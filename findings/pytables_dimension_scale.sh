#!/bin/bash
# pytables_dimension_scale.sh - what PyTables makes of a dataset that is a dimension scale.
# version  PyTables 3.11.1 (3.7.0 does the same), h5py 3.16.0
# source   the wheels `tables` and `h5py` of PyPI
# a good guess says: a plain array of integers with attributes that PyTables has no type for (references) is an array, or
#          at worst an `UnImplemented` node with a warning, as PyTables says of what it cannot read.
# seen     a scale that is attached to something has the attribute REFERENCE_LIST; PyTables meets it while it makes the
#          node, and once more while it makes the `UnImplemented` node in its place: KeyError: 'Reference'. walk_nodes()
#          over a file with one such array ends there, and what comes behind it in the file is not seen. The dataset
#          that the scale belongs to opens, with a warning about its DIMENSION_LIST.
# Exit code: 0 as seen, 1 otherwise; 77 'skipped: why'.
set -u
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
{ python3 -m venv venv && venv/bin/pip -q install tables==3.11.1 h5py==3.16.0; } >said 2>&1 ||
    { echo "skipped: PyTables and h5py from PyPI: $(tail -n 1 said)"; exit 77; }
venv/bin/python -W ignore - <<'END'
import sys
import h5py, tables

def what(action):
    try: return action()
    except KeyError as refusal: return "KeyError: %s" % refusal

wrong = 0
for attached in (False, True):
    with h5py.File("x.h5", "w") as file:
        file["a"], file["step"], file["z"] = [1, 2, 3], [1, 2, 3], [7, 8, 9]
        file["step"].make_scale("step")
        if attached: file["a"].dims[0].attach_scale(file["step"])
    with tables.open_file("x.h5") as file:
        found = [what(lambda: file.get_node(name).read().tolist()) for name in ("/a", "/step", "/z")]
        found.append(what(lambda: len(list(file.walk_nodes("/", "Leaf")))))
    print("the scale is %-14s /a %s, /step %s, /z %s, walk_nodes: %s" %
          ("attached:" if attached else "not attached:", *found))
    refused = "KeyError: 'Reference'"
    wrong += found != [[1, 2, 3], refused if attached else [1, 2, 3], [7, 8, 9], refused if attached else 3]
sys.exit(wrong > 0)
END
