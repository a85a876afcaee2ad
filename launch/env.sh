# shellcheck shell=bash
# env.sh - to be sourced (bash): the settings of Open MPI, MPICH and threads that mot runs with, each with its reason.
# A value that is set already stays. Gives the functions mot_cores, mot_find_launcher, mot_launch, mot_mpirun, mot_listen,
# mot_crowd and mot_run_folder.

# mot_launcher NAME PRRTE_NAME VALUE: a setting of mpirun. The one of Open MPI 4 reads OMPI_MCA_NAME. That of Open MPI 5 is
# PRRTE, which reads PRTE_MCA_PRRTE_NAME alone and says nothing about the other.
mot_launcher() {
    local old=OMPI_MCA_$1 new=PRTE_MCA_$2
    export "$old=${!old:-$3}"
    export "$new=${!new:-${!old}}"
}

# mpirun refuses to run as root; in containers there often is nobody else.
if [ "$(id -u)" -eq 0 ]; then
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi

# How many cores a rank is bound to, and mot's `threads: auto` starts as many threads.
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}

# A host that vanishes without a word hangs mpirun for minutes by default; so it is noticed after 10 + 5 x 2 seconds,
# and the job ends and can be resumed.
mot_launcher oob_tcp_keepalive_time oob_tcp_keepalive_time 10
mot_launcher oob_tcp_keepalive_intvl oob_tcp_keepalive_intvl 2
mot_launcher oob_tcp_keepalive_probes oob_tcp_keepalive_probes 5

# No word about a fast network that this machine does not have.
export OMPI_MCA_btl_base_warn_component_unused=${OMPI_MCA_btl_base_warn_component_unused:-0}

# mot_cores: the cores that this shell may use. nproc alone would count hyperthreads and obey OMP_NUM_THREADS.
mot_cores() {
    local allowed physical
    allowed=$(env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc)
    physical=$(lscpu -p=Core,Socket 2>/dev/null | grep -v '^#' | sort -u | wc -l)
    if [ "$physical" -gt 0 ] && [ "$physical" -lt "$allowed" ]; then allowed=$physical; fi
    echo "$allowed"
}

# mot_idle: the cores that nobody uses just now, over a quarter of a second, rounded. What runs at a lower priority (nice)
# steps back by itself; a rank that yields to it would wait for it.
mot_idle() {
    local user nice system idle iowait rest busy before_busy before_idle cpus
    read -r _ user nice system idle iowait rest </proc/stat
    before_busy=$((user + system)) before_idle=$((nice + idle + iowait))
    sleep 0.25
    read -r _ user nice system idle iowait rest </proc/stat
    busy=$((user + system - before_busy)) idle=$((nice + idle + iowait - before_idle))
    cpus=$(grep -c '^cpu[0-9]' /proc/stat)
    if [ $((busy + idle)) -le 0 ]; then
        echo "$cpus"
    else
        echo $(((2 * cpus * idle + busy + idle) / (2 * (busy + idle))))
    fi
}

# mot_find_launcher PROGRAM: what starts ranks of this mot: the mpiexec that it was built with, in $mot_mpiexec. Where
# that is not here, mpirun. And in $mot_hydra yes, if its MPI is MPICH or one of its kind, whose launcher has other options.
mot_find_launcher() {
    local said
    said=$("$1" --version 2>/dev/null)
    mot_mpiexec=$(sed -n 's/^launcher  //p' <<<"$said")
    command -v "$mot_mpiexec" >/dev/null || mot_mpiexec=mpirun
    case $said in *Open\ MPI*) mot_hydra=no ;; *MPI*) mot_hydra=yes ;; *) mot_hydra=no ;; esac
}

# mot_launch RANKS PROGRAM: in the array mot_launch what to put in front of PROGRAM, for so many ranks on this machine.
#   A core for each rank, and nobody else on them: bound, and waiting ranks spin, which answers within microseconds.
#   Other programs are at work: unbound, since a bound rank cannot flee from a core that another one uses; yielding.
#   More ranks than cores: the same, and Open MPI must be told that it is meant. Without yielding, a rank that waits
#   keeps the core from the rank that it waits for, which was measured 50 to 200 times slower.
# MOT_BIND=core or MOT_BIND=none decides instead.
mot_launch() {
    local cores=$((${1} * OMP_NUM_THREADS)) here bind=${MOT_BIND:-}
    here=$(mot_cores)
    if [ -z "$bind" ]; then
        if [ "$cores" -le "$here" ] && [ "$(mot_idle)" -ge "$cores" ]; then bind=core; else bind=none; fi
    fi
    mot_find_launcher "$2"
    mot_launch=("$mot_mpiexec" -n "$1")
    if [ $mot_hydra = yes ]; then
        if [ "$bind" = core ]; then
            mot_launch+=(-bind-to "core:$OMP_NUM_THREADS")
        else
            mot_launch+=(-bind-to none -genv MPIR_CVAR_ENABLE_HEAVY_YIELD 1) # mot looks at it, and MPICH since 4.1
        fi
        return
    fi
    if [ "$bind" = core ]; then
        mot_launch+=(--map-by "slot:PE=$OMP_NUM_THREADS" --bind-to core)
    else
        mot_launch+=(--bind-to none --mca mpi_yield_when_idle 1)
    fi
    if [ "$1" -gt "$here" ]; then mot_launch+=(--oversubscribe); fi
    # Shared memory carries what ranks of one machine say. Where there is no network but the loopback, Open MPI 5 would
    # say for each rank that TCP, which it prepares all the same, finds no way to the others.
    if [ -z "${OMPI_MCA_btl_tcp_if_include:-}${OMPI_MCA_btl_tcp_if_exclude:-}" ]; then
        mot_launch+=(--mca btl_tcp_if_include lo)
    fi
}

# mot_crowd: from here on, on this machine alone, any number of ranks on few cores, as in the tests: a thread each, nobody
# bound, who waits yields, and a job that failed ends at once (mpirun would give ranks seconds to end by themselves, and
# sleep through them where none is left). Open MPI takes ob1 there by itself, but not before UCX has measured the clock
# in each process, asleep for 0.2 s.
mot_crowd() {
    export OMP_NUM_THREADS=1
    export OMPI_MCA_rmaps_base_oversubscribe=1 PRTE_MCA_rmaps_default_mapping_policy=:oversubscribe
    export OMPI_MCA_hwloc_base_binding_policy=none PRTE_MCA_hwloc_default_binding_policy=none
    export OMPI_MCA_odls_base_sigkill_timeout=0 PRTE_MCA_odls_base_sigkill_timeout=0
    export OMPI_MCA_mpi_yield_when_idle=1 OMPI_MCA_pml=ob1 OMPI_MCA_btl_tcp_if_include=lo
    # Ports of its own: Open MPI takes the first free one from 1024 on, and who still calls for a rank of a job that has
    # been killed must not reach one of another job beside it.
    export OMPI_MCA_btl_tcp_port_min_v4=${OMPI_MCA_btl_tcp_port_min_v4:-$((10000 + $$ % 10 * 1000))} OMPI_MCA_btl_tcp_port_range_v4=1000
    export MPIR_CVAR_ENABLE_HEAVY_YIELD=1
}

# mot_mpirun RANKS PROGRAM [ARGUMENT...]: launches it on this machine, bound or yielding as fits.
mot_mpirun() {
    local ranks=$1 code
    shift
    mot_launch "$ranks" "$1"
    {
        "${mot_launch[@]}" "$@" 2>&1 >&3 3>&- | {
            trap '' INT # which is mpirun's to answer, and has an answer to be passed on
            mot_listen >&2 3>&-
        }
        code=${PIPESTATUS[0]}
    } 3>&1
    return "$code"
}

# mot_listen [COMMAND...]: passes on what a launcher and its ranks say on standard error; COMMAND... hears each line as its
# last argument. A launcher tells at length that a job ended with an exit code, after mot has said why; so the reason is
# said again, and is the last thing on the screen.
mot_listen() {
    local line last='' error=''
    while IFS= read -r line || [ -n "$line" ]; do
        printf '%s\n' "$line"
        [ $# -eq 0 ] || "$@" "$line"
        case $line in
        'mot: error: '*) error=$line last=$line ;;
        *[!\ ]*) last=$line ;;
        esac
    done
    if [ "$last" != "$error" ] && [ -n "$error" ]; then printf '%s\n' "$error"; fi
}

# mot_run_folder CONFIG: the folder of its run, as mot names it where no run= does.
mot_run_folder() {
    local name
    name=$(sed -nE "s/^run:[[:space:]]*[\"']?([^\"'#]*[^\"'#[:space:]]).*/\1/p" "$1" 2>/dev/null | tail -n 1)
    if [ -z "$name" ]; then
        name=${1##*/}
        name=runs/${name%.*}
    fi
    echo "$name"
}
