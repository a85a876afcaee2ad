#!/bin/bash
# Other programs that read a run: each opens all of its files for writing where it can, reads everything, and closes them.
# No byte has changed, the run goes on to the digest of an undisturbed one, and the loads that they read sum up to the
# samples. Then: a file that really was changed is refused, and sealed again on purpose; a file, a step and the way
# through a link. Those that are not installed are left out by name.
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/run/lib.sh
. "$here/lib.sh"
unset HDF5_EXT_PREFIX HDF5_USE_FILE_LOCKING

make_mixture mixture.h5
small_model mixture.h5 >small.yaml
train() { quietly mot train --quiet small.yaml data.file="$scratch/mixture.h5" eval.every=10 checkpoint.every=10 record.every=1 "$@"; }
train run=whole 'train.until=40 steps'
for until in 10 20 30; do train run=base "train.until=$until steps"; done # a segment each
samples=$((30 * 24))
wanted=$(value whole/summary.json digest)

# ---- readers: in the run folder; the sum of /layer0/load over the segments is the last word that they say ----

files() { ls run.h5 record/*.h5 checkpoints/*.h5; }

python_has() { "$PYTHON" -c "import $1" 2>/dev/null; }

has_h5py() { python_has h5py; }
h5py() {
    "$PYTHON" - $(files) <<'END'
import sys, h5py
total = 0
def read(name, item):
    global total
    for value in item.attrs.values(): pass
    if isinstance(item, h5py.Dataset):
        values = item[()]
        if name.endswith("layer0/load"): total += int(values.sum())
for mode, bounds in (("r+", None), ("a", None), ("r+", "latest")):
    total = 0
    for path in sys.argv[1:]:
        with h5py.File(path, mode, libver=bounds) as file:
            file.visititems(read)
            for group in file.values(): # visititems does not go through links
                if path == "run.h5" and isinstance(group, h5py.Group):
                    for linked in group.values(): linked.visititems(lambda name, item: item)
print(total)
END
}

has_pandas() { python_has pandas && python_has tables; }
pandas() {
    "$PYTHON" -W ignore - $(files) <<'END'
import sys, pandas, tables
for path in sys.argv[1:]:
    pandas.HDFStore(path).close() # opens with "a"
total = 0
for path in sys.argv[1:]:
    with tables.open_file(path, "a") as file:
        if "/layer0/load" in file: total += int(file.get_node("/layer0/load").read().sum())
print(total)
END
}

has_netcdf4() { python_has netCDF4; }
netcdf4() {
    "$PYTHON" - $(files) <<'END'
import sys, netCDF4
def read(group):
    total = 0
    for name, variable in group.variables.items():
        values = variable[...]
        if name == "load": total += int(values.sum())
    # Checkpoints hold texts of fixed length, which netCDF 4.9.0 does not read safely (docs/analysis.md).
    return total + sum(read(inner) for name, inner in group.groups.items() if name != "checkpoints")
total = sum(read(netCDF4.Dataset(path)) for path in sys.argv[1:] if path.startswith("record/"))
assert read(netCDF4.Dataset("run.h5")) == total, "run.h5 shows other loads than the segments"
print(total)
END
}

has_xarray() { python_has xarray && { python_has netCDF4 || python_has h5netcdf; }; }
xarray() {
    "$PYTHON" -W ignore - record/*.h5 <<'END'
import sys, xarray
total = 0
for path in sys.argv[1:]:
    for group in (None, "steps", "ranks", "layer0", "eval", "assign"):
        with xarray.open_dataset(path, group=group) as file:
            file.load()
            assert not [d for d in file.sizes if "phony" in d], (path, group, file.sizes)
            if group == "layer0":
                assert file["load"].dims == ("step", "expert") and "step" in file.coords
                total += int(file["load"].sum())
            if group is None: assert [str(name) for name in file["class_names"].values] == ["-1", "+1"]
print(total)
END
}

has_ncdump() { command -v ncdump >/dev/null; }
ncdump_() {
    local file
    for file in $(files); do ncdump -h "$file" >"$scratch/dumped" || return 1; done
    for file in record/*.h5; do
        ncdump "$file" >"$scratch/dumped" || return 1
        ncdump -v /layer0/load "$file" | sed -n '/load =/,/;/p' | tr -c '0-9\n' ' '
    done | awk '{ for (i = 1; i <= NF; ++i) sum += $i } END { print sum }'
}

has_nco() { command -v ncks >/dev/null && command -v ncwa >/dev/null; }
nco() {
    local file
    for file in $(files); do ncks --metadata "$file" >/dev/null || return 1; done
    for file in record/*.h5; do
        ncwa -O -y total -v /layer0/load "$file" "$scratch/total.nc" || return 1
        ncks --trd -H -C -v load "$scratch/total.nc" | sed -n 's/.*load *= *\([0-9]*\).*/\1/p'
    done | awk '{ sum += $1 } END { print sum }'
}

has_h5clear() { command -v h5clear >/dev/null; }
h5clear_() {
    local file
    for file in $(files); do
        h5clear -s "$file" && h5dump "$file" >/dev/null && h5stat "$file" >/dev/null && h5ls -r "$file" >/dev/null || return 1
    done
    for file in record/*.h5; do h5dump -y -d /layer0/load "$file" | sed -n '/^   DATA {/,/^   }/p; /^   }/q' | tr -c '0-9\n' ' '; done |
        awk '{ for (i = 1; i <= NF; ++i) sum += $i } END { print sum }'
}

has_octave() { command -v octave-cli >/dev/null; }
octave() {
    octave-cli --quiet --eval 'f = glob("record/*.h5"); n = 0; for i = 1:numel(f), x = load(f{i}, "layer0", "steps", "ranks", "eval", "assign");
        n = n + sum(double(x.layer0.load(:))); end; printf("%d\n", n);' 2>/dev/null
}

has_rhdf5() { command -v Rscript >/dev/null && Rscript -e 'library(rhdf5)' >/dev/null 2>&1; }
rhdf5() { # H5Fopen opens for writing
    Rscript -e 'library(rhdf5); n <- 0; for (f in commandArgs(TRUE)) { id <- H5Fopen(f); x <- h5dump(id); H5Fclose(id);
        if (!is.null(x$layer0)) n <- n + sum(x$layer0$load) }; cat(n, "\n")' $(files) 2>/dev/null
}

has_hdf5r() { command -v Rscript >/dev/null && Rscript -e 'library(hdf5r)' >/dev/null 2>&1; }
hdf5r() { # the mode that it opens with when none is said
    Rscript -e 'suppressMessages(library(hdf5r)); n <- 0; for (f in commandArgs(TRUE)) { h <- H5File$new(f, mode = "a");
        for (d in list.datasets(h)) { v <- h[[d]]$read(); if (d == "layer0/load") n <- n + sum(v) }; h$close_all() };
        cat(n, "\n")' $(files) 2>/dev/null
}

has_gdal() { command -v gdalinfo >/dev/null; }
gdal() {
    local file
    for file in $(files); do gdalinfo "$file" >/dev/null || return 1; done
    for file in record/*.h5; do
        gdalinfo -mm --config GDAL_PAM_ENABLED NO "HDF5:\"$file\"://layer0/load" >/dev/null || return 1
        gdal_translate -q -of XYZ "HDF5:\"$file\"://layer0/load" /vsistdout/
    done | awk '{ sum += $3 } END { print sum }'
}

tried=
for reader in h5py pandas netcdf4 xarray ncdump_ nco h5clear_ octave rhdf5 hdf5r gdal; do
    "has_${reader%_}" || { echo "left out: ${reader%_} is not installed"; continue; }
    tried+=" ${reader%_}"
    rm -rf used
    cp -r base used
    (cd used && "$reader" >"$scratch/said" 2>"$scratch/err") || fail "${reader%_}: exit code $?: $(tail -n 3 err)"
    read -r found < <(tail -n 1 said)
    [ "$found" = $samples ] || fail "${reader%_}: loads of $found samples, expected $samples: $(tail -n 3 err)"
    for file in $(cd base && files); do
        cmp "base/$file" "used/$file" || fail "${reader%_} changed $file"
    done
    quietly mot inspect --verify used
    train run=used 'train.until=40 steps'
    [ "$(value used/summary.json digest)" = "$wanted" ] || fail "after ${reader%_} the run ends with another digest"
done
[ -n "$tried" ] || { echo "skipped: none of the readers is installed"; exit 77; }
echo "tried:$tried"

# ---- a file that was changed ----

if has_h5py; then
    change() { "$PYTHON" -c "import h5py; f = h5py.File('$1', 'r+'); $2"; }
    refused() { # FILE WORDS
        mot inspect --verify "$1" >said 2>err && fail "$1 was changed, and is right"
        grep -q -- "$2" err || fail "$1 was changed: $(cat err)"
    }
    seal() {
        mot inspect --reseal "$1" >said || fail "mot inspect --reseal $1: exit code $?"
        quietly mot inspect --verify "$1"
        mot inspect --reseal "$1" | grep -q 'nothing to do' || fail "$1: sealed twice"
    }
    rm -rf used
    cp -r base used
    segment=used/record/00000011-00000020.h5 checkpoint=used/checkpoints/step-00000030.h5
    change $segment "f.attrs['note'] = 'mine'"
    refused $segment 'mot inspect --reseal'
    seal $segment
    change $segment "f['steps/loss'][0] = 1"
    refused $segment 'mot inspect --reseal'
    seal $segment
    change used/run.h5 "del f['segments/00000011-00000020']"
    quietly mot inspect --reseal used/run.h5
    refused used/run.h5 'no segment of the record has step 11'
    cp $checkpoint expert.h5
    change expert.h5 "f['experts/head/head_weight'][2, 1] = 5"
    refused expert.h5 'tensor /experts/head/head_weight of expert 2 has checksum'
    seal expert.h5
    change $checkpoint "f['gate/weight'][...] *= 2"
    refused $checkpoint 'tensor /gate/weight has checksum'
    cp -r used damaged
    train run=damaged 'train.until=40 steps'
    [ "$(value damaged/summary.json digest)" = "$wanted" ] || fail "a changed checkpoint was not done without"
    seal $checkpoint
    change $checkpoint "f.attrs['note'] = 'mine'"
    refused $checkpoint 'mot inspect --reseal'
    seal $checkpoint
    train run=used 'train.until=40 steps'
    [ "$(value used/summary.json digest)" != "$wanted" ] || fail "a checkpoint that was changed and sealed was not used"
    change $checkpoint "f['gate/weight'][0] = float('nan')"
    cp $checkpoint before
    mot inspect --reseal $checkpoint >said 2>err && fail "a checkpoint with nan was sealed"
    grep -q 'is left as it is' err || fail "a checkpoint with nan: $(cat err)"
    cmp before $checkpoint || fail "a checkpoint that cannot be sealed was changed"
    cp mixture.h5 edited.h5
    change edited.h5 "f['train/x'][3] = 0"
    refused edited.h5 'sample 3 has checksum'
    seal edited.h5
    { printf 'a\t'; yes word | head -n 60000 | tr '\n' ' '; echo; for i in 1 2 3 4 5 6 7; do printf 'a\tfew\nb\tmore of %d words\n' $i; done; } >long.tsv
    quietly mot data import text --train long.tsv --out long.h5 --length 60000
    change long.h5 "del f['train/first']"
    rc=0
    mot inspect --reseal long.h5 >said 2>err || rc=$?
    [ $rc -eq 2 ] || fail "texts without their places were sealed, or it was no user's file: exit code $rc"
    grep -q "long.h5 is left as it is: /train/sample_xxh3 has not as many checksums" err || fail "texts without their places: $(cat err)"
    "$PYTHON" -c "import h5py; h5py.File('foreign.h5', 'w').attrs['x'] = 1"
    mot inspect --reseal foreign.h5 >said 2>err && fail "a file of others was sealed"
    grep -q 'mot did not write this file' err || fail "a file of others: $(cat err)"
fi

# ---- what is missing, and where a link leads ----

rm -rf used
cp -r base used
rm used/record/00000011-00000020.h5
mot inspect --verify used >said 2>err && fail "a segment is missing, and all is right"
grep -q '1 of the files that it links to is missing, first of all record/00000011-00000020.h5' err || fail "a missing segment: $(cat err)"
rm -rf used
cp -r base used
rm used/checkpoints/step-00000020.h5
mot inspect --verify used >said 2>err && fail "a checkpoint is missing, and all is right"

mkdir -p elsewhere
ln -s ../base/run.h5 elsewhere/run.h5
(cd whole && quietly mot inspect --verify ../elsewhere/run.h5) || fail "through a link, from another run's folder"
cp base/run.h5 whole/theirs.h5
mot inspect --verify whole/theirs.h5 >said 2>err && fail "the files of another run are right"
grep -q 'of another run' err || fail "the files of another run: $(cat err)"
finish
