#!/bin/bash
# launch/slurm.sbatch in a real Slurm: both ways of starting ranks train to the end; a job that is warned of its time
# limit stops, goes back into the queue and finishes in its second start, on the same bits as one that never stopped; and
# so does one with a rank that is frozen.
# The Slurm is this test's own: one folder, private keys and ports, nothing in /etc or /run, as root or anybody.
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

port=$((20000 + $$ % 20000 / 4 * 4))
(umask 077; head -c 128 /dev/urandom >"$dir/munge.key")
mkdir "$dir/state" "$dir/spool" "$dir/tmp"
munged --key-file="$dir/munge.key" --socket="$dir/munge.socket" --pid-file="$dir/munged.pid" \
    --log-file="$dir/munged.log" --seed-file="$dir/munge.seed" --origin=lo
pids+=("$(cat "$dir/munged.pid")")
# CPUs=2 whatever the machine has: the job below asks for two. KillWait and the scheduler's intervals make it quick.
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
SlurmdSpoolDir=$dir/spool
TmpFS=$dir/tmp
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd.pid
SlurmctldLogFile=$dir/slurmctld.log
SlurmdLogFile=$dir/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=batch_sched_delay=0,sched_interval=1,sched_min_interval=0,bf_interval=1
ReturnToService=2
SlurmdParameters=config_overrides
KillWait=3
MinJobAge=3600
NodeName=$host NodeAddr=localhost Port=$((port + 1)) CPUs=2 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONF
echo CgroupPlugin=cgroup/v1 >"$dir/cgroup.conf" # used by nothing here, but without it slurmd looks for a mounted cgroup tree
started() { # PIDFILE: the daemon that writes it
    for ((t = 0; t < 100; t++)); do
        if [ -s "$1" ]; then pids+=("$(cat "$1")"); return; fi
        sleep 0.1
    done
    echo "no $1:"; tail -n 20 "$dir"/slurm*.log
    exit 1
}
slurmctld -i
started "$dir/slurmctld.pid"
slurmd -N "$host" </dev/null
started "$dir/slurmd.pid"
for ((t = 0; t < 200; t++)); do
    [ "$(sinfo -h -t idle -o %D 2>/dev/null)" = 1 ] && break
    sleep 0.1
done

# Two cores under everything else that runs here: unbound, yielding, loopback only.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 MOT_BIND=none OMPI_MCA_mpi_yield_when_idle=1
export OMPI_MCA_oob_tcp_if_include=lo OMPI_MCA_btl_tcp_if_include=lo
export MOT_BINARY=${MOT_BINARY:-$MOT_SOURCE_DIR/build/bin/mot}
cd "$MOT_SOURCE_DIR"

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
steps=200

submit() { # LAUNCH NAME SETTING...: prints the job's number
    sbatch --parsable --export="ALL,MOT_LAUNCH=$1" --output="$dir/$2.out" \
        launch/slurm.sbatch "$dir/tiny.yaml" "run=$dir/$2" "train.until=$steps steps" "${@:3}"
}
field() { scontrol -o show job "$1" | tr ' ' '\n' | sed -n "s/^$2=//p"; }
until_field() { # JOB NAME FIELD VALUE SECONDS
    local t
    for ((t = 0; t < $5 * 10; t++)); do
        if [ "$(field "$1" "$3")" = "$4" ]; then return; fi
        sleep 0.1
    done
    echo "$2: $3 is $(field "$1" "$3"), not $4, after $5 s; its output:"
    cat "$dir/$2.out"
    exit 1
}
summary() { sed -nE "s/.*\"$1\": *\"?([^\",}]+).*/\1/p" "$dir/$2/summary.json" | head -n 1; }
completed() { # JOB NAME
    until_field "$1" "$2" JobState COMPLETED 100
    if [ "$(summary status "$2")" != "done" ]; then
        echo "$2: summary.json says $(summary status "$2"), not done; its output:"
        cat "$dir/$2.out"
        exit 1
    fi
    echo "$2: COMPLETED, $steps steps in $(summary time.wall_s "$2") s, digest $(summary digest "$2")"
}
same_digest() { # NAME NAME
    if [ -z "$(summary digest "$1")" ] || [ "$(summary digest "$1")" != "$(summary digest "$2")" ]; then
        echo "$1 and $2 differ"
        exit 1
    fi
}

# 1: srun. Again with more steps until it lasts some seconds, so that 3 can be stopped in the middle.
while :; do
    completed "$(submit srun by_srun)" by_srun
    wall_s=$(summary time.wall_s by_srun)
    if [ "${wall_s%.*}" -ge 3 ] || [ $steps -ge 200000 ]; then break; fi
    steps=$((steps * 4))
    rm -r "$dir/by_srun"
done

# 2: mpirun
completed "$(submit mpirun by_mpirun)" by_mpirun
same_digest by_srun by_mpirun

steps_are_made() { # NAME
    local t
    for ((t = 0; t < 300; t++)); do
        if [ -s "$dir/$1/log.jsonl" ]; then return; fi
        sleep 0.1
    done
}
goes_on() { # JOB NAME: after it went back into the queue
    until_field "$1" "$2" Restarts 1 60
    until_field "$1" "$2" JobState PENDING 60
    sleep 2 # started before its old steps are gone it would drain the node, hence Slurm's own wait of two minutes
    scontrol update jobid="$1" StartTime=now
    completed "$1" "$2"
    same_digest by_srun "$2"
}

# 3: the warning of the time limit, under both
for launch in srun mpirun; do
    name=stopped_under_$launch
    job=$(submit $launch $name)
    steps_are_made $name
    scancel --batch --signal=USR1 "$job"
    goes_on "$job" $name
done

# 4: a rank is frozen
name=frozen
job=$(submit mpirun $name watch.abort=3s checkpoint.every=100)
steps_are_made $name
kill -s STOP "$(pgrep -n -f "^$MOT_BINARY train .*run=$dir/$name ")"
goes_on "$job" $name
grep 'the job ends' "$dir/$name.out"
echo "5 jobs completed, 3 of them in two starts"
