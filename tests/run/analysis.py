#!/usr/bin/python3
"""analysis.py ANALYSIS_RECORD ANALYSIS.MD [KEEP]: every recipe of docs/analysis.md runs on a record that mot wrote.

Exit code 77: h5py or matplotlib is not installed here."""
import pathlib, re, subprocess, sys, tempfile

try:
    import h5py, matplotlib
except ImportError as missing:
    print("skipped:", missing)
    sys.exit(77)

writer, page = sys.argv[1:3]
recipes = re.findall(r"^## (.*?)\n.*?^```python\n(.*?)^```", pathlib.Path(page).read_text(), re.S | re.M)
assert len(recipes) == 5, f"{len(recipes)} recipes found in {page}, 5 expected"

with tempfile.TemporaryDirectory() as temporary:
    run = pathlib.Path(sys.argv[3] if len(sys.argv) > 3 else temporary)
    subprocess.run([writer, run], check=True)
    printed = ""
    for title, code in recipes:
        done = subprocess.run(["/usr/bin/python3", "-W", "error", "-c", code], cwd=run, capture_output=True, text=True)
        assert done.returncode == 0, f"'{title}' failed:\n{done.stderr}"
        printed += done.stdout
    for picture in ("class_expert.png", "load.png", "nmi.png"):
        image = (run / picture).read_bytes()
        assert image[:4] == b"\x89PNG" and len(image) > 5000, f"{picture} is no picture"
    assert re.search(r"00000021-00000040 \d+ samples", printed), printed

    # What the page says of axes: dimension scales, units and long names are there.
    with h5py.File(run / "run.h5") as file:
        load = file["segments/00000001-00000020/layer0/load"]
        assert load.dims[0].keys() == ["step"] and load.dims[1].keys() == ["expert"], "dimension scales"
        assert load.attrs["long_name"] and load.attrs["units"] in ("1", b"1")
        assert load.nbytes <= 4096 and load.chunks is None, "an index of chunks would be larger"
        table = file["segments/00000021-00000040/layer0/class_load"]
        assert [d.keys()[0] for d in table.dims] == ["snapshot_step", "class", "expert"]
        assert list(file["segments"]) == ["00000001-00000020", "00000021-00000040"]
        assert file["config"][0].decode() == "run: example\n"
        assert load.dims[0][0].name == "/layer0/step", "a scale in the group of what it belongs to"
    print("four recipes, three pictures")
