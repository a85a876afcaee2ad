#!/bin/bash
# The commands of README.md, sections "Your own data in five minutes" and "Use", word for word as a new user types them, but
# of small length: as this user (root, where that is who tests), on this machine's cores, with nothing of mot's or MPI's set.
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/run/lib.sh
. "$here/lib.sh"
root=$(cd "$here/../.." && pwd)
"$PYTHON" -c 'import numpy, zlib' 2>said || { echo "skipped: no numpy"; exit 77; }

# The project as it lies before the reader, with the program that is tested.
mkdir -p project/build
cd project || exit 1
ln -s "$root"/{launch,configs,README.md} .
ln -s "$(dirname "$MOT_BINARY")" build/bin

# section TITLE: its lines.
section() { awk -v title="## $1" '$0 == title { inside = 1; next } /^## / { inside = 0 } inside' README.md; }
# spans: what stands `so` in standard input and begins with a folder of programs.
spans() { grep -o '`[^`]*`' | tr -d '`' | grep -E '^(build/bin/mot|launch/)' | grep ' '; }
# blocks: the lines of ```sh blocks; those that go on in the next one are joined.
blocks() { awk '/^```sh/ { inside = 1; next } /^```/ { inside = 0 } inside' | sed -E ':a; /\\$/ { N; s/ *\\\n */ /; ba }; s/ +# .*//'; }
# small COMMAND: the same, over soon.
small() {
    sed -E -e '/(mot train|run\.sh)/ s/$/ train.until="12 steps" route.noise_steps=5/' \
        -e '/mot bench/ s/$/ --repeats 1 --steps 2/' <<<"$1"
}
# try COMMAND: in a shell of its own, as after login.
try() {
    env -i HOME="$HOME" PATH="$PATH" TMPDIR="${TMPDIR:-/tmp}" ${LSAN_OPTIONS:+LSAN_OPTIONS="$LSAN_OPTIONS"} \
        timeout -k 5 "$LIMIT" bash -c "$fashion
            $(small "$1")" >said 2>&1 || fail "'$1' ends with $?: $(cat said)"
}

# ---- your own data in five minutes ----

fashion=
"$PYTHON" - <<'PY' || exit 1
import os, struct, zlib
import numpy as np
rng = np.random.default_rng(1)

def png(path, pixel):  # [H, W] of bytes
    h, w = pixel.shape
    piece = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = b"".join(b"\0" + row.tobytes() for row in pixel)
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + piece(b"IHDR", struct.pack(">IIBBBBB", w, h, 8, 0, 0, 0, 0)) +
                   piece(b"IDAT", zlib.compress(rows)) + piece(b"IEND", b""))

for c, name in enumerate(("bars", "squares", "stripes")):
    os.makedirs("shapes/" + name)
    for i in range(10):
        pixel = rng.integers(0, 90, (16, 16)).astype("u1")
        pixel[:, 4 * c:4 * c + 4] += 120
        png("shapes/%s/%d.png" % (name, i), pixel)
names = "setosa", "versicolor", "virginica"
row = lambda c: ",".join("%.1f" % v for v in rng.normal((5, 3, 1 + 2 * c, c), 0.2))
with open("flowers.csv", "w") as file:
    file.write("sepal_length,sepal_width,petal_length,petal_width,species\n")
    file.writelines(row(i // 50) + "," + names[i // 50] + "\n" for i in range(150))
with open("new.csv", "w") as file:
    file.write("sepal_length,sepal_width,petal_length,petal_width\n")
    file.writelines(row(i % 3) + "\n" for i in range(9))
y = np.arange(60) % 3
np.savez("signals.npz", x=(rng.normal(size=(60, 4, 6)) + y[:, None, None]).astype("f4"), y=y)
with open("sentences.tsv", "w") as file:
    for i in range(60):
        file.write("%s\t%s\n" % (("ask", "tell")[i % 2], " ".join(("who", "it")[i % 2] + str(k) for k in rng.integers(0, 5, 6))))
for name, count in ("train", 600), ("t10k", 200):
    with open(name + "-images-idx3-ubyte.gz", "wb") as file:
        pixel = rng.integers(0, 256, (count, 28, 28)).astype("u1")
        data = struct.pack(">IIII", 0x803, count, 28, 28) + pixel.tobytes()
        file.write(__import__("gzip").compress(data, 1))
    with open(name + "-labels-idx1-ubyte.gz", "wb") as file:
        file.write(__import__("gzip").compress(struct.pack(">II", 0x801, count) + bytes(i % 10 for i in range(count)), 1))
PY
section "Your own data in five minutes" | spans >commands
grep -q 'import images shapes' commands && grep -q 'run=runs/flowers' commands && grep -q 'mot predict' commands ||
    fail "not all commands are found: $(cat commands)"
while read -r command; do
    try "$command" </dev/null
    case $command in
    *'import csv'*)
        # What it says is what the page shows.
        section "Your own data in five minutes" | awk '/^note: flowers.csv/ { inside = 1 } /^```/ { inside = 0 } inside' >shown
        [ -s shown ] || fail "the page does not show what an import says"
        diff shown said >differs || fail "the page shows something else than the import says: $(cat differs)"
        ;;
    *'import '*)
        file=$(sed -nE 's/.*--out ([^ ]*).*/\1/p' <<<"$command")
        grep -qx "next: mot train configs/first.yaml data.file=$file" said || fail "no next command: $(cat said)"
        try "build/bin/mot train configs/first.yaml data.file=$file run=runs/$(basename "$file" .h5)" </dev/null
        grep -q '^class \\ expert, %' said || fail "no table of what each expert took: $(cat said)"
        ;;
    esac
done <commands
[ "$(wc -l <new-classes.csv)" -eq 10 ] || fail "new-classes.csv has $(wc -l <new-classes.csv) lines"

# ---- use ----

section Use | blocks | grep -vE '^(cmake|sbatch) ' >commands # the build is there, and Slurm is not
fashion=$(grep '^F=' commands)
[ -n "$fashion" ] || fail "no place of Fashion-MNIST"
[ -e "${fashion#F=}/train-images-idx3-ubyte.gz" ] || echo "no ${fashion#F=}: a set of its form in its place"
fashion="F=$PWD"
grep -q 'mot bench' commands && grep -q 'restarts' commands || fail "not all commands are found: $(cat commands)"
grep -v '^F=' commands >rest
while read -r command; do try "$command" </dev/null; done <rest
[ "$(wc -l <classes.csv)" -eq 201 ] || fail "classes.csv has $(wc -l <classes.csv) lines"
cd .. || exit 1
finish
