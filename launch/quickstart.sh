#!/bin/bash
# quickstart.sh - from a fresh checkout to a trained model: packages, build, data, two ranks on Fashion-MNIST.
# usage: launch/quickstart.sh [key=value...]      the arguments go to `mot train`; MOT_BUILD names another build folder
set -eu
# shellcheck source=launch/common.sh
. "$(dirname "$0")/common.sh"
started=$(now)
step "packages" "$root/launch/setup.sh"
step "build (Release, $jobs jobs)" compile "$build" mot -DCMAKE_BUILD_TYPE=Release
"$root/launch/example.sh" fashion-mnist -n 2 "$@"
echo "quickstart done in $(since "$started") s"
