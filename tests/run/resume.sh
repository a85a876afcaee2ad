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
