#!/bin/bash
# MPICH lists MPIR_CVAR_POLLS_BEFORE_YIELD, "sets the number of loops before the yield function is called", default 1000;
# a rank that waits never yields, whatever it is set to.
#
# Version:      MPICH 4.0.2, device ch4:ucx (Debian 12, libmpich12 4.0.2-3+b1). MPICH 4.2.1 (Debian 13) does yield, and has
#               MPIR_CVAR_ENABLE_HEAVY_YIELD besides, which makes a short sleep of it.
# Source:       Debian's packages, as they are.
# A good guess: a rank in MPI_Barrier gives its core away every 1000 looks by default, and at every look with 1; so more
#               ranks than cores only need that variable.
# Seen:         no sched_yield, and no sleep, in a second of waiting, with 1000 as with 1: the variable is of ch3 alone. Three
#               ranks on one core took 20 ms for an MPI_Allreduce of one number, and 0.2 ms with MPI_Iallreduce, MPI_Test
#               and a nanosleep between two looks.
# Exit code 0 while that is so, 1 once it has changed, 77 where it cannot be tried.
set -u
for program in gcc strace apt-get dpkg; do
    command -v $program >/dev/null || { echo "skipped: no $program"; exit 77; }
done
scratch=$(mktemp -d) || exit 77
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 77
for package in mpich=4.0.2-3+b1 libmpich12=4.0.2-3+b1 libmpich-dev=4.0.2-3+b1 libucx0=1.13.1-1 libhwloc15=2.9.0-1 libslurm38; do
    apt-get -qq download "$package" >/dev/null 2>&1 || { echo "skipped: no package $package to be had"; exit 77; }
done
for file in ./*.deb; do dpkg -x "$file" unpacked || exit 77; done
libraries=$PWD/unpacked/usr/lib/x86_64-linux-gnu
export LD_LIBRARY_PATH=$libraries

cat >wait.c <<'C'
#include <mpi.h>
#include <unistd.h>
int main(int argc, char **argv)
{
    int rank;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Barrier(MPI_COMM_WORLD);
    if (rank == 1) sleep(1); /* rank 0 waits */
    MPI_Barrier(MPI_COMM_WORLD);
    return MPI_Finalize();
}
C
gcc -O2 -I"$(dirname "$(find unpacked -name mpi.h | head -n 1)")" wait.c -o wait "$(find "$libraries" -name 'libmpich.so.12' | head -n 1)" \
    -Wl,--allow-shlib-undefined || { echo "skipped: it cannot be linked"; exit 77; }
cat >rank.sh <<'S'
if [ "$PMI_RANK" = 0 ]; then exec strace -f -o trace -e trace=sched_yield,nanosleep,clock_nanosleep ./wait; fi
exec ./wait
S

changed=0
for loops in 1000 1; do
    MPIR_CVAR_POLLS_BEFORE_YIELD=$loops timeout 60 unpacked/usr/bin/mpiexec.hydra -n 2 bash rank.sh || { echo "skipped: it does not run"; exit 77; }
    # shellcheck disable=SC2126 # no match is no failure
    yields=$(grep -E 'sched_yield|nanosleep' trace | wc -l)
    echo "MPIR_CVAR_POLLS_BEFORE_YIELD=$loops: $yields times in a second of waiting"
    [ "$yields" -lt 10 ] || changed=1 # the start may sleep once or twice
done
[ $changed -eq 0 ] || echo "changed: see the head of this file for what was seen"
exit $changed
