#!/bin/bash
# Which kernels of OpenBLAS are taken: on this processor, on others that qemu pretends to be, and as the environment says.
set -u
: "${MOT_BUILD_DIR:?}"
kernels=$MOT_BUILD_DIR/tests/kernels
export -n OPENBLAS_CORETYPE
unset OPENBLAS_CORETYPE OPENBLAS_NUM_THREADS
failures=0
fail() {
    echo "FAILED: $*"
    failures=$((failures + 1))
}

# taken COMMAND...: the kernels' name; the whole line in $said.
taken() {
    said=$("$@" 2>&1) || fail "exit code $? of $*: $said"
    name=${said##*, }
    name=${name%% kernels*}
}

# ---- on this processor ----

taken "$kernels"
echo "here: $said"
here=$name
taken env OPENBLAS_CORETYPE= "$kernels"
[ "$name" = "$here" ] || fail "an empty OPENBLAS_CORETYPE: $said"
taken env OPENBLAS_CORETYPE=Prescott "$kernels"
[ "$said" = "${said%%,*}, Prescott kernels (set by OPENBLAS_CORETYPE)" ] || fail "OPENBLAS_CORETYPE=Prescott: $said"
taken env OPENBLAS_CORETYPE=Nonsense "$kernels"
[ "$name" = "$here" ] || fail "OPENBLAS_CORETYPE=Nonsense: $said"
grep -q '^mot: warning: OPENBLAS_CORETYPE = Nonsense: ' <<<"$said" || fail "no word about OPENBLAS_CORETYPE=Nonsense: $said"
if ! grep -qw avx512vl /proc/cpuinfo; then
    taken env OPENBLAS_CORETYPE=SkylakeX "$kernels"
    grep -q '^mot: warning: OPENBLAS_CORETYPE = SkylakeX: these kernels use AVX-512' <<<"$said" || fail "SkylakeX without AVX-512: $said"
    [ "$name" = "$here" ] || fail "SkylakeX without AVX-512: $said"
fi

# OpenBLAS would start a thread for each core, and end the process where it may not.
limited=(prlimit --nproc=1)
if [ "$(id -u)" -eq 0 ]; then limited=(setpriv --reuid=54321 --clear-groups prlimit --nproc=1); fi # root has no limit
if command -v setpriv >/dev/null && "${limited[@]}" test -x "$kernels"; then
    taken "${limited[@]}" "$kernels"
    [ "$name" = "$here" ] || fail "with one process allowed: $said"
fi

# ---- on others ----

if ! command -v qemu-x86_64 >/dev/null; then
    [ $failures -eq 0 ] || exit 1
    echo "skipped: no qemu-x86_64 (Debian: qemu-user), which pretends to be other processors"
    exit 77
fi
if [ -n "${MOT_SANITIZE-}" ]; then
    [ $failures -eq 0 ] || exit 1
    echo "skipped: sanitizers do not run under qemu; the Release build does it"
    exit 77
fi

# on CPU KERNELS: qemu's "max" has AVX2, and no AVX-512.
on() {
    taken qemu-x86_64 -cpu "$1" "$kernels"
    echo "$1: $said"
    [[ " $2 " == *" $name "* ]] || fail "$1: $name kernels, expected $2"
}
intel=max,vendor=GenuineIntel,family=6
for model in 85 106 143 173 175 190 198 207; do on "$intel,model=$model,stepping=2" Haswell; done
on max,vendor=AuthenticAMD,family=25,model=17 "Zen Haswell"
on max,vendor=AuthenticAMD,family=26,model=2 "Zen Haswell"
for model in 85 190 198 207; do on "$intel,model=$model,stepping=2,avx2=off" Sandybridge; done
on "$intel,model=207,stepping=2,fma=off" Sandybridge
on "$intel,model=207,stepping=2,avx2=off,avx=off" "Prescott Nehalem Core2"
on max,vendor=AuthenticAMD,family=25,model=17,avx2=off,fma=off "Sandybridge Bulldozer"

[ $failures -eq 0 ] || { echo "$failures failed"; exit 1; }
echo "all well"
