#!/bin/bash
# Installs to a scratch prefix and builds a ten-line program against the installed copy, by find_package and by
# pkg-config: what a user of the library does first.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
scratch=$(mktemp -d "${TMPDIR:-/tmp}/mot-install.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
flags=${MOT_SANITIZE:+-fsanitize=$MOT_SANITIZE} # a sanitized archive needs the sanitizer's run time

logged() { "$@" >"$scratch/log" 2>&1 || { cat "$scratch/log"; exit 1; }; }

logged cmake --install "$MOT_BUILD_DIR" --prefix "$scratch/first"
mv "$scratch/first" "$scratch/prefix" # nothing installed may remember where it was put
"$scratch/prefix/bin/mot" --version
for header in rng.h version.h digest.h; do test -f "$scratch/prefix/include/mot/$header"; done
# A program's own names must not meet ours: all that archives show begins with mot_ (sanitizers add names of theirs).
foreign=$(find "$scratch/prefix" -name 'libmot_*.a' -exec nm -g --defined-only {} + | awk 'NF == 3 { print $3 }' |
    grep -v -e '^mot_' -e '^__' | sort -u) || true
[ -z "$foreign" ] || { echo "installed archives show names without mot_: $foreign"; exit 1; }

logged cmake -S "$here/install" -B "$scratch/cmake" -DCMAKE_PREFIX_PATH="$scratch/prefix" -DCMAKE_C_FLAGS="$flags"
logged cmake --build "$scratch/cmake"
by_cmake=$("$scratch/cmake/uses_mot")
echo "find_package: $by_cmake"

PKG_CONFIG_PATH=$(dirname "$(find "$scratch/prefix" -name mot.pc)")
export PKG_CONFIG_PATH
# shellcheck disable=SC2046,SC2086 # words, each an argument
cc $flags "$here/install/uses_mot.c" -o "$scratch/uses_mot" $(pkg-config --cflags --libs mot)
by_pkg_config=$("$scratch/uses_mot")
echo "pkg-config:   $by_pkg_config"

version=$(pkg-config --modversion mot)
[ "${by_cmake% *}" = "mot $version" ] || { echo "the header says ${by_cmake% *}, mot.pc mot $version"; exit 1; }
[ "$by_cmake" = "$by_pkg_config" ]
