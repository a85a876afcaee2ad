#!/bin/bash
# Predictions of what lies in files: pictures in folders, arrays, tables, texts are read as the run's own, or refused in the
# user's words; and other data sets of them likewise.
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/run/lib.sh
. "$here/lib.sh"
"$PYTHON" -c 'import h5py, numpy' 2>said || { echo "skipped: no h5py"; exit 77; }

# refused WHAT PATTERN ARGUMENT...: one sentence, exit code 2, and nothing left.
refused() {
    local what=$1 pattern=$2 code
    shift 2
    mot "$@" >out 2>said
    code=$?
    [ $code -eq 2 ] || fail "$what: exit code $code, expected 2: $(cat said)"
    grep -Eq -- "$pattern" said || fail "$what: $(cat said)"
    grep -Eq 'samples\.[0-9]|tensor' said && fail "$what speaks of what the user does not know: $(cat said)"
    ls no.* ./*.tmp.* ./*.samples.* 2>/dev/null && fail "$what leaves something behind"
}
# alike FILE FILE WHAT: the same table.
alike() { cmp -s "$1" "$2" || fail "$3: $(diff "$1" "$2" | head -n 4)"; }
without_files() { cut -d, -f 1,3- "$1"; }

# ---- what lies before the reader: the same test pictures, vectors and ids in many forms ----

"$PYTHON" - <<'PY' || exit 1
import os, struct, zlib
import h5py, numpy as np
rng = np.random.default_rng(4)

def png(path, pixel):  # [H, W], [H, W, 3] or [H, W, 4] of bytes
    kind = {2: 0, 3: 2, 4: 6}[pixel.ndim if pixel.ndim == 2 else pixel.shape[2]]
    piece = lambda name, data: struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    rows = b"".join(b"\0" + row.tobytes() for row in pixel)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + piece(b"IHDR", struct.pack(">IIBBBBB", pixel.shape[1], pixel.shape[0], 8, kind, 0, 0, 0)) +
                   piece(b"IDAT", zlib.compress(rows)) + piece(b"IEND", b""))

def pictures(count):  # grey, 8 x 8; three classes
    y = np.arange(count) % 3
    x = rng.integers(0, 120, (count, 8, 8))
    for i in range(count):
        x[i, :, y[i]::3] += 130
    return x.astype("u1"), y

x, y = pictures(90)
for i in range(90):
    png("shapes/train/%s/%d.png" % ("abc"[y[i]], i), x[i])
x, y = pictures(30)
for i in range(30):
    png("shapes/test/%s/%02d.png" % ("abc"[y[i]], i), x[i])
    png("flat/%02d.png" % i, x[i])
    png("nested/%d/%02d.png" % (i // 10, i), x[i])
    png("large/%02d.png" % i, x[i].repeat(2, 0).repeat(2, 1))
    png("colour/%02d.png" % i, x[i][:, :, None].repeat(3, 2))
order = sorted(range(30), key=lambda i: ("abc"[y[i]], i))  # of the data set: class by class
np.save("order.npy", order)
png("clear/0.png", np.zeros((8, 8, 4), "u1"))
open("flat/notes.txt", "w").write("no picture")
os.makedirs("empty")
os.makedirs("broken")
open("broken/0.png", "wb").write(open("flat/00.png", "rb").read()[:60])
np.save("bytes.npy", x)
np.save("floats.npy", (x / 255).astype("f4"))
np.save("wide.npy", x.astype("i8"))
np.save("back.npy", x[:, :, :, None])
np.savez("x.npz", x=x)
np.savez("named.npz", mine=x, other=y)
np.save("other.npy", x[:, :7])
np.save("dark.npy", (x > 200).astype("f4"))
with h5py.File("x.h5", "w") as f:
    f["set/pixels"] = x
    f["set/channels"] = x[:, None] / 255.0

# Vectors, whose columns have names or none.
y = np.arange(60) % 2
v = np.round(rng.normal(size=(60, 3)) + 3 * y[:, None], 2)
whole = np.round(10 * v)
line = lambda row: ",".join("%g" % value for value in row)
with open("columns.csv", "w") as file:
    file.write("p,q,r,kind\n" + "".join("%s,%s\n" % (line(v[i]), ("no", "yes")[y[i]]) for i in range(60)))
with open("shuffled.csv", "w") as file:
    file.write("kind;r;id;p;q\n" + "".join("%s;%g;n%d;%g;%g\n" % (("no", "yes")[y[i]], v[i, 2], i, v[i, 0], v[i, 1]) for i in range(60)))
with open("plain.csv", "w") as file:
    file.write("".join(line(v[i]) + "\n" + "\n" * (i == 7) for i in range(60)))
np.save("whole.npy", whole)
np.save("whole-i8.npy", whole.astype("i8"))
np.save("whole-y.npy", y)
whole[3, 1] = np.nan
np.save("hole.npy", whole)

# Word ids: 0 is a word and 9 pads, on the left.
def ids(count, least):
    y = np.arange(count) % 2
    t = np.full((count, 6), 9)
    for i in range(count):
        n = rng.integers(2, 7)
        t[i, 6 - n:] = rng.integers(least, 4, n) + 4 * y[i]
    return t.astype("i4"), y
for name, count, least in ("ids", 60, 0), ("later", 20, 1):
    t, y = ids(count, least)
    np.save(name + ".npy", t)
    np.save(name + "-y.npy", y)
bad = t.copy()
bad[3, 5] = 8
np.save("bad-ids.npy", bad)
t[:, :] = 300
t[:, 0] = np.arange(20) + 1
np.save("many.npy", t)
PY

# ---- pictures ----

quietly mot data import images shapes --out shapes.h5
cp shapes.h5 copy.h5
small_model shapes.h5 >shapes.yaml
quietly mot train --quiet shapes.yaml run=shapes-run train.until="60 steps"
quietly mot predict shapes-run -o set.csv
# What is there is replaced when that is said, and what is read never.
cp set.csv set.before
checkpoint=$(ls shapes-run/checkpoints/*.h5)
refused "an output that is there" "set.csv exists: add --force to replace it" predict shapes-run -o set.csv
quietly mot predict shapes-run -o set.csv --force
alike set.before set.csv "predictions that are replaced"
refused "the data set as output" "shapes.h5 is what is read" predict shapes-run --force -o shapes.h5
refused "the input as output" "copy.h5 is what is read" predict shapes-run --force --data copy.h5 -o copy.h5
refused "a file of a run as output" "shapes-run/run.h5 is the run's own" predict shapes-run --force -o shapes-run/run.h5
cp many.npy own.npy
refused "an import into what it reads" "own.npy is what is read" data import npy --train many.npy,own.npy --out own.npy --force
cmp many.npy own.npy || fail "an import that is refused changes what it reads"
refused "the checkpoint as output" "$checkpoint is what is read" predict shapes-run --force -o "$checkpoint"
quietly mot inspect --verify shapes-run
for n in 1 2 3; do
    quietly mot_on $n predict shapes-run --images flat -o flat$n.csv
    alike flat1.csv flat$n.csv "pictures of a folder on $n ranks"
done
head -n 1 flat1.csv | grep -qx 'sample,file,class,expert,gate_probability,p_a,p_b,p_c' || fail "head of pictures: $(head -n 1 flat1.csv)"
"$PYTHON" - >said 2>&1 <<'PY' || fail "pictures of a folder: $(cat said)"
import csv, numpy as np
known, flat = (list(csv.DictReader(open(name))) for name in ("set.csv", "flat1.csv"))
assert [r["file"] for r in flat] == ["flat/%02d.png" % i for i in range(30)]
for k, i in enumerate(np.load("order.npy")):
    for key in known[k]:
        assert key == "sample" or known[k][key] == flat[i][key], (k, i, known[k], flat[i])
assert len({r["class"] for r in flat}) == 3
PY
without_files flat1.csv >wanted.csv
mot predict shapes-run --images nested -o nested.csv >out 2>&1 || fail "pictures in folders: $(cat out)"
alike <(without_files nested.csv) wanted.csv "pictures in folders below"
mot predict shapes-run --images flat -o again.csv >out 2>&1
grep -q "note: flat: files that are no PNG or JPEG by their names, and left out: 1, such as flat/notes.txt" out || fail "no note of other files: $(cat out)"
mot predict shapes-run --images large -o large.csv >out 2>&1 || fail "larger pictures: $(cat out)"
grep -q "note: large: pictures of another size than 8 x 8 are resampled: 30, such as large/00.png" out || fail "no note of a size: $(cat out)"
mot data import images large --out large.h5 --size 8x8 >out 2>&1 && fail "a folder without classes is imported"
quietly mot predict shapes-run --images colour -o colour.csv
alike <(without_files colour.csv) wanted.csv "grey pictures kept in colour"
quietly mot predict shapes-run --images clear --background white -o clear.csv
quietly mot predict shapes-run --images flat/07.png -o one.csv
alike <(tail -n 1 one.csv | cut -d, -f 2-) <(sed -n 9p flat1.csv | cut -d, -f 2-) "one picture"
refused "a clear picture" "clear/0.png: parts of it are transparent" predict shapes-run --images clear -o no.csv
refused "an empty folder" "empty: no .png or .jpg file in it or in a folder below" predict shapes-run --images empty -o no.csv
refused "no folder" "cannot read the folder nowhere" predict shapes-run --images nowhere -o no.csv
refused "a broken picture" "broken/0.png" predict shapes-run --images broken -o no.h5
quietly mot predict shapes-run --images flat -o flat.h5
quietly mot_on 2 predict shapes-run --images flat -o flat2.h5
quietly mot predict shapes-run eval.batch=7 --images flat -o flat7.h5
for n in 2 7; do cmp -s flat.h5 flat$n.h5 || fail "predictions in HDF5 differ on two ranks, or in batches of 7"; done
quietly mot predict shapes-run --images flat -o flat.npz
"$PYTHON" - >said 2>&1 <<'PY' || fail "names of pictures: $(cat said)"
import csv, h5py, numpy as np
rows = list(csv.DictReader(open("flat1.csv")))
a = np.load("flat.npz")
assert list(a["file"]) == [r["file"] for r in rows]
with h5py.File("flat.h5") as f:
    assert [n.decode() for n in f["file"]] == [r["file"] for r in rows]
    for name in "class", "probability", "expert", "gate_probability":
        assert np.array_equal(f[name][...], a[name]), name
assert np.array_equal(a["probability"], np.array([[float(r["p_" + c]) for c in "abc"] for r in rows], "f4"))
PY

# Arrays of pictures, of every type: what they are the run knows.
for array in bytes floats wide back; do
    quietly mot predict shapes-run --npy $array.npy -o $array.csv
    alike $array.csv wanted.csv "pictures in $array.npy"
done
gzip -k bytes.npy
quietly mot predict shapes-run --npy bytes.npy.gz -o packed.csv
quietly mot predict shapes-run --npy x.npz -o npz.csv
quietly mot predict shapes-run --npy named.npz --x mine -o named.csv
quietly mot predict shapes-run --hdf5 x.h5 --x /set/pixels -o h5.csv
quietly mot_on 2 predict shapes-run --hdf5 x.h5 --x set/channels -o h5-channels.csv
for got in packed npz named h5 h5-channels; do alike $got.csv wanted.csv "$got"; done
refused "no such array" "named.npz has no array 'x'; it has: .*mine" predict shapes-run --npy named.npz -o no.csv
refused "no path" "x.h5: which dataset holds the samples\? \(--x /PATH\)" predict shapes-run --hdf5 x.h5 -o no.csv
refused "no such path" "x.h5:/set/y: is missing" predict shapes-run --hdf5 x.h5 --x /set/y -o no.csv
refused "another shape" "other.npy: uint8 \[30, 7, 8\]: the run learned pictures \[n, 8, 8\]" predict shapes-run --npy other.npy -o no.csv
refused "numbers for pictures" "whole.npy: float64 \[60, 3\]: the run learned pictures" predict shapes-run --npy whole.npy -o no.csv
refused "zeros and ones" "dark.npy: all pixels are 0 or 1: of 0 to 1, or of 0 to 255" predict shapes-run --npy dark.npy -o no.csv
refused "texts for pictures" "columns.csv: the run learned pictures: give --images, --csv, --npy or --hdf5" predict shapes-run --text columns.csv -o no.csv
refused "two inputs" "one of --data, --csv, --text, --npy, --images and --hdf5 at a time" predict shapes-run --csv plain.csv --images flat -o no.csv
refused "an option of another input" "--background does not go with --npy" predict shapes-run --background white --npy bytes.npy -o no.csv
refused "a setting beside an option" "data.file is said by an option: give one of them" predict shapes-run --npy bytes.npy data.file=x.h5 -o no.csv
refused "an option of no input" "--x does not go with --data" predict shapes-run --x /x -o no.csv
refused "a word for a header" "--header is auto" predict shapes-run --csv plain.csv --header maybe -o no.csv

# Memory does not grow with the samples: 60,000 of 200 classes are 48 MB of probabilities.
if [ -z "${MOT_SANITIZE:-}" ]; then
    "$PYTHON" - "$MOT_BINARY" >said 2>&1 <<'PY' || fail "memory of predictions: $(cat said)"
import numpy as np, os, subprocess, sys
most = {}
for name, n in ("few", 1000), ("many", 60000):
    np.save("x.npy", np.zeros((n, 2), "f4") + np.arange(n)[:, None] % 200)
    np.save("y.npy", np.arange(n) % 200)
    run = lambda *a: subprocess.run((sys.argv[1],) + a, check=True, stdout=subprocess.DEVNULL)
    run("data", "import", "npy", "--train", "x.npy,y.npy", "--out", name + ".h5")
    if name == "few":
        run("train", "--quiet", "shapes.yaml", "run=few-run", "data.file=few.h5", "eval.split=train", "train.until=1 steps")
    mot = subprocess.Popen((sys.argv[1], "predict", "few-run", "data.memory=0", "eval.batch=500", "--data", name + ".h5",
                            "-o", name + "-out.h5"), stdout=subprocess.DEVNULL)
    most[name] = os.wait4(mot.pid, 0)[2].ru_maxrss / 1024
    assert os.path.exists(name + "-out.h5")
assert most["many"] < most["few"] + 20, most
PY
    rm many.h5 many-out.h5
fi

# ---- tables and vectors ----

quietly mot data import csv --train columns.csv --out columns.h5
small_model columns.h5 >columns.yaml
quietly mot train --quiet columns.yaml run=columns-run eval.split=train
quietly mot predict columns-run -o columns-wanted.csv
mot predict columns-run --csv columns.csv -o columns-again.csv >out 2>&1 || fail "a table with labels: $(cat out)"
grep -q "note: columns.csv: column 4 ('kind'): left out, since the run did not learn from it" out || fail "no note of a column: $(cat out)"
quietly mot predict columns-run --csv shuffled.csv -o shuffled-out.csv
mot predict columns-run --csv plain.csv -o plain-out.csv >out 2>&1 || fail "a table without names: $(cat out)"
grep -q "note: plain.csv: empty lines between others are no samples, and left out: 1" out || fail "no note of an empty line: $(cat out)"
for got in columns-again shuffled-out plain-out; do alike $got.csv columns-wanted.csv "$got"; done
cut -d, -f 1,2 columns.csv >few.csv
refused "too few columns" "few.csv has no column 'r', which the run learned from" predict columns-run --csv few.csv -o no.csv
sed 1d columns.csv >headless.csv
refused "labels without names" "headless.csv: 4 columns, and the run learned 3: which are they\? \(--ignore-columns" predict columns-run --csv headless.csv -o no.csv
quietly mot predict columns-run --csv headless.csv --ignore-columns 4 -o headless-out.csv
alike headless-out.csv columns-wanted.csv "a column that is left out"
quietly mot data import npy --train whole.npy,whole-y.npy --out whole.h5
small_model whole.h5 >whole.yaml
quietly mot train --quiet whole.yaml run=whole-run eval.split=train
quietly mot predict whole-run -o whole-wanted.csv
quietly mot predict whole-run --npy whole-i8.npy -o whole-out.csv
alike whole-out.csv whole-wanted.csv "whole numbers that might be word ids"
sed 's/p,q,r/p,p,r/' columns.csv >twice.csv
quietly mot data import csv --train twice.csv --out twice.h5
refused "two columns of one name" "twice.h5: its columns are matched by name, but two of its own are called 'p'" eval columns-run data.file=twice.h5
quietly mot train --quiet columns.yaml run=twice-run data.file=twice.h5 eval.split=train
refused "two columns of one name in the run" "columns.h5: its columns are matched by name, but two of the run are called 'p'" eval twice-run data.file=columns.h5

refused "what is no number" "hole.npy: sample 3: number 1 is not finite" predict whole-run --npy hole.npy -o no.csv

# ---- word ids ----

quietly mot data import npy --train ids.npy,ids-y.npy --pad 9 --out ids.h5
small_model ids.h5 >ids.yaml
quietly mot train --quiet ids.yaml run=ids-run eval.split=train
quietly mot predict ids-run -o ids-wanted.csv
quietly mot predict ids-run --npy ids.npy -o ids-out.csv
alike ids-out.csv ids-wanted.csv "word ids"
quietly mot data import npy --train later.npy,later-y.npy --pad 9 --out later.h5 # where no word is 0, and ids are as they were
quietly mot data import npy --train later.npy,later-y.npy --test ids.npy,ids-y.npy --pad 9 --out both.h5
quietly mot predict ids-run --data both.h5 --split train -o both-out.csv
quietly mot predict ids-run --data later.h5 --split train -o later-data.csv
quietly mot predict ids-run --npy later.npy -o later-out.csv
for got in later-data later-out; do alike $got.csv both-out.csv "ids without a 0: $got"; done
refused "another id" "bad-ids.npy: sample 3, number 5: 8: the run learned word ids from 0 to 7, with padding at both ends of 9" \
    predict ids-run --npy bad-ids.npy -o no.csv
quietly mot train --quiet ids.yaml run=later-run data.file=later.h5 eval.split=train
refused "a word that was padding" "ids.h5 holds the id 0 as a word; in what the run learned 0 was padding" eval later-run data.file=ids.h5 eval.split=train
quietly mot data import npy --train many.npy,later-y.npy --out many.h5
quietly mot train --quiet ids.yaml run=many-run data.file=many.h5 eval.split=train train.until="2 steps"
make_texts texts.h5
cut -f 3 texts-test.tsv >lines.txt
refused "texts for ids" "lines.txt: the run learned word ids: give --npy or --hdf5" predict many-run --text lines.txt -o no.csv
quietly mot data import text --train texts.tsv --tokens byte --length 6 --out bytes.h5
refused "bytes for ids" "bytes.h5 holds bytes of texts; the run learned word ids" predict many-run --data bytes.h5 --split train -o no.csv
quietly mot train --quiet ids.yaml run=bytes-run data.file=bytes.h5 eval.split=train train.until="2 steps"
refused "ids for bytes" "later.h5 holds word ids; the run learned bytes of texts" predict bytes-run --data later.h5 --split train -o no.csv
quietly mot predict bytes-run -o bytes-wanted.csv
cut -f 3 texts.tsv >all-lines.txt
quietly mot predict bytes-run --text all-lines.txt -o bytes-out.csv
alike bytes-out.csv bytes-wanted.csv "bytes"

# ---- texts ----

small_model texts.h5 >texts.yaml
quietly mot train --quiet texts.yaml run=texts-run
quietly mot predict texts-run -o texts-wanted.csv
quietly mot predict texts-run --text lines.txt -o lines-out.csv
(echo; sed -n 1p lines.txt; echo; echo; sed -n 2p lines.txt; echo) >gaps.txt # as many rows as lines
mot predict texts-run --text gaps.txt -o gaps-out.csv >out 2>&1 || fail "empty lines: $(cat out)"
[ "$(wc -l <gaps-out.csv)" -eq 7 ] || fail "6 lines, 4 of them empty: $(cat gaps-out.csv)"
[ "$(sed -n '3p;6p' gaps-out.csv | cut -d, -f 2-)" = "$(sed -n '2,3p' lines-out.csv | cut -d, -f 2-)" ] ||
    fail "lines beside empty ones: $(cat gaps-out.csv lines-out.csv)"
mot predict texts-run --text <(true) -o no.csv >out 2>&1 && fail "a text that is no file"
echo 'w1 mot w2' >line.txt
mot predict texts-run --text line.txt -o line.csv >out 2>&1 || fail "a line of text: $(cat out)"
grep -qx "note: words that the run does not know: 1 of 3" out || fail "no note of unknown words: $(cat out)"
(printf 'label\tdomain\ttext\n'; cat texts-test.tsv) >headed.tsv
quietly mot predict texts-run --text headed.tsv -o headed-out.csv
quietly mot predict texts-run --text texts-test.tsv --text-column 3 -o told-out.csv
for got in lines headed told; do alike $got-out.csv texts-wanted.csv "$got"; done
refused "a table of texts" "texts-test.tsv: line 1 has 3 columns, expected a text a line: which column has the texts" \
    predict texts-run --text texts-test.tsv -o no.csv
refused "arrays for texts" "whole.npy: the run learned texts: give --text" predict texts-run --npy whole.npy -o no.csv

# What an import has lost of texts that the run would have read.
quietly mot data import text --train texts.tsv --test texts-test.tsv --length 5 --min-count 1 --out cut.h5
refused "texts that were cut" "cut.h5 was imported with --length 5, and the run reads 7 tokens of a text: [0-9]+ texts are that long" \
    eval texts-run data.file=cut.h5
(cat texts-test.tsv; sed 's/w/v/g' texts-test.tsv) >rare.tsv
quietly mot data import text --train rare.tsv --length 7 --min-count 8 --out rare.h5
refused "words that were left out" "rare.h5: [0-9]+ of [0-9]+ words were rare or unknown where it was imported" \
    eval texts-run data.file=rare.h5 eval.split=train
quietly mot data import text --train rare.tsv --length 7 --min-count 1 --out named.h5
quietly mot eval texts-run data.file=named.h5 eval.split=train
finish
