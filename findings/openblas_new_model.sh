#!/bin/bash
# OpenBLAS takes the kernels of a Prescott (SSE3, 2004) on an Intel processor whose model number is newer than it is,
# although AVX2 is there; and OPENBLAS_CORETYPE set to the empty text, or to a name that it does not know, makes it look.
#
# Version:      OpenBLAS 0.3.21 (Debian 12, libopenblas0-pthread 0.3.21+ds-4), a build with DYNAMIC_ARCH.
# Source:       Debian's package, as it is; processors by qemu-user-static 7.2 (Debian 12) with -cpu max, which has AVX2 and
#               no AVX-512. Models 190 (Alder Lake-N), 198 (Arrow Lake) and 207 (Emerald Rapids).
# A good guess: a run-time dispatcher asks CPUID what the processor can do, so a newer model gets at least what the newest
#               known one with the same features gets; an empty variable is one that is not set; and a wrong name is ignored.
# Seen:         Prescott for the three, Haswell for the known model 85 with the very same features; Haswell for all of them
#               when the variable is empty or wrong. On real processors sgemm then runs at a fifth of its speed.
# Exit code 0 while that is so, 1 once it has changed, 77 where it cannot be tried.
set -u
scratch=$(mktemp -d) || exit 77
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 77
python=/usr/bin/python3 # a program that qemu can run; a wrapper of that name is none
[ -x $python ] || { echo "skipped: no $python"; exit 77; }
for package in libopenblas0-pthread=0.3.21+ds-4 libgfortran5 libquadmath0 qemu-user-static; do
    apt-get -qq download "$package" >/dev/null 2>&1 || { echo "skipped: no package $package to be had"; exit 77; }
done
for file in ./*.deb; do dpkg -x "$file" root || exit 77; done
library=$(find root -name libopenblas.so.0 -path '*openblas-pthread*')
folders=$(dirname "$library"):$(dirname "$(find root -name 'libgfortran.so.5' | head -n 1)")

cat >ask.py <<'PY'
import ctypes, sys
library = ctypes.CDLL(sys.argv[1])
library.openblas_get_corename.restype = ctypes.c_char_p
print(library.openblas_get_corename().decode())
PY

# taken MODEL [VARIABLE=VALUE]: the kernels that it takes.
taken() {
    local cpu="max,vendor=GenuineIntel,family=6,model=$1,stepping=2"
    shift
    env -u OPENBLAS_CORETYPE LD_LIBRARY_PATH="$folders" OPENBLAS_NUM_THREADS=1 "$@" \
        root/usr/bin/qemu-x86_64-static -cpu "$cpu" $python ask.py "$PWD/$library" 2>/dev/null
}

changed=0
printf '%-8s %-12s %-12s %s\n' model "not set" empty "'nonsense'"
for model in 85 190 198 207; do
    plain=$(taken $model) empty=$(taken $model OPENBLAS_CORETYPE=) wrong=$(taken $model OPENBLAS_CORETYPE=nonsense)
    printf '%-8s %-12s %-12s %s\n' "$model" "$plain" "$empty" "$wrong"
    expected=Prescott
    [ "$model" -ne 85 ] || expected=Haswell
    [ "$plain $empty $wrong" = "$expected Haswell Haswell" ] || changed=1
done
[ $changed -eq 0 ] || echo "changed: see the head of this file for what was seen"
exit $changed
