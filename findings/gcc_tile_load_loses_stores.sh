#!/bin/bash
# gcc_tile_load_loses_stores.sh - GCC drops what was written to memory right before _tile_loadd reads it.
# version  GCC 12.2.0 (Debian 12, cpp-12 12.2.0-14+deb12u1), -O1 and above; GCC 14.2.0 (Debian 13) by hand, the same.
# source   Debian's packages cpp-12 and libgcc-12-dev, as they are: the compiler and its own header
# a good guess says: an intrinsic that loads a tile of AMX from an address reads memory, as every other load does, so a matrix
#          that has just been packed into a local array for it is what it loads.
# seen     the header's _tile_loadd is an assembler statement that is told the address and not that anything is read there. Of a
#          function that fills a local array and loads a tile from it the compiler leaves the load alone; the tile gets what
#          happened to lie on the stack. With `__asm__ volatile("" ::: "memory")` in between the numbers are written.
# It only compiles: no processor with AMX is needed. Exit code: 0 as seen, 1 otherwise; 77 'skipped: why'.
set -u
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
command -v gcc >/dev/null || { echo "skipped: no gcc, whose libraries the compiler needs"; exit 77; }
for package in cpp-12=12.2.0-14+deb12u1 libgcc-12-dev=12.2.0-14+deb12u1; do
    apt-get -qq download "$package" >/dev/null 2>&1 || { echo "skipped: no package $package to be had"; exit 77; }
done
for file in ./*.deb; do dpkg -x "$file" unpacked || exit 77; done
compiler=$(find unpacked -name cc1 | head -n 1)
headers=$(dirname "$(find unpacked -name amxtileintrin.h | head -n 1)")

cat >tile.c <<'C'
#include <immintrin.h>
void load(float first, float second)
{
    float tile[16] = {first, second};
    BARRIER;
    _tile_loadd(1, tile, 64);
}
C
# stores LEVEL BARRIER: how many instructions write one of the two numbers, or the array that holds them.
stores() {
    "$compiler" -quiet "$1" -DBARRIER="$2" -mamx-tile -isystem "$headers" \
        -isystem "/usr/include/$(gcc -print-multiarch)" -isystem /usr/include tile.c -o tile.s >said 2>&1 ||
        { echo "skipped: it does not compile: $(head -n 1 said)" >&2; exit 77; }
    grep -cE '^\s+(v?mov[a-z]*|rep stos[a-z]*)\s.*\((%rsp|%rbp|%rdi)[^)]*\)$|^\s+rep stos' tile.s || :
}
changed=0
for level in -O0 -O1 -O2 -O3; do
    plain=$(stores $level '') || exit 77
    held=$(stores $level '__asm__ volatile("" ::: "memory")') || exit 77
    printf '%s: %2d stores before the tile is loaded, %2d with a barrier\n' "$level" "$plain" "$held"
    if [ $level = -O0 ]; then wanted=$((plain > 0)); else wanted=$((plain == 0 && held > 0)); fi
    [ "$wanted" -eq 1 ] || changed=1
done
[ $changed -eq 0 ] || echo "changed: see the head of this file for what was seen"
exit $changed
