#!/bin/bash
# Checkpoints of a run: a damaged newest one is named, set aside and done without; retention keeps the newest, every n-th
# and the best; cadence by the clock; and a disk that is full at every point of a run costs nothing but the time.
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/run/lib.sh
. "$here/lib.sh"

make_mixture mixture.h5
small_model mixture.h5 >small.yaml
more=(eval.every=10 checkpoint.every=10)
train() { mot_on "$1" train small.yaml "${more[@]}" "${@:2}"; }
digest() { value "$1/summary.json" digest; }

quietly train 1 run=whole 'train.until=60 steps'
wanted=$(digest whole)

# ---- the newest is damaged ----

quietly train 2 run=base 'train.until=40 steps'
newest=base/checkpoints/step-00000040.h5
bytes=$(stat -c %s $newest)

# spoil FILE BYTE: turns a byte round.
spoil() {
    local was
    was=$(od -An -tu1 -j "$2" -N 1 "$1")
    # shellcheck disable=SC2059 # the format is the byte
    printf "\\x$(printf %02x $((was ^ 255)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

places=(16 9000 $((bytes / 2)) $((bytes - 100)) $((bytes - 20)) cut empty) room=120
if [ -n "${MOT_TEST_SHORT:-}" ]; then places=(9000 $((bytes - 20)) cut) room=360; fi
n=1
for where in "${places[@]}"; do
    rm -rf hurt
    cp -r base hurt
    file=hurt/checkpoints/step-00000040.h5
    case $where in
    cut) truncate -s $((bytes - 1000)) $file ;;
    empty) : >$file ;;
    *) spoil $file "$where" ;;
    esac
    train $n --quiet run=hurt 'train.until=60 steps' >said 2>&1 || fail "damage at $where: exit code $? on $n ranks: $(cat said)"
    grep -q 'step-00000040.h5.*the checkpoint before is taken' said || fail "damage at $where is not said: $(cat said)"
    if grep -v '^mot: warning: ' said; then fail "damage at $where: --quiet says more than warnings"; fi
    [ -e $file.damaged ] || fail "damage at $where: nothing was set aside"
    [ "$(digest hurt)" = "$wanted" ] || fail "damage at $where: digest $(digest hurt), without it $wanted"
    n=$((n % 3 + 1))
done

rm -rf hurt
cp -r base hurt
for file in hurt/checkpoints/*.h5; do spoil "$file" 9000; done
train 2 run=hurt 'train.until=60 steps' >said 2>&1
code=$?
[ $code -eq 2 ] || fail "all checkpoints damaged: exit code $code"
grep -q 'no other checkpoint is sound' said || fail "all checkpoints damaged: $(cat said)"
[ -e $newest ] || fail "a checkpoint is gone"

# ---- a rate may change ----

for run in slower kept_rate; do cp -r base $run; done
quietly train 2 run=kept_rate 'train.until=60 steps'
quietly train 2 run=slower 'train.until=60 steps' train.rate=1e-5 train.gate_rate=1e-6
[ "$(digest kept_rate)" = "$wanted" ] || fail "the same rate: digest $(digest kept_rate), without a stop $wanted"
[ "$(digest slower)" != "$wanted" ] || fail "another rate from the checkpoint on changes nothing"

# ---- which stay ----

quietly train 2 run=kept 'train.until=100 steps' checkpoint.every=5 checkpoint.keep=2 checkpoint.keep_every=30 checkpoint.best=true
best=$(h5dump -a /progress/best_step kept/checkpoints/step-00000100.h5 | sed -n 's/.*(0): //p')
for step in 30 60 90 95 100 "$best"; do printf 'step-%08d.h5\n' "$step"; done | sort -u >expected
ls kept/checkpoints >found
diff expected found >said || fail "checkpoints that stay (best: $best): $(cat said)"

# By the clock: several in a short run, and the same bits.
quietly train 2 run=clock 'train.until=60 steps' checkpoint.every=0 checkpoint.interval=0.001s
[ "$(digest clock)" = "$wanted" ] || fail "checkpoints by the clock change the digest"
[ "$(find clock/checkpoints -name 'step-*.h5' | wc -l)" -ge 2 ] || fail "no checkpoints by the clock: $(ls clock/checkpoints)"
quietly train 2 run=waited 'train.until=60 steps' checkpoint.background=false
[ "$(digest waited)" = "$wanted" ] || fail "checkpoints in the foreground change the digest"

# A checkpoint a step: few segments, a short list; and the same bits from the midst of a segment.
quietly train 1 run=each 'train.until=60 steps' checkpoint.every=1 checkpoint.keep=0 record.every=1
segments() { find each/record -name '*.h5' | wc -l; }
[ "$(segments)" -le 5 ] || fail "60 checkpoints make these segments: $(ls each/record)"
mot inspect each >said 2>err || fail "mot inspect of 60 checkpoints: $(cat err)"
[ "$(wc -l <said)" -le 200 ] || fail "mot inspect of 60 checkpoints says $(wc -l <said) lines"
grep -q 'step-00000001.h5' said && grep -q 'step-00000060.h5' said || fail "mot inspect leaves out the first or the last: $(cat said)"
quietly mot inspect --verify each
for step in {34..60}; do rm each/checkpoints/step-000000"$step".h5; done
quietly train 2 run=each 'train.until=60 steps' checkpoint.every=1 checkpoint.keep=0 record.every=1
[ "$(digest each)" = "$wanted" ] || fail "from the midst of a segment: digest $(digest each), without a stop $wanted"
quietly mot inspect --verify each

# What a killed process left is gone after the next start.
touch base/run.h5.tmp.1 base/checkpoints/step-00000050.h5.tmp.12 base/record/00000041-00000050.h5.tmp.3
quietly train 2 run=base 'train.until=60 steps'
[ -z "$(find base -name '*.tmp.*')" ] || fail "leftovers stay: $(find base -name '*.tmp.*')"

# ---- run.h5 names a checkpoint before the next one is begun ----

"$MOT_BINARY" train small.yaml run=named train.until='1e9 steps' checkpoint.every=3000 record.every=0 >said 2>&1 &
job=$!
wait_for_step named 3000 $job || fail "named: no steps: $(cat said)"
while [ ! -e named/checkpoints/step-00003000.h5 ] && kill -0 $job 2>/dev/null; do sleep 0.02; done
wait_for_step named $(($(logged_step named) + 50)) $job
kill -s KILL $job
wait $job
"$PYTHON" -c 'import h5py; print(list(h5py.File("named/run.h5")["checkpoints"]))' >said 2>&1
grep -q step-00003000 said || fail "run.h5 names these checkpoints after step $(logged_step named): $(cat said)"

# ---- a full disk ----

mkdir disk
if mount -t tmpfs -o size=32k tmpfs disk 2>said; then
    trap 'umount "$scratch/disk"; rm -rf "$scratch"' EXIT
    kib=32 refused=0 n=1
    until train $n run=disk/run 'train.until=60 steps' >said 2>&1; do
        code=$?
        # 2 only where not even the folder could be made.
        [ $code -eq 1 ] || [ $code -eq 75 ] || { [ $code -eq 2 ] && [ ! -e disk/run/checkpoints ]; } ||
            fail "full disk of $kib KiB: exit code $code: $(cat said)"
        grep -q 'No space left on device' said || fail "full disk of $kib KiB: $(cat said)"
        for file in disk/run/checkpoints/*.h5; do
            [ ! -e "$file" ] || mot inspect --verify "$file" >said 2>&1 || fail "full disk of $kib KiB: $(cat said)"
        done
        [ $((++refused)) -lt 100 ] || break
        kib=$((kib + room)) n=$((n % 3 + 1))
        mount -o remount,size=${kib}k disk
    done
    [ "$(digest disk/run)" = "$wanted" ] || fail "after a full disk the digest is $(digest disk/run), without $wanted"
    [ $refused -ge $((room < 200 ? 10 : 4)) ] || fail "the disk was full $refused times only"
    [ -z "$(find disk -name '*.tmp.*')" ] || fail "leftovers stay: $(find disk -name '*.tmp.*')"
    echo "a disk that was full $refused times, at 32 to $kib KiB"
else
    echo "no small disk to fill: $(cat said)"
fi
finish
