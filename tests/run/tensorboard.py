"""report.tensorboard: what log.jsonl has of reports and evaluations stands in RUN/tensorboard for TensorBoard, each number once, also
after a kill and on another number of ranks; by a small reader of its own, and by the package tensorboard where it is installed
(MOT_TENSORBOARD_PYTHON: a Python that has it)."""
import glob, json, os, random, struct, subprocess, sys, tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from drive import check, failures, kill_behind, mot, summary

PYTHON = os.environ.get("MOT_TENSORBOARD_PYTHON", sys.executable)
os.chdir(tempfile.mkdtemp(prefix="mot-events."))
mot(1, "data", "make", "mixture", "--out", "m.h5", "--train", "240", "--test", "60", "--tokens", "6", "--width", "8", "--classes", "4")
open("c.yaml", "w").write("""
data.file: m.h5
model: {layers: [{embed: {width: 8}}, {experts: {count: 3, depth: 1, heads: 2, ffn: 12}}, {experts: {count: 2, depth: 1, heads: 2, ffn: 12}}, {head: {}}]}
train: {batch: 20, until: 40 steps}
eval: {every: 10, start: true}
checkpoint: {every: 4}
report: {every: 4, tensorboard: true}
""")
TABLE = []
for byte in range(256):
    for _ in range(8):
        byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
    TABLE.append(byte)


def checksum(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ TABLE[(crc ^ byte) & 0xFF]
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def fields(data):
    """Of a message in protobuf: (number, value)."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(data):
        key = varint()
        if key & 7 == 0:
            yield key >> 3, varint()
            continue
        size = {1: lambda: 8, 2: varint, 5: lambda: 4}[key & 7]()
        yield key >> 3, data[at:at + size]
        at += size


def events(path):
    """(step, tag, value) of a file, and what stands behind its last whole record."""
    raw, at, found, first = open(path, "rb").read(), 0, [], True
    while len(raw) - at >= 16:
        size = struct.unpack_from("<Q", raw, at)[0]
        if at + 16 + size > len(raw):
            break
        check(struct.unpack_from("<I", raw, at + 8)[0] == checksum(raw[at:at + 8]), "checksum of a length in " + path)
        data = raw[at + 12:at + 12 + size]
        check(struct.unpack_from("<I", raw, at + 12 + size)[0] == checksum(data), "checksum of a record in " + path)
        at += 16 + size
        event = dict(fields(data))
        if first:
            check(event.get(3) == b"brain.Event:2" and 2 not in event, "what a file begins with: %s" % event)
            first = False
            continue
        check(abs(struct.unpack("<d", event[1])[0] - os.stat(path).st_mtime) < 3600, "wall time")
        for _, value in fields(event[5]):
            value = dict(fields(value))
            found.append((event[2], value[1].decode(), struct.unpack("<f", value[2])[0]))
    return found, raw[at:]


def logged(run):
    """The same from log.jsonl."""
    found = []
    for line in map(json.loads, open(run + "/log.jsonl")):
        if "eval.loss" not in line and "train.loss" not in line:
            continue
        for key, value in line.items():
            group, _, name = key.partition(".")
            if not name:
                continue
            group = {"routing": "layer0"}.get(group, group)
            if "eval.loss" in line and group != "eval":
                group = "eval_" + group
            if isinstance(value, (int, float)):
                found.append((line["step"], group + "/" + name, struct.unpack("<f", struct.pack("<f", value))[0]))
    return sorted(found)


def all_events(run):
    found, files = [], sorted(glob.glob(run + "/tensorboard/*"))
    for file in files:
        of, torn = events(file)
        check(torn == b"", "bytes behind the last record of " + file)
        found += of
    return sorted(found), len(files)


mot(1, "train", "--quiet", "c.yaml", "run=one")
found, files = all_events("one")
check(files == 1 and found == logged("one"), "events are not those of log.jsonl")
tags = {tag for _, tag, _ in found}
check({"train/loss", "train/accuracy", "eval/loss", "eval/accuracy", "layer0/load_max_over_mean", "layer1/load_max_over_mean", "layer1/purity",
       "eval_layer0/nmi", "speed/samples_per_s"} <= tags, "tags: %s" % sorted(tags))

# Killed, with half a record at the end; continued twice.
kill_behind(random.Random(3).choice((12, 20, 28)), 2, "c.yaml", "killed")
newest = sorted(glob.glob("killed/tensorboard/*"))[-1]
open(newest, "ab").write(open(newest, "rb").read()[:30])
check(len(events(newest)[0]) > 0, "a killed run leaves a file that can be read")
mot(3, "train", "--quiet", "c.yaml", "run=killed")
mot(1, "train", "--quiet", "c.yaml", "run=killed", "train.until=48 steps")
found, files = all_events("killed")
check(files == 3 and found == logged("killed"), "%d files, events of a killed run are not those of log.jsonl" % files)
check(len({(step, tag) for step, tag, _ in found}) == len(found), "a step is there twice")
check(sorted(v for s, t, v in found if t == "train/loss" and s <= 40) == sorted(v for _, t, v in all_events("one")[0] if t == "train/loss"),
      "losses are others than those of an undisturbed run")

# Not asked for, nothing is there, and the same bits are learned.
mot(1, "train", "--quiet", "c.yaml", "run=off", "report.tensorboard=false")
check(not os.path.exists("off/tensorboard") and summary("off")["digest"] == summary("one")["digest"], "without tensorboard")

READ = """
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard import version
of = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0})
of.Reload()
print(json.dumps([version.VERSION, [(e.step, tag, e.value) for tag in of.Tags()["scalars"] for e in of.Scalars(tag)]]))
"""
done = subprocess.run([PYTHON, "-c", READ, "killed/tensorboard"], capture_output=True, text=True)
if done.returncode != 0:
    print("skipped: %s has no package tensorboard (MOT_TENSORBOARD_PYTHON names a Python that has)" % PYTHON)
else:
    version, scalars = json.loads(done.stdout.strip().splitlines()[-1])
    check(sorted(map(tuple, scalars)) == found, "TensorBoard %s reads other scalars" % version)
    print("TensorBoard %s reads all %d numbers" % (version, len(scalars)))
sys.exit(1 if failures else 0)
