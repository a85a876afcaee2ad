#!/bin/bash
# Promise 2: stop and resume equals never stopping, bit for bit: after a signal to one rank, after kill -9 of the whole
# job, again and again, on other numbers of ranks; the record and the log hold every step once; and `mot eval` repeats
# what summary.json says.
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/run/lib.sh
. "$here/lib.sh"

# shellcheck source=tests/run/staged.sh
. "$here/staged.sh"

# start RANKS RUN: in the background; the process is $job.
start() {
    "$MPIRUN" -n "$1" "$MOT_BINARY" train --quiet staged.yaml "run=$2" >"$2.said" 2>&1 &
    job=$!
}

# interrupt SIGNAL RANKS RUN STEP: a signal to one rank when STEP was seen; the job must end with 75.
interrupt() {
    local victim code
    start "$2" "$3"
    if ! wait_for_step "$3" "$4" "$job"; then
        wait "$job"
        echo "$3: over before step $4 was seen; nothing to interrupt"
        return
    fi
    victim=$(rank_of "$job" "$2")
    # Without a victim the rank has ended since; what stands in the folder may be looked at when the job has, too.
    [ -z "$victim" ] || kill -s "$1" "$victim" 2>/dev/null
    wait "$job"
    code=$?
    if [ $code -eq 0 ]; then
        echo "$3: was over when the signal came"
    elif [ $code -ne 75 ]; then
        fail "$3: exit code $code after SIG$1, expected 75"
        tail -n 5 "$3.said"
    else
        [ "$(value "$3/summary.json" status)" = stopped ] || fail "$3: summary.json does not say stopped"
        echo "$3: SIG$1 to one of $2 ranks stopped it after step $(value "$3/summary.json" steps)"
    fi
}

# end_of RANKS RUN: the same command until it is done.
end_of() {
    if ! mot_on "$1" train --quiet staged.yaml "run=$2" >"$2.said" 2>&1; then
        fail "$2: does not continue on $1 ranks"
        cat "$2.said"
    fi
}

# A signal to one rank, at a random moment, on other ranks each time.
interrupt USR1 3 one $((RANDOM % (total / 2) + 7))
end_of 2 one
same "SIGUSR1 on 3 ranks, continued on 2" one
[ "$(value one/summary.json restarts)" -le 1 ] || fail "one: restarts"

interrupt TERM 2 two $((RANDOM % 60 + 7))
interrupt USR2 1 two $((RANDOM % 60 + 90))
interrupt INT 3 two $((RANDOM % 60 + 170))
end_of 1 two
same "three signals on 2, 1 and 3 ranks, continued on 1" two

# The report has the ranks of all these jobs, and what they cost, as the record's segments say.
quietly mot report two --json two.json
if "$PYTHON" -c 'import h5py' 2>said; then
    "$PYTHON" - two two.json <<'PY' || fail "two: the report's cost by rank"
import glob, json, sys
import h5py
rows = []
for path in sorted(glob.glob(sys.argv[1] + "/record/*.h5")):
    with h5py.File(path) as f:
        if "ranks" in f: rows += zip(*(f["ranks/" + name][...] for name in ("step", "steps", "slowest", "compute", "exchange", "wait")))
cost = next(part for part in json.load(open(sys.argv[2]))["parts"] if part["id"] == "cost")
views = {view["id"]: view for view in cost["views"]}
ranks, steps = max(len(row[3]) for row in rows), sum(row[1] for row in rows)
assert ranks > 1 and "missing" not in cost, (ranks, rows, cost.get("missing"))
same = lambda got, wanted: abs(got - wanted) <= 1e-6 * abs(wanted) + 1e-12
for at, name in enumerate(("compute", "exchange", "wait")):
    view = views["cost-ranks-" + name]
    assert [int(step) for step in view["x"]["names"]] == [row[0] for row in rows] and len(view["frames"][0]["values"]) == ranks
    for rank, values in enumerate(view["frames"][0]["values"]):
        for value, row in zip(values, rows):
            assert value is None if rank >= len(row[3]) else same(value, row[3 + at][rank] / row[1]), (name, rank, row, value)
mean, slowest = sum(row[3].mean(dtype=float) for row in rows) / steps, sum(row[2] for row in rows) / steps
table = {row[0]: row[1] for row in views["cost-price-run"]["rows"]}
assert same(table["computation of the slowest rank"], slowest) and same(table["computation, mean of the ranks"], mean), (table, slowest, mean)
assert same(table["price of imbalance"], slowest - mean) or slowest - mean < 1e-6 * mean, (table, slowest - mean)
PY
fi

# kill -9 of the whole job after a checkpoint.
if [ -z "${MOT_TEST_SHORT:-}" ]; then
    for after in 20 150; do
        start 2 killed
        if wait_for_step killed $((after + RANDOM % 20)) $job; then
            ranks="$(rank_of $job 1) $(rank_of $job 2)"
            # shellcheck disable=SC2086 # two processes
            kill -s KILL $job $ranks 2>/dev/null
            wait $job 2>/dev/null
            for rank in $ranks; do while kill -0 "$rank" 2>/dev/null; do sleep 0.02; done; done
        fi
    done
    [ "$(value killed/summary.json status)" = running ] || fail "killed: summary.json says $(value killed/summary.json status)"
    saved=(killed/checkpoints/*.h5)
    echo "killed: ${saved[-1]} is the newest"
    end_of 3 killed
    same "kill -9 twice on 2 ranks, continued on 3" killed
fi

# Done is done: the same command once more changes nothing but the time.
for n in 1 2; do
    end_of $n one
    same "once more on $n ranks" one
done

# mot eval repeats the evaluation.
wanted=$(mot train staged.yaml run=whole 2>&1 | grep '^eval ')
[ -n "$wanted" ] || fail "train of a complete run does not evaluate"
for n in 1 2 3; do
    got=$(mot_on $n eval whole 2>said | grep '^eval ')
    [ "$got" = "$wanted" ] || fail "mot eval on $n ranks says '$got', the run '$wanted'"
done
saved=(whole/checkpoints/*.h5)
got=$(mot eval "${saved[-1]}" 2>&1 | grep '^eval ')
[ "$got" = "$wanted" ] || fail "mot eval of the checkpoint says '$got', the run '$wanted'"
loss=$(value whole/summary.json eval.loss)
grep -Eq "loss +$(printf '%.5f' "$loss") +acc +$(printf '%.4f' "$(value whole/summary.json eval.accuracy)")" <<<"$wanted" ||
    fail "mot eval says '$wanted', summary.json $loss"
[ "$(mot eval whole eval.split=val 2>&1 | grep -c "of 'val'")" -eq 1 ] || fail "mot eval does not take eval.split=val"
finish
