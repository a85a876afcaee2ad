# shellcheck shell=bash
# slurm_private.sh - sourced by the scripts of this folder that need a Slurm: starts one of their own, in one folder ($dir),
# with private keys and ports, nothing in /etc or /run, as root or anybody, and ends it with the script.
# It has $slurm_nodes virtual nodes (1) of eight processors, whatever the machine has; jobs of the partition `urgent` make
# those of `main` go back into the queue, after twenty seconds in which they may stop.
# No wait has a clock of its own: it ends with what is waited for, or when that cannot come any more. A hang is ended by
# LIMIT, and by ctest.
set -eu
skip() { echo "skipped: $*"; exit 77; }
PATH=$PATH:/usr/sbin:/sbin
for program in slurmctld slurmd munged sbatch; do
    command -v $program >/dev/null || skip "no $program (launch/setup.sh test installs Slurm)"
done
host=$(hostname -s)
getent hosts "$host" >/dev/null || skip "this machine's name does not resolve (add it to /etc/hosts)"

dir=$(mktemp -d "${TMPDIR:-/tmp}/mot-slurm.XXXXXX")
chmod 755 "$dir" # munge refuses a key under a folder that others may write
export SLURM_CONF=$dir/slurm.conf # without it a client looks for a server in the DNS
pids=()
stop() {
    local code=$? pid i
    trap - EXIT
    if [ ${#pids[@]} -gt 1 ]; then # jobs first: their steps outlive slurmd
        timeout 10 scancel --quiet --user="$(id -un)" 2>/dev/null || true
        for ((i = 0; i < 100; i++)); do
            [ -n "$(timeout 5 squeue -h 2>/dev/null)" ] || break
            sleep 0.1
        done
    fi
    for ((i = ${#pids[@]} - 1; i >= 0; i--)); do kill "${pids[i]}" 2>/dev/null || true; done
    for pid in "${pids[@]}"; do
        for ((i = 0; i < 50; i++)); do
            case $(cut -d' ' -f3 "/proc/$pid/stat" 2>/dev/null) in '' | Z) break ;; esac
            sleep 0.1
        done
    done
    rm -rf "$dir"
    exit $code
}
trap stop EXIT
trap 'exit 1' INT TERM

slurm_nodes=${slurm_nodes:-1}
# Ports that nobody listens at, below those that Linux gives away; drawn, so that two that start together differ.
free_ports() { # FIRST COUNT
    local i
    for ((i = $1; i < $1 + $2; i++)); do
        if (exec 3<>"/dev/tcp/127.0.0.1/$i") 2>/dev/null; then return 1; fi
    done
}
until port=$((20000 + RANDOM % 1500 * 8)) && free_ports $port $((1 + slurm_nodes)); do :; done
LIMIT=${MOT_TEST_LIMIT:-600}
(umask 077; head -c 128 /dev/urandom >"$dir/munge.key")
mkdir "$dir/state" "$dir/tmp"
munged --key-file="$dir/munge.key" --socket="$dir/munge.socket" --pid-file="$dir/munged.pid" \
    --log-file="$dir/munged.log" --seed-file="$dir/munge.seed" --origin=lo
pids+=("$(cat "$dir/munged.pid")")
# KillWait and the scheduler's intervals make it quick. One node bears the name of the machine, and mpirun starts the ranks
# there itself; on others it does so by a daemon. Nodes of one machine collide in their shared memory: TCP between ranks.
if [ "$slurm_nodes" -eq 1 ]; then
    names=("$host")
else
    for ((i = 1; i <= slurm_nodes; i++)); do names+=("n$i"); done
    export OMPI_MCA_btl=self,tcp
fi
cat >"$SLURM_CONF" <<CONF
ClusterName=mot
SlurmctldHost=$host(localhost)
SlurmctldPort=$port
SlurmUser=$(id -un)
SlurmdUser=$(id -un)
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket=$dir/munge.socket
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool.%n
TmpFS=$dir/tmp.%n
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd.%n.pid
SlurmctldLogFile=$dir/slurmctld.log
SlurmdLogFile=$dir/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SchedulerParameters=batch_sched_delay=0,sched_interval=1,sched_min_interval=0,bf_interval=1
ReturnToService=2
SlurmdParameters=config_overrides
KillWait=3
MinJobAge=3600
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP PriorityTier=1 GraceTime=20
PartitionName=urgent Nodes=ALL MaxTime=INFINITE State=UP PriorityTier=2
CONF
for ((i = 0; i < slurm_nodes; i++)); do
    echo "NodeName=${names[i]} NodeHostname=$host NodeAddr=localhost Port=$((port + 1 + i)) CPUs=8 RealMemory=4000 State=UNKNOWN"
done >>"$SLURM_CONF"
echo CgroupPlugin=cgroup/v1 >"$dir/cgroup.conf" # used by nothing here, but without it slurmd looks for a mounted cgroup tree
# until_true COMMAND...: waits for it; after LIMIT seconds that is a hang.
until_true() {
    local end=$((SECONDS + LIMIT))
    until "$@"; do
        if [ $SECONDS -ge $end ]; then
            echo "not so after $LIMIT s: $*"
            exit 1
        fi
        sleep 0.1
    done
}
started() { # PIDFILE: the daemon that writes it
    until_true test -s "$1"
    pids+=("$(cat "$1")")
}
all_idle() { [ "$(sinfo -h -t idle -o %D -p main 2>/dev/null)" = "$slurm_nodes" ]; }
slurmctld -i
started "$dir/slurmctld.pid"
for name in "${names[@]}"; do
    mkdir "$dir/spool.$name" "$dir/tmp.$name"
    slurmd -N "$name" </dev/null
    started "$dir/slurmd.$name.pid"
done
until_true all_idle

# Eight cores that mostly are two, under everything else that runs here: unbound, yielding, loopback only.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 MOT_BIND=none OMPI_MCA_mpi_yield_when_idle=1
export OMPI_MCA_oob_tcp_if_include=lo OMPI_MCA_btl_tcp_if_include=lo
export MOT_BINARY=${MOT_BINARY:-$MOT_SOURCE_DIR/build/bin/mot}

# A small mixture and a model that trains in seconds.
"$MOT_BINARY" data make mixture --out "$dir/mixture.h5" --classes 4 --train 512 --test 64 >"$dir/make.out" 2>&1 || {
    cat "$dir/make.out"
    exit 1
}
cat >"$dir/tiny.yaml" <<YAML
data: {file: $dir/mixture.h5}
model: {experts: 4, width: 16, heads: 2, depth: 1, ffn: 32}
train: {batch: 32, loss: logistic}
record: {every: 0}
report: {every: 10}
YAML

field() { # JOB FIELD; of an array's element (JOB_ELEMENT) its own
    scontrol -o show job "$1" | tr ' ' '\n' | sed -n "s|^$2=||p"
}
# until_field JOB FIELD VALUE OUTPUT: until it is so; a job that has ended otherwise never will.
until_field() {
    local state end=$((SECONDS + LIMIT))
    until [ "$(field "$1" "$2")" = "$3" ]; do
        state=$(field "$1" JobState)
        case $state in
        BOOT_FAIL | CANCELLED | DEADLINE | FAILED | NODE_FAIL | OUT_OF_MEMORY | PREEMPTED | TIMEOUT | COMPLETED)
            [ "$(field "$1" "$2")" = "$3" ] || break
            ;;
        esac
        [ $SECONDS -lt $end ] || break
        sleep 0.1
    done
    [ "$(field "$1" "$2")" = "$3" ] || {
        echo "job $1: $2 is $(field "$1" "$2"), not $3 ($(field "$1" JobState)); its output:"
        cat "$4"
        exit 1
    }
}
summary() { sed -nE "s/.*\"$1\": *\"?([^\",}]+).*/\1/p" "$2/summary.json" | head -n 1; } # KEY RUN
# completed JOB RUN OUTPUT
completed() {
    until_field "$1" JobState COMPLETED "$3"
    if [ "$(summary status "$2")" != "done" ]; then
        echo "$2: summary.json says $(summary status "$2"), not done; the job's output:"
        cat "$3"
        exit 1
    fi
}
same_digest() { # RUN RUN
    if [ -z "$(summary digest "$1")" ] || [ "$(summary digest "$1")" != "$(summary digest "$2")" ]; then
        echo "$1 and $2 differ"
        exit 1
    fi
}
# steps_are_made JOB RUN OUTPUT: while the job runs, a line is in the run's log.
steps_are_made() {
    until [ -s "$2/log.jsonl" ]; do
        case $(field "$1" JobState) in
        PENDING | RUNNING | CONFIGURING) ;;
        *)
            echo "job $1 makes no steps:"
            cat "$3"
            exit 1
            ;;
        esac
        sleep 0.1
    done
}
# goes_on JOB RUN OUTPUT: it goes back into the queue, and from there to its end; fails when it had been done before.
goes_on() {
    until_true has_left "$1"
    if [ "$(field "$1" JobState)" = COMPLETED ] && [ "$(field "$1" Restarts)" = 0 ]; then return 1; fi
    until_field "$1" Restarts 1 "$3"
    until_field "$1" JobState PENDING "$3"
    # Started before its old steps are gone it would drain the node, hence Slurm's own wait of two minutes.
    until_true no_steps "$1"
    sleep 1.1 # slurmd takes a start in the second in which it revoked the last one for that one ("already killed")
    scontrol update jobid="$1" StartTime=now
    completed "$1" "$2" "$3"
}
has_left() { [ "$(field "$1" JobState)" != RUNNING ]; }
no_steps() { ! pgrep -f "slurmstepd: \[$(field "$1" JobId)\." >/dev/null; } # of an element's own number
