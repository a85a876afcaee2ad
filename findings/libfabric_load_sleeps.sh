#!/bin/bash
# libfabric_load_sleeps.sh - to load libfabric takes a quarter of a second, which its libraries for two cards sleep away.
# version  libfabric 1.17.0, libpsm2 11.2.185, libpsm-infinipath 3.3 (Debian 12), on an AMD EPYC
# source   Debian's packages, as they are
# a good guess says: a library that Open MPI opens to ask which networks there are does nothing before it is asked; without such a
#          card it costs a millisecond.
# seen     libpsm2 and libinfinipath find out how long a cycle of the processor is as they are loaded, by 60 and 200 sleeps of
#          125 us, and whether there is a card is looked up later. So each process of a job of Open MPI 4.1.4, and each program
#          that starts MPI by itself, begins 0.2 s later. With OMPI_MCA_pml=ob1 neither is loaded.
# Exit code: 0 as seen, 1 otherwise; 77 'skipped: why'.
set -u
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
for program in strace python3 apt-get dpkg; do
    command -v $program >/dev/null || { echo "skipped: no $program"; exit 77; }
done
for package in libfabric1=1.17.0-3 libpsm2-2=11.2.185-2 libpsm-infinipath1=3.3+20.604758e7-6.2 libibverbs1 librdmacm1 libnl-3-200 \
    libnl-route-3-200 libnuma1; do
    apt-get -qq download "$package" >/dev/null 2>&1 || { echo "skipped: no package $package to be had"; exit 77; }
done
for file in ./*.deb; do dpkg -x "$file" unpacked || exit 77; done
libraries=$(find "$PWD/unpacked" -name '*.so.*' -printf '%h\n' | sort -u | paste -sd:)

# sleeps LIBRARY: how many times loading it sleeps.
sleeps() {
    LD_LIBRARY_PATH=$libraries strace -f -o trace -e trace=clock_nanosleep,nanosleep \
        python3 -c 'import ctypes, sys; ctypes.CDLL(sys.argv[1])' "$1" >said 2>&1 ||
        { echo "skipped: $1: $(tail -n 1 said)" >&2; exit 77; }
    grep -c nanosleep trace || :
}
changed=0
for library in libibverbs.so.1 libpsm2.so.2 libinfinipath.so.4 libfabric.so.1; do
    count=$(sleeps $library) || exit 77
    echo "$library: $count sleeps while it is loaded"
    case $library in
    libibverbs*) [ "$count" -eq 0 ] || changed=1 ;;
    *) [ "$count" -ge 20 ] || changed=1 ;;
    esac
done
[ $changed -eq 0 ] || echo "changed: see the head of this file for what was seen"
exit $changed
