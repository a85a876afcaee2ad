"""poison.py MOT DATASET SAMPLE: makes one training sample so large that the numbers of an expert overflow on it. The
checksum that then fits is what mot says that it found."""
import re
import subprocess
import sys

import h5py

mot, path, sample = sys.argv[1], sys.argv[2], int(sys.argv[3])
with h5py.File(path, "r+") as f:
    f["train/x"][sample] = 3e38
said = subprocess.run([mot, "inspect", "--verify", path], capture_output=True, text=True)
found = re.search(r"/train/x is damaged: its checksum is ([0-9a-f]{32})", said.stderr)
if not found:
    sys.exit("no checksum in: " + said.stdout + said.stderr)
with h5py.File(path, "r+") as f:
    f["train/x"].attrs.modify("xxh3", found.group(1).encode())
