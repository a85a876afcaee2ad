#!/bin/bash
# One program for every processor: it runs at the highest level of instruction set that there is, or at the one that
# MOT_LEVEL asks for; all ranks of a job at the same one; and what a processor lacks is a sentence, never SIGILL.
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/run/lib.sh
. "$here/lib.sh"

# refused NAME PATTERN COMMAND...: exit code 2 and exactly one sentence.
refused() {
    local name=$1 pattern=$2 code
    shift 2
    "$@" >said 2>err
    code=$?
    [ $code -eq 2 ] || fail "$name: exit code $code, expected 2"
    [ "$(grep -c '^mot: error: ' err)" -eq 1 ] || fail "$name: not one sentence: $(cat err)"
    grep -Eq "^mot: error: .*($pattern)" err || fail "$name: expected '$pattern', got $(cat err)"
    [ ! -e runs ] || fail "$name leaves a run folder"
}

version() { "$@" "$MOT_BINARY" --version; }

make_mixture mixture.h5
small_model mixture.h5 >small.yaml

names=$(MOT_LEVEL=none version env 2>&1 | sed -n "s/^mot: error: MOT_LEVEL is 'none': expected //p")
levels=() # those of this processor
if [ -z "$names" ]; then
    version env | grep -Eq ', native \(' || fail "neither levels nor native: $(version env 2>&1)"
    refused "MOT_LEVEL of a native program" "one level, native" env MOT_LEVEL=x86-64-v3 "$MOT_BINARY" train small.yaml
    refused "the same on two ranks" "one level, native" env MOT_LEVEL=x86-64-v3 "$MPIRUN" -n 2 "$MOT_BINARY" train small.yaml
else
    for level in ${names//,/ }; do
        if MOT_LEVEL=$level version env >said 2>err; then
            grep -q ", $level\$" said || fail "MOT_LEVEL=$level: $(cat said)"
            levels+=("$level")
        else
            refused "$level" 'but this processor has x86-64[^ ]* at most' env MOT_LEVEL="$level" "$MOT_BINARY" train small.yaml
        fi
    done
    highest=${levels[-1]} lowest=${levels[0]}
    [ "$(version env | sed -n '1s/.*, //p')" = "$highest" ] || fail "without MOT_LEVEL not $highest: $(version env)"
    [ "$(MOT_LEVEL='' version env)" = "$(version env)" ] || fail "an empty MOT_LEVEL is not none"
    for arguments in --version "train small.yaml" "data show mixture.h5"; do
        # shellcheck disable=SC2086 # words
        refused "mot $arguments at no level" "'v5': expected x86-64" env MOT_LEVEL=v5 "$MOT_BINARY" $arguments
    done
fi

# trained NAME RANKS COMMAND...: prints the digest.
trained() {
    local name=$1 ranks=$2
    shift 2
    timeout -k 5 "$LIMIT" "$MPIRUN" -n "$ranks" "$@" train small.yaml run="$name" >"$name.said" 2>&1 || fail "$name: $(cat "$name.said")"
    value "$name/summary.json" digest
}

declare -A digest
for level in "${levels[@]}"; do
    digest[$level]=$(MOT_LEVEL=$level trained "$level.1" 1 "$MOT_BINARY")
    [ "$(MOT_LEVEL=$level trained "$level.2" 2 "$MOT_BINARY")" = "${digest[$level]}" ] || fail "$level: two ranks have other bits"
    grep -q "^mot .*, $level\$" "$level.2.said" || fail "$level is not in the banner: $(head -n 1 "$level.2.said")"
    [ "$(value "$level.2/summary.json" level)" = "$level" ] || fail "$level is not in summary.json"
done

if [ ${#levels[@]} -gt 1 ]; then
    [ "${digest[${levels[1]}]}" != "${digest[$lowest]}" ] || fail "${levels[1]} is no other code than $lowest"

    # Hosts are not alike: one rank has less, the others follow it.
    cat >mixed.sh <<SH
[ "\${OMPI_COMM_WORLD_RANK:-\${PMI_RANK:-}}" != \$LOW_RANK ] || export MOT_LEVEL=\$LOW_LEVEL
exec "$MOT_BINARY" "\$@"
SH
    for low in 0 1; do
        export LOW_RANK=$low LOW_LEVEL=$lowest
        [ "$(trained mixed.$low 3 bash mixed.sh)" = "${digest[$lowest]}" ] || fail "rank $low at $lowest: other bits than all ranks there"
        grep -q "^mot .*, $lowest\$" mixed.$low.said || fail "rank $low at $lowest: the banner says $(head -n 1 mixed.$low.said)"
    done
    LOW_LEVEL=v5 refused "no level on one rank" "'v5': expected" "$MPIRUN" -n 2 bash mixed.sh train small.yaml

    # A part of the program is missing.
    objects=$(cd "$(dirname "$MOT_BINARY")/.." && find . -path "*/mot/mot-$lowest.so" -printf '%h\n' | head -n 1)
    mkdir -p part/bin "part/$objects"
    cp "$MOT_BINARY" part/bin/mot
    cp "$(dirname "$MOT_BINARY")/../$objects"/mot-*.so "part/$objects/"
    rm "part/$objects/mot-$lowest.so"
    part/bin/mot --version >said 2>err || fail "a copy of the program: $(cat err)"
    MOT_LEVEL=$lowest part/bin/mot --version >said 2>err && fail "a level that is missing runs"
    grep -q '^mot: error: the installation is not complete' err || fail "a level that is missing: $(cat err)"
fi

# Other processors, by emulation.
command -v qemu-x86_64 >/dev/null || echo "without qemu-x86_64, other processors are left out"
if [ -z "${MOT_SANITIZE:-}" ] && [ "$(uname -m)" = x86_64 ] && command -v qemu-x86_64 >/dev/null; then
    if [ -z "$names" ]; then
        refused "a native program on an old processor" 'compiled for a processor with .*, which this one lacks' \
            qemu-x86_64 -cpu qemu64 "$MOT_BINARY" train small.yaml
    else
        for processor in Nehalem=x86-64 SandyBridge=x86-64 Haswell=x86-64-v3; do
            MOT_LEVEL='' version qemu-x86_64 -cpu ${processor%=*} >said 2>err
            grep -q ", ${processor#*=}\$" said || fail "on ${processor%=*} not ${processor#*=}: $(cat said err)"
        done
    fi
fi
finish
