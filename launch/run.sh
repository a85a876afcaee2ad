#!/bin/bash
# run.sh - trains under mpirun, sees to it that the job ends when it should, and starts it again after a fault.
# usage: launch/run.sh [-n RANKS] [--restarts N] CONFIG [key=value...]
#   -n          ranks on this machine (2)
#   --restarts  start again up to N times (0) after a fault: any exit code but 0 (done), 2 (a mistake of the user's) and
#               75 (stopped on request). The same command goes on from the newest checkpoint. It waits 1, 2, 4, ... up to
#               60 seconds before; a start that lasted ten minutes begins anew at 1.
# Signals: TERM, INT, USR1 and USR2 ask the job to stop with a checkpoint (mpirun itself answers TERM by ending its ranks
# within two seconds, and passes on USR1 alone); another one, two seconds after it or later, ends it at once.
# Its exit code is that of the job, 0 and 75 by what summary.json says; but 205, as of an mpirun that lost a host, where a
# rank was stuck (watch.abort) or mpirun had to be killed.
# MOT_MPIRUN: what to put in front of mot in place of mpirun for this machine, for example
#       MOT_MPIRUN="mpirun --hostfile hosts -n 16 --bind-to core" launch/run.sh --restarts 5 CONFIG
# MOT_BINARY: the program (build/bin/mot). MOT_GRACE: seconds that mpirun has to end after its job has (10).
set -u
# shellcheck source=launch/common.sh
. "$(dirname "$0")/common.sh"

ranks=2 restarts=0
while [ $# -gt 0 ]; do
    case $1 in
    -n)
        ranks=${2-}
        check_ranks "$ranks"
        ;;
    --restarts)
        restarts=${2-}
        case $restarts in '' | *[!0-9]*) fail "--restarts takes a number, not '$restarts'" ;; esac
        ;;
    -*) fail "there is no option $1: $(sed -n 's/^# usage: //p' "$0")" ;;
    *) break ;;
    esac
    shift 2
done
[ $# -gt 0 ] || fail "a configuration is missing: $(sed -n 's/^# usage: //p' "$0")"
mot=${MOT_BINARY:-$build/bin/mot} grace=${MOT_GRACE:-10}
[ -x "$mot" ] || fail "no $mot: build first: cmake -B build && cmake --build build -j"
if [ -n "${MOT_MPIRUN:-}" ]; then
    read -ra command <<<"$MOT_MPIRUN"
else
    mot_launch "$ranks" "$mot"
    command=("${mot_launch[@]}")
fi

folder=$(mot_run_folder "$1")
for argument in "${@:2}"; do
    case $argument in run=*) folder=${argument#run=} ;; esac
done

scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
said=$scratch/said stuck=$scratch/stuck

# Of what the job says, that a rank was stuck.
# shellcheck disable=SC2317 # called by mot_listen
hear() {
    case $1 in *'the job ends (watch.abort)'*) : >"$stuck" ;; esac
}

# What changes with each summary that mot writes, and every 5 seconds while its first rank is there.
written() { stat -c '%i %y' "$folder/summary.json" 2>/dev/null; }
sign_of_life() { stat -c '%i %y' "$folder/lock" 2>/dev/null; }

# status: running, done, stopped or failed; nothing before this start has written it.
status() {
    if [ "$(written)" != "$before" ]; then sed -nE 's/^\{"status": "([a-z]+)".*/\1/p' "$folder/summary.json" 2>/dev/null; fi
}

# ranks_here: how many processes below mpirun run the program.
ranks_here() {
    cat /proc/[0-9]*/stat 2>/dev/null | awk -v job="$job" -v program="$(basename "$mot" | cut -c-15)" '
        {
            match($0, /\)[^)]*$/) # of the name, which may hold anything
            name = substr($0, index($0, "(") + 1, RSTART - index($0, "(") - 1)
            split(substr($0, RSTART + 2), field, " ") # state, parent, ...
            parent[$1] = field[2]
            if (name == program && field[1] != "Z") ranks[$1]
        }
        END {
            for (rank in ranks) {
                for (at = rank; at in parent && at != job;) at = parent[at]
                count += at == job
            }
            print count + 0
        }'
}

# first_rank_gone: whether it ran on this host and is no longer there: it may end before it was seen.
first_rank_gone() {
    local process
    [ "$(status)" = running ] && grep -qx "host $(uname -n)" "$folder/lock" 2>/dev/null || return 1
    process=$(sed -n 's/^process //p' "$folder/lock")
    [ -n "$process" ] && ! kill -0 "$process" 2>/dev/null
}

# over: whether nothing is left of the job but mpirun. A daemon of mpirun's that hangs, on a host that is frozen or cut
# off, never says that its ranks have ended, and mpirun waits for it for ever; and it may hang by itself at its end when a
# rank was killed while it started (PMIx 4.2.2). What mpirun says of that differs from one to the other, so it is not asked.
over() {
    local sign
    [ ! -e "$stuck" ] || return 0
    case $(status) in done | stopped | failed) return 0 ;; esac
    if [ "$(ranks_here)" -gt 0 ]; then
        began_here=yes
    elif [ $began_here = yes ] || first_rank_gone; then
        return 0
    fi
    sign=$(sign_of_life)
    if [ "$sign" != "$last_sign" ]; then last_sign=$sign signed_at=$SECONDS; fi
    [ -n "$sign" ] && [ $((SECONDS - signed_at)) -ge 60 ] # longer than a file server shows what was
}

asked=no asked_at=0
# shellcheck disable=SC2317 # called by the trap
ask() {
    if [ "$asked" = no ]; then
        asked=yes asked_at=$SECONDS
        kill -USR1 "$job" 2>/dev/null
    elif [ $((SECONDS - asked_at)) -ge 2 ]; then # not what was sent to this script and to its parent
        kill -KILL -- "-$job" 2>/dev/null
    fi
}
trap ask TERM INT USR1 USR2

# One start; its exit code. A group of its own: a signal from the terminal reaches this script alone.
start() {
    local before began_here=no last_sign='' signed_at=$SECONDS alive_at=$SECONDS looked_at=$SECONDS code killed=no listener i
    before=$(written)
    rm -f "$stuck" "$said"
    mkfifo "$said"
    mot_listen hear <"$said" >&2 &
    listener=$!
    setsid "${command[@]}" "$mot" train "$@" 2>"$said" &
    job=$!
    while kill -0 "$job" 2>/dev/null; do
        sleep 0.2 &
        wait $! 2>/dev/null # which a signal ends at once
        # Once a second; more often before the first rank is seen, which may be killed soon.
        if [ "$looked_at" = "$SECONDS" ] && [ "$began_here$(status)" != no ]; then continue; fi
        looked_at=$SECONDS
        if ! over; then
            alive_at=$SECONDS
        elif [ $killed = no ] && [ $((SECONDS - alive_at)) -ge "$grace" ]; then
            killed=yes
            echo "run.sh: ${command[0]} did not end within $grace s after the job had: killed" >&2
            kill -KILL -- "-$job" 2>/dev/null
        fi
    done
    wait "$job"
    code=$?
    for ((i = 0; i < 10; ++i)); do # its last words; a process on a frozen host may hold the pipe open
        kill -0 "$listener" 2>/dev/null || break
        sleep 0.1
    done
    case $(status) in
    done) code=0 ;;
    stopped) code=75 ;;
    *)
        if [ $killed = yes ] || [ -e "$stuck" ]; then
            code=205
        elif [ $code -eq 0 ] && [ -n "$(status)" ]; then
            code=1 # of a launcher that does not tell
        fi
        ;;
    esac
    return $code
}

pause=1
for ((restart = 0; ; ++restart)); do
    began=$SECONDS
    start "$@"
    code=$?
    case $code in 0 | 2 | 75) break ;; esac
    if [ "$asked" = yes ] || [ "$restart" -ge "$restarts" ]; then break; fi
    if [ $((SECONDS - began)) -ge 600 ]; then pause=1; fi
    echo "run.sh: exit code $code: restart $((restart + 1)) of $restarts in $pause s" >&2
    sleep "$pause" &
    wait $! 2>/dev/null
    if [ "$asked" = yes ]; then break; fi
    pause=$((pause < 30 ? 2 * pause : 60))
done
exit "$code"
