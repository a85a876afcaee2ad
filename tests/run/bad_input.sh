#!/bin/bash
# Promise 6: a mistake ends with exit code 2 and exactly one sentence, which names what, where and what was expected;
# nothing is written, and no number of ranks makes it hang.
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/run/lib.sh
. "$here/lib.sh"

mkdir work
cd work || exit 1
kinds=0

# shellcheck disable=SC2317 # called below
listing() { find . -printf '%p %y %s %T@\n' | LC_ALL=C sort; }

# check NAME PATTERN RANKS ARGUMENT...: mot ARGUMENT... on RANKS ranks (0: without mpirun) is refused with one sentence
# that the extended regular expression PATTERN matches; in the background, on the files as they are now.
check() { side_by_side refused "$@"; }

# shellcheck disable=SC2317 # called by side_by_side
refused() {
    local name="$1 ($3 ranks)" pattern=$2 ranks=$3 err=$PWD.err code before after sentences lines
    shift 3
    before=$(listing)
    if [ "$ranks" -eq 0 ]; then mot "$@" >"$PWD.out" 2>"$err"; else mot_on "$ranks" "$@" >"$PWD.out" 2>"$err"; fi
    code=$?
    after=$(listing)
    sentences=$(grep -c '^mot: error: ' "$err") # a warning of the launch may stand before it
    lines=$(wc -l <"$err")
    if [ "$code" -eq 124 ] || [ "$code" -eq 137 ]; then
        fail "$name: hangs"
    elif [ "$code" -ne 2 ]; then
        fail "$name: exit code $code, expected 2"
        tail -n 5 "$err"
    elif [ "$sentences" -ne 1 ] || { [ "$ranks" -eq 0 ] && [ "$lines" -ne 1 ]; }; then
        fail "$name: $sentences sentences in $lines lines, expected one"
        head -n 5 "$err"
    elif ! grep -Eq "^mot: error: .*($pattern)" "$err"; then
        fail "$name: expected '$pattern', got:"
        grep '^mot: ' "$err"
    fi
    if [ "$before" != "$after" ]; then
        fail "$name: files changed:"
        diff <(echo "$before") <(echo "$after")
    fi
    [ -z "${MOT_TEST_SHOW:-}" ] || [ "$ranks" -gt 0 ] || grep '^mot: ' "$err"
}

# alone NAME PATTERN ARGUMENT...: for one process.
alone() {
    kinds=$((kinds + 1))
    check "$1" "$2" 0 "${@:3}"
}

# job NAME PATTERN ARGUMENT...: train and eval, on 1 rank, and each third one (where launches are slow, each twelfth) on 2
# or 3 as well: a launch that fails takes mpirun more than a second.
every=${MOT_TEST_SHORT:+12}
every=${every:-3}
job() {
    alone "$@"
    [ $((kinds % every)) -eq 1 ] || return
    check "$1" "$2" $((2 + kinds / every % 2)) "${@:3}"
}

# config NAME PATTERN: trains the YAML from standard input. The sentence must name the file.
config() {
    cat >bad.yaml
    job "$1" "bad.yaml.*($2)" train bad.yaml
    rm bad.yaml
}

make_mixture good.h5
make_pictures pictures.h5
make_texts texts.h5
small_model good.h5 >good.yaml
small_model pictures.h5 >pictures.yaml
small_model texts.h5 >texts.yaml
echo "data: {source: random}" >configs-random.yaml
echo "data: {source: stream, stream: {files: pictures.h5, tasks: 2}}" >stream.yaml
quietly mot_on 2 train --quiet good.yaml run=good checkpoint.every=10
newest=good/checkpoints/step-00000020.h5
[ -f $newest ] || { echo "no $newest"; exit 1; }

# ---- configurations ----

config "unknown key" ":2: unknown key 'model.widht'; closest is 'model.width'" <<<$'data: {file: good.h5}\nmodel: {widht: 32}'
config "unknown key of a stage" "unknown key 'stages.0.rat'; closest is 'stages.0.rate'" <<<$'data: {file: good.h5}\nstages: [{rat: 0.1}]'
config "wrong type" ":2: model.width = wide: expected an integer from 1" <<<$'data: {file: good.h5}\nmodel: {width: wide}'
config "below its bounds" "model.experts = 0: expected .* from 1 to 4096" <<<$'data: {file: good.h5}\nmodel: {experts: 0}'
config "above its bounds" "model.experts = 5000: expected .* from 1 to 4096" <<<$'data: {file: good.h5}\nmodel: {experts: 5000}'
config "fraction for a count" "train.batch = 1.5: expected an integer" <<<$'data: {file: good.h5}\ntrain: {batch: 1.5}'
config "not a number" "train.rate = nan: expected a number" <<<$'data: {file: good.h5}\ntrain: {rate: nan}'
config "infinite" "train.rate = inf: expected a number" <<<$'data: {file: good.h5}\ntrain: {rate: inf}'
config "more than 64 bits" "seed = .*: expected an integer" <<<$'data: {file: good.h5}\nseed: 99999999999999999999'
config "no such choice" "train.optimizer = adam: expected one of sgd" <<<$'data: {file: good.h5}\ntrain: {optimizer: adam}'
config "a map where a value belongs" ":2: .*train.rate" <<<$'data: {file: good.h5}\ntrain: {rate: {value: 1}}'
config "a value where a map belongs" ":2: .*model" <<<$'data: {file: good.h5}\nmodel: 3'
config "a list where a map belongs" "map" <<<'[1, 2]'
config "empty" "data.file is missing" </dev/null
config "no data.file" "data.file is missing" <<<'seed: 4'
config "a key twice" ":3: .*twice|:3: .*duplicate" <<<$'data: {file: good.h5}\nseed: 1\nseed: 2'
config "cut off" ":2|:3" <<<$'data: {file: good.h5}\nmodel: {width: 16,'
config "open quote" ":1|:2" <<<$'data: {file: "good.h5}'
config "a tab for indentation" ":2" <<<$'data:\n\tfile: good.h5'
config "an anchor" "anchor|alias" <<<$'data: &a {file: good.h5}\nmodel: *a'
config "not UTF-8" ":2: expected UTF-8" <<<$'data: {file: good.h5}\nrun: \xff\xfe'
config "stages are no list" "stages" <<<$'data: {file: good.h5}\nstages: 3'
config "no stages" "stages" <<<$'data: {file: good.h5}\nstages: []'
config "two stages of a name" "same name" <<<$'data: {file: good.h5}\nstages: [{name: a}, {name: a}]'
config "no such part" "expected a list of" <<<$'data: {file: good.h5}\nstages: [{train: [head, body]}]'
config "no such clause" "until = 5 minutes: expected" <<<$'data: {file: good.h5}\ntrain: {until: 5 minutes}'
config "a clause twice" "until" <<<$'data: {file: good.h5}\ntrain: {until: 5 steps or 6 steps}'
config "width and heads" "model.width = 15 is not divisible by model.heads = 2" <<<$'data: {file: good.h5}\nmodel: {width: 15, heads: 2}'
config "top_k above the experts" "route.top_k = 9 is more than model.experts = 4" <<<$'data: {file: good.h5}\nroute: {top_k: 9}'
config "chunks above the batch" "route.chunks = 99 is more than train.batch = 24" <<<$'data: {file: good.h5}\nroute: {chunks: 99}\ntrain: {batch: 24}'
config "placement: missing expert" "expert 2 of 4 stands in no row" <<<$'data: {file: good.h5}\nroute: {placement: "[[0,1],[3]]"}'
config "placement: expert twice" "expert 1 stands there twice" <<<$'data: {file: good.h5}\nroute: {placement: "[[0,1],[1,2,3]]"}'
config "placement: no such expert" "expert 4 outside \[0, 4\)" <<<$'data: {file: good.h5}\nroute: {placement: "[[0,1],[2,3,4]]"}'
config "placement: not a list" "route.placement = \[\[0,: expected even, or" <<<$'data: {file: good.h5}\nroute: {placement: "[[0,"}'
config "noise_end without noise_steps" "route.noise_end has no effect" <<<$'data: {file: good.h5}\nroute: {noise_end: 1, noise_steps: 0}'
stream() { # NAME PATTERN FILES KEYS
    config "$1" "$2" <<<"data: {source: stream, stream: {files: $3, $4}}"
}
config "a stream of nothing" "data.stream.files is missing" <<<'data: {source: stream}'
config "a stream and data.file" ":1: data.file has no effect while data.source is stream" <<<'data: {source: stream, file: good.h5}'
stream "a change that is none" ":1: data.stream.changes = \[turn 3\]: expected none or up to 4 changes" pictures.h5 "tasks: 2, changes: [turn 3]"
stream "a change out of its bounds" "data.stream.changes = labels 1.5: expected none or" pictures.h5 "tasks: 2, changes: labels 1.5"
job "more tasks than classes" "data.stream.tasks = 4: expected 3 at most, since there are so many classes" train stream.yaml data.stream.tasks=4
job "no number of tasks" "data.stream.tasks: expected the number of tasks that the 3 classes are dealt to" train stream.yaml data.stream.tasks=auto
job "data sets of two forms" "texts.h5 holds texts, pictures.h5 pictures of 8 x 8" train stream.yaml 'data.stream.files=[pictures.h5, texts.h5]'
job "a change of other samples" "data.stream.changes: rotate is for pictures, and the samples are texts" train stream.yaml data.stream.files=texts.h5 'data.stream.changes=rotate 3'
job "a stream by groups that are not there" "data.stream.split = group: pictures.h5 has no groups" train stream.yaml data.stream.split=group
job "groups of a stream in the labels' place" "data.target = group: the groups of a stream are its tasks" train stream.yaml data.target=group
job "a run folder that is a file" "run = good.h5: .* is not a folder" train good.yaml run=good.h5
job "a run folder below a file" "run = good.h5/run: .* is not a folder" train good.yaml run=good.h5/run
job "a run folder that cannot be made" "run = /proc/mot/run: cannot make the folder" train good.yaml run=/proc/mot/run
job "a missing configuration" "absent.yaml: .*(such file|exist)" train absent.yaml
job "a folder for a configuration" "cannot read good: it is not a regular file" train good
job "a data set for a configuration" "good.h5" train good.h5
head -c 2000000 /dev/zero | tr '\0' '#' >large.yaml
job "a large configuration" "large.yaml" train large.yaml
rm large.yaml

# What configuration and data say together.
job "no such data set" "cannot read absent.h5" train good.yaml run=new data.file=absent.h5
job "a schedule without an end" "stage 'train': .* schedule needs an end in steps or epochs, until = 'loss plateau 9'" \
    train good.yaml run=new train.schedule=cosine "train.until=loss plateau 9"
job "no such split" "split 'other'.*|'other'" train good.yaml run=new eval.split=other
job "patch that does not divide" "model.patch = 3: pictures of [0-9]+ x [0-9]+ pixels are divided by 1, 2" train pictures.yaml run=new model.patch=3
job "flat gate on texts" "gate.input.*flat|flat.*text" train texts.yaml run=new gate.input=flat
job "groups where there are none" "data.target = group: .*no groups" train pictures.yaml run=new data.target=group
kinds=$((kinds + 1))
for n in 2 3; do
    check "more rows of placement than ranks" "placement.*rank" $n train good.yaml run=new 'route.placement=[[0],[1],[2],[3]]'
done

# ---- arguments ----

job "an unknown key" "argument 1: unknown key 'model.widht'; closest is 'model.width'" train good.yaml model.widht=2
job "a key of another program" "argument 1: unknown key 'lr'; here it is 'train.rate'" train good.yaml lr=0.1
# As an option, what other programs take, and what there is not; nothing is claimed of what is like no key.
job "a key as an option" "unrecognized option '--lr': settings are KEY=VALUE without dashes; here it is 'train.rate' \(see" train good.yaml --lr 0.1
alone "a key as an option with its value" "unrecognized option '--epochs=3': .*; here it is 'train.until', as 6 epochs \(see" train --epochs=3 good.yaml
alone "a key as an option with one dash" "invalid option -- 'l': settings are KEY=VALUE without dashes; here it is 'train.rate'" train good.yaml -lr 0.1
alone "a key of ours as an option" "unrecognized option '--model.widht=3': .*; closest is 'model.width'" train good.yaml --model.widht=3
alone "an option for what there is not" "unrecognized option '--dropout': .*; mot has none: experts learn without dropout" eval good --dropout 0.1
alone "an option like no key" "unrecognized option '--fast' \(see mot train --help\)" train good.yaml --fast
alone "an option of a verb without keys" "unrecognized option '--lr' \(see mot inspect --help\)" inspect good --lr
job "a key without =" "argument 2: 'model.width': expected key=value" train good.yaml seed=2 model.width
mapfile -t many < <(yes seed=1 | head -n 300)
job "300 settings" "more than 256 settings" train good.yaml "${many[@]}"
job "a value of the wrong type" "argument 1: train.rate = fast: expected a number" train good.yaml train.rate=fast
job "a stage that is not there" "stages.3.rate: expected a stage from 0 to 0" train good.yaml stages.3.rate=1
job "an unknown option of train" "unrecognized option '--fast'" train --fast good.yaml
job "train without a configuration" "an argument is missing, expected CONFIG" train
job "eval without a run" "an argument is missing, expected RUN" eval
job "an option of train for eval" "unrecognized option" eval --dry-run good
alone "an unknown verb" "unknown verb 'fly'.*train, eval, predict, bench, study, sweep, compare, report, data, inspect, export, import-weights" fly
job "classes that are never grouped" "gate.kind = classes sends every sample to the first expert until a stage has ended with action: group" train good.yaml gate.kind=classes run=new
job "prototypes of no classes" "gate.prototypes has no effect with gate.kind = linear" train good.yaml gate.prototypes=2 run=new
job "groups of no classes" "action = group: it is of a gate that tells classes" train good.yaml train.action=group run=new
job "a run of random numbers" "data.source = random: there is nothing to learn from it" train configs-random.yaml run=new
job "a run of random numbers, from the command line" "there is nothing to learn from it" train good.yaml data.source=random run=new
job "a bench of no steps" "--steps '0': expected an integer from 1 to 1000000" bench --steps 0
job "a bench of many repeats" "--repeats '1001': expected an integer from 1 to 1000" bench --repeats 1001
job "a bench of a word" "--repeats 'many': expected an integer" bench --repeats many
job "an unknown option of bench" "unrecognized option '--fast'" bench --fast
job "a bench with an unknown key" "argument 1: unknown key 'model.widht'" bench model.widht=2
job "a bench of a missing configuration" "absent.yaml: .*(such file|exist)" bench absent.yaml
job "a bench of a missing data set" "cannot read absent.h5" bench good.yaml data.file=absent.h5
job "a bench whose figures go nowhere" "cannot write nowhere/b.json into the folder nowhere" bench --json nowhere/b.json
job "a comparison with nothing" "absent.json" bench --compare absent.json
job "a comparison with something else" "good/summary.json is not a file that mot bench --json wrote" bench --compare good/summary.json
job "an unknown study" "unknown study 'stars'.*claims, soft-routed, rehearsal and ablations" study stars runs/x
job "a study without a folder" "an argument is missing.*FOLDER" study claims
job "a study with an argument too many" "unexpected argument 'more'" study claims runs/x more
job "ablations without data" "no data set for the ablations in the folder 'nowhere'" study ablations runs/x --data nowhere
job "a page from trials that are not there" "is not done yet" study claims runs/x --quick --draw
alone "rehearsal that is neither a study nor a table" "rehearsal needs a FOLDER for a study, or settings" study rehearsal
alone "rehearsal that is both" "--gap makes a table, for which there is no FOLDER" study rehearsal runs/x --gap 1
alone "a table of rehearsal from trials" "--gap makes a table, for which there is no --draw" study rehearsal --gap 1 --draw
alone "settings of rehearsal for another study" "--tasks is of the study rehearsal alone" study claims runs/x --tasks 3
alone "a seed for another study" "--seed is of the study rehearsal alone" study claims runs/x --seed 3
job "rehearsal of too small a width" "needs samples . memory . 2 = 50 at least" study rehearsal --width 49
alone "rehearsal of one task" "one task has none before it" study rehearsal --tasks 1
alone "rehearsal by an unknown strategy" "--strategy is one of none, concurrent, sequential, hybrid, not 'both'" study rehearsal --strategy both
alone "similar by an unknown rule" "--similar is distance=D, .*, not 'near'" study rehearsal --similar near
alone "similar tasks without hybrid" "--similar is of hybrid rehearsal alone" study rehearsal --similar foresight --strategy none
alone "an order of nothing" "--order is of sequential and hybrid rehearsal" study rehearsal --order newest --strategy concurrent
alone "similar pairs beyond the tasks" "task 5 of 4" study rehearsal --similar pairs=5-1
alone "gaps that are none" "--gap is up to 64 numbers" study rehearsal --gap 0,-1
alone "foresight over many tasks" "foresight over 13 tasks: expected 12 at most" study rehearsal --tasks 13 --similar foresight
printf '1 0\n0 1 2\n' >truths.csv
job "truths of different lengths" "truths.csv:2: 3 numbers, the first truth has 2" study rehearsal --truths truths.csv
printf '1 0\n0 x\n' >truths.csv
alone "truths that are no numbers" "truths.csv:2: expected numbers" study rehearsal --truths truths.csv
alone "truths that are not there" "absent.csv" study rehearsal --truths absent.csv
alone "data without a part" "expected mot data import, join, make or show" data
alone "a data set larger than the disk" "huge.h5 would take [0-9.e+]+ GB, and the disk of the folder . has [0-9.e+]+ GB left" data make mixture --out huge.h5 --train 999999999999
alone "an unknown kind of import" "'pdf': expected .*idx, cifar" data import pdf
alone "an unknown kind of data" "expected mot data make mixture" data make cheese
alone "make without --out" "needs --out" data make mixture
alone "make with a bad number" "tokens.*'many'" data make mixture --out new.h5 --tokens many
alone "make of an unknown option" "unrecognized option" data make mixture --out new.h5 --sides 3
alone "make with an extra argument" "unexpected argument 'more'" data make mixture --out new.h5 more
alone "make of an existing file" "good.h5 exists" data make mixture --out good.h5
alone "import without files" "." data import idx --out new.h5
alone "import of a missing file" "absent.csv" data import csv --out new.h5 --train absent.csv --test absent.csv
printf '1,2,0\n1,x,1\n' >bad.csv
alone "import of a word in a table" "bad.csv:? ?(line )?2|bad.csv.*2" data import csv --out new.h5 --train bad.csv --test bad.csv
alone "inspect without a file" "which file or run folder" inspect
alone "inspect of a missing file" "absent" inspect absent
alone "inspect with a bad number" "." inspect -n many good.h5
alone "show of a missing file" "absent" data show absent.h5
kinds=$((kinds + 1))
for n in 2 3; do check "data under mpirun" "works in one process: run it without mpirun" $n data make mixture --out new.h5; done

# ---- data files ----

# data NAME PATTERN: with bad.h5 made by the caller.
data() {
    job "$1" "bad.h5.*($2)" train good.yaml run=new data.file=bad.h5
    rm -rf bad.h5
}

mkdir bad.h5 && data "a folder for a data set" "not a regular file"
echo "not HDF5" >bad.h5 && data "text for a data set" "not a mot data set .make one with .mot data import"
: >bad.h5 && data "an empty data set" "not a mot data set .make one with .mot data import"
head -c 3000 good.h5 >bad.h5 && data "a truncated data set" "not a complete data set"
cp $newest bad.h5 && data "a checkpoint for a data set" "not a mot data set"

flip() { # FILE OFFSET
    "$PYTHON" - "$@" <<'PY'
import sys
with open(sys.argv[1], "r+b") as f:
    f.seek(int(sys.argv[2]))
    byte = f.read(1)[0]
    f.seek(-1, 1)
    f.write(bytes([byte ^ 1]))
PY
}

# Whatever else may be wrong inside, and comes with a right mark, is a matter of tests/data/test_dataset.c.
size=$(stat -c %s good.h5)
cp good.h5 bad.h5 && flip bad.h5 9000 && data "a changed sample" "/train/x is damaged: sample [0-9]+ has checksum"
cp good.h5 bad.h5 && flip bad.h5 $((size - 2000)) && data "a damaged structure" "the data set is damaged, or another program changed it: its structure has checksum"
cp good.h5 bad.h5 && flip bad.h5 100 && data "a damaged head" "the data set is damaged"
if "$PYTHON" -c 'import h5py' 2>../err; then
    cp good.h5 bad.h5
    "$PYTHON" -c 'import h5py; h5py.File("bad.h5", "r+").attrs["title"] = "mine"'
    data "a data set that another program changed" "does not end with the mark"
else
    echo "skipped: a data set that another program changed, since $PYTHON has no h5py"
fi

# Each rank reads the file that it sees under the name.
mkdir here there
cp good.h5 here/set.h5
quietly mot data make mixture --out there/set.h5 --train 240 --test 60 --tokens 6 --width 8 --classes 4 --seed 7
kinds=$((kinds + 1))
# shellcheck disable=SC2016 # for the inner shell (a launch of two programs, 'A : B', crashes PRRTE 3.0.8)
timeout -k 5 "$LIMIT" "$MPIRUN" -n 2 bash -c 'case ${OMPI_COMM_WORLD_RANK:-${PMI_RANK:-}} in 0) cd here ;; *) cd there ;; esac; exec "$@"' \
    each "$MOT_BINARY" train ../good.yaml run=new data.file=set.h5 >../out 2>../err
code=$?
{ [ $code -eq 2 ] && grep -q 'data.file = set.h5 holds other samples on rank 1' ../err; } ||
    fail "ranks with different data: exit code $code: $(cat ../err)"
[ ! -e here/new ] || fail "ranks with different data: a run folder was made"

# ---- checkpoints ----

job "eval of nothing" "absent: no such run folder or checkpoint" eval absent
mkdir empty && job "eval of a folder without checkpoints" "empty: no checkpoint" eval empty
job "eval of a data set" "good.h5" eval good.h5
job "eval of a text" "good.yaml" eval good.yaml
job "eval of another model" "model.width|tensor|shape" eval good model.width=32
job "eval with other data" "absent.h5" eval good data.file=absent.h5
job "eval with an unknown key" "unknown key 'eval.slpit'; closest is 'eval.split'" eval good eval.slpit=val
size=$(stat -c %s $newest)
for cut in 0 100 $((size / 2)) $((size - 1)); do
    head -c "$cut" $newest >bad-step.h5
    job "eval of $cut bytes of a checkpoint" "bad-step.h5" eval bad-step.h5
done
for at in 9 $((size / 3)) $((size - 3)); do
    cp $newest bad-step.h5
    flip bad-step.h5 "$at"
    job "eval of a checkpoint with byte $at flipped" "bad-step.h5" eval bad-step.h5
done
rm bad-step.h5

job "resume with another width" "was trained with 'model.width: 16', now it is 'model.width: 32'.*another run folder" train good.yaml run=good model.width=32
job "resume with another seed" "was trained with 'seed: 1', now it is 'seed: 2'" train good.yaml run=good seed=2
job "resume with another warmup" "'train.warmup: 0', now it is 'train.warmup: 3'" train good.yaml run=good train.warmup=3
job "resume with another number of experts" "'model.experts: 4', now it is 'model.experts: 5'" train good.yaml run=good model.experts=5
cat good.yaml - >stages.yaml <<<'stages: [{name: a, until: 5 steps}, {name: b, until: 5 steps}]'
job "resume with other samples" "was trained with other samples .* than data.file = there/set.h5 holds" train good.yaml run=good data.file=there/set.h5
job "resume with other stages" "was trained with 1 stage, now there are 2" train stages.yaml run=good
cp -r good damaged
rm damaged/checkpoints/step-00000010.h5 # else the run would continue from it
flip damaged/checkpoints/step-00000020.h5 $((size - 100)) # in what is looked at before the folder is entered
job "resume from a damaged checkpoint" "damaged/checkpoints/step-00000020.h5" train good.yaml run=damaged

together
echo "$kinds kinds of bad input"
finish
