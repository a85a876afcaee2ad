#!/bin/bash
# test.sh - all tests: a Release build of all levels of instruction set, then a Debug build under the address and undefined-behaviour sanitizers.
# usage: launch/test.sh [--slow]     --slow: the tests with the label "slow" as well
# The last line is 'N passed, N failed, N skipped', both builds together; before it, why each skipped test was
# skipped. Exit code 0 only if tests ran and none failed. Full logs: BUILD/Testing/Temporary/LastTest.log.
# Which take longest: sort -rnk3 BUILD/Testing/Temporary/CTestCostData.txt. Beside ten loops that never rest, where all have
# to pass as well: tests/under_load.sh launch/test.sh
set -u
# shellcheck source=launch/common.sh
. "$(dirname "$0")/common.sh"
slow=no
case ${1-} in
'') ;;
--slow) slow=yes ;;
*) usage ;;
esac
passed=0 failed=0 skipped=0
notes=$(mktemp) # why tests were skipped, and what failed
log=$(mktemp)
trap 'rm -f "$notes" "$log" "$log.notes"' EXIT

# suite NAME FOLDER CTEST-ARGUMENTS...: runs it, adds to the three counts.
suite() {
    local name=$1 folder=$2 rc=0 bad start
    shift 2
    start=$(now)
    echo "== $name: ctest"
    # Two more than cores: what tests start often waits.
    (cd "$folder" && ctest -j "$((jobs + 2))" --output-on-failure --no-tests=error "$@") >"$log" 2>&1 || rc=$?
    # A test's line is "3/40 Test #12: base.rng .... Passed 0.02 sec" or has ***Skipped, ***Failed, ***Timeout, ...
    # What a failed test said comes with its line, so a passing suite is its closing lines alone.
    bad=$(grep -E '^ *[0-9]+/[0-9]+ Test +#[0-9]+:' "$log" | grep -Ecv ' Passed |\*\*\*Skipped|\(Disabled\)')
    if [ "$bad" -eq 0 ] && [ "$rc" -eq 0 ]; then sed -n '/tests passed,/,$p' "$log"; else cat "$log"; fi
    passed=$((passed + $(grep -Ec '^ *[0-9]+/[0-9]+ Test +#[0-9]+:.* Passed ' "$log")))
    skipped=$((skipped + $(grep -Ec '^ *[0-9]+/[0-9]+ Test +#[0-9]+:.*(\*\*\*Skipped|\(Disabled\))' "$log")))
    if [ "$rc" -ne 0 ] && [ "$bad" -eq 0 ]; then bad=1; fi # ctest itself is not content: no tests, for example
    failed=$((failed + bad))
    awk -v suite="$name" '
        /^[0-9]+\/[0-9]+ Testing: / { test = $3 }
        /^skipped: / { sub(/^skipped: /, ""); if (!seen[test, $0]++) print "skipped: " test " (" suite "): " $0 }
    ' "$folder/Testing/Temporary/LastTest.log" >>"$notes"
    sed -nE "s/^ *[0-9]+\/[0-9]+ Test +#[0-9]+: ([^ ]+) .*\*\*\*(Skipped|Failed|Timeout|Exception|Not Run( \(Disabled\))?).*/\1 \2/p" "$log" |
        while read -r test how; do
            case $how in
            *Disabled*) echo "skipped: $test ($name): disabled" ;;
            Skipped) grep -qF "skipped: $test ($name): " "$notes" || echo "skipped: $test ($name): it does not say why" ;;
            *) echo "failed: $test ($name): $how" ;;
            esac
        done >"$log.notes"
    cat "$log.notes" >>"$notes"
    echo "== $name: done after $(since "$start") s"
}

# build_failed NAME: a suite that cannot be built is one failure.
build_failed() {
    failed=$((failed + 1))
    echo "failed: the build ($1)" >>"$notes"
}

step "packages" "$root/launch/setup.sh" test || build_failed packages

slow_or_not=(-LE '^(slow|long)$')
if [ $slow = yes ]; then slow_or_not=(-LE '^long$'); fi
if step "build (Release, $jobs jobs)" compile "$build" all -DCMAKE_BUILD_TYPE=Release -DMOT_WERROR=ON -DMOT_NATIVE=OFF; then
    suite Release "$build" "${slow_or_not[@]}"
else
    build_failed Release
fi

# -O1: the sanitizers' stack traces stay true and the suite takes half as long as with -O0; -g1: their lines, built sooner.
if step "build (Debug, sanitizers, $jobs jobs)" compile "$build-sanitize" all -DCMAKE_BUILD_TYPE=Debug \
    -DMOT_WERROR=ON -DCMAKE_C_FLAGS_DEBUG="-O1 -g1" -DMOT_SANITIZE=address,undefined,float-cast-overflow; then
    suite Sanitizers "$build-sanitize" "${slow_or_not[@]}"
else
    build_failed Sanitizers
fi

for folder in "$build" "$build-sanitize"; do
    [ $slow = no ] && [ -d "$folder" ] || continue
    left_out=$(cd "$folder" && ctest -N -L '^slow$' 2>/dev/null | sed -n 's/^Total Tests: //p')
    if [ "${left_out:-0}" -gt 0 ]; then echo "$left_out slow tests of ${folder##*/} were left out: launch/test.sh --slow"; fi
done
cat "$notes"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
