#!/bin/bash
# Debian as it is when new: in a root that debootstrap makes, both commands of the README; and the program that they built
# there agrees with the one here, for one kernel of OpenBLAS: equal digests of the theory model and of encoders, a run
# that was stopped on one system goes on at the other, and each reads what the other wrote.
# usage: debian.sh RELEASE...     bookworm, trixie, ...
# MOT_DEBIAN: a folder whose RELEASE/ is such a root already, or becomes one, and stays. MOT_TEST_SHORT: a few steps in place
# of the first command's training, and not the second command, which takes most of the time.
set -u
here=$(cd "$(dirname "$0")" && pwd)
source_dir=$(cd "$here/../.." && pwd)
skip() { echo "skipped: $*"; exit 77; }
[ $# -gt 0 ] || { sed -n 's/^# usage: /usage: /p' "$0" >&2; exit 2; }
[ "$(id -u)" = 0 ] || skip "debootstrap needs root"
for command in debootstrap git; do
    [ -n "$(command -v $command)" ] || skip "no $command (Debian: $command)"
done
# What is mounted below is this script's alone, and goes with it.
if [ -z "${MOT_OWN_MOUNTS:-}" ]; then
    unshare --mount true 2>/dev/null || skip "no mount namespace of its own"
    MOT_OWN_MOUNTS=yes exec unshare --mount --propagation private bash "$0" "$@"
fi
# shellcheck source=tests/run/lib.sh
. "$here/lib.sh"
roots=${MOT_DEBIAN:-$scratch/roots} common=$scratch/common
mounted=()
trap 'umount -l "${mounted[@]}" 2>/dev/null; rm -rf --one-file-system "$scratch"' EXIT
mkdir -p "$roots" "$common" && cd "$common" || exit 1
kernel=Nehalem
if grep -q ' avx2 ' /proc/cpuinfo; then kernel=Haswell; fi
[ -z "$(git -C "$source_dir" status --porcelain)" ] || echo "what is not committed is left out there"

# at COMMAND...: in the root, in this folder, which is at the same place there.
at() {
    # shellcheck disable=SC2016 # for the inner shell
    env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
        ${OPENBLAS_CORETYPE:+"OPENBLAS_CORETYPE=$OPENBLAS_CORETYPE"} ${MOT_JOBS:+"MOT_JOBS=$MOT_JOBS"} \
        chroot "$root" bash -c 'cd "$1" && exec "${@:2}"' at "$PWD" "$@"
}
# there RANKS ARGUMENT...: mot of the root; like mot_on, which is the one here.
there() {
    local ranks=$1
    shift
    at timeout -k 5 "$LIMIT" bash /srv/mot/tests/support/crowd.sh mpirun -n "$ranks" /srv/mot/build/bin/mot "$@"
}

mount_in_root() { # TYPE FOLDER OPTION...
    mkdir -p "$root/$2"
    mount -t "$1" "${@:3}" "$1" "$root/$2" || skip "$1 cannot be mounted"
    mounted=("$root/$2" "${mounted[@]}")
}

make_root() {
    if [ ! -e "$root/etc/debian_version" ]; then
        echo "$release: debootstrap"
        debootstrap --variant=minbase "$release" "$root" >said 2>&1 || skip "debootstrap $release: $(tail -n 1 said)"
    fi
    cp /etc/hosts "$root/etc/hosts" # with the name of this host, which each launch would ask a resolver for
    mount_in_root proc proc
    mount_in_root sysfs sys
    mount_in_root devpts dev/pts -o ptmxmode=666
    mount_in_root tmpfs dev/shm
    mkdir -p "$root$common"
    mount --bind "$common" "$root$common"
    mounted=("$root$common" "${mounted[@]}")
    rm -rf "$root/srv/mot" "$root/srv/shared"
    git clone -q "$source_dir" "$root/srv/mot" || exit 1
    if [ -d "$source_dir/../shared" ]; then cp -a "$source_dir/../shared" "$root/srv/"; fi
}

# command_of_readme LAST COMMAND...: must succeed, and its last line be so.
command_of_readme() {
    local last=$1 start=$SECONDS
    shift
    at bash -c 'cd /srv/mot && exec "$@"' mot "$@" >"$scratch/$release.said" 2>&1 </dev/null &&
        tail -n 1 "$scratch/$release.said" | grep -Eq "$last" ||
        { fail "$release: $*:"; tail -n 100 "$scratch/$release.said"; }
    echo "$release: $* took $((SECONDS - start)) s: $(tail -n 1 "$scratch/$release.said")"
}

# alike WHAT RUN: the run there, RUN.$release, has the digest of RUN here.
alike() {
    local wanted
    wanted=$(value "$2/summary.json" digest)
    [ "$(value "$2.$release/summary.json" digest)" = "$wanted" ] ||
        fail "$release: $1: digest $(value "$2.$release/summary.json" digest), here $wanted"
    echo "$release: $1: $wanted"
}

# handed_over FIRST SECOND NAME: a run that FIRST begins and is asked to stop, and SECOND ends.
handed_over() {
    local first=$1 second=$2 run=$3 job code
    "$first" 2 train --quiet staged.yaml "run=$run" >said 2>&1 &
    job=$!
    wait_for_step "$run" 40 $job || fail "$release: $run: no steps: $(cat said)"
    kill -s USR1 "$(sed -n 's/^process //p' "$run/lock")"
    wait $job
    code=$?
    [ $code -eq 75 ] || fail "$release: $run: exit code $code of what was asked to stop: $(cat said)"
    "$second" 3 train --quiet staged.yaml "run=$run" >said 2>&1 || fail "$release: $run does not go on: $(cat said)"
    same "$release: $run" "$run"
    echo "$release: $run: as without a stop"
}

# reads_alike ARGUMENT...: what mot says is the same on both sides.
reads_alike() {
    mot "$@" >said.here 2>&1 || fail "mot $*: $(cat said.here)"
    at /srv/mot/build/bin/mot "$@" >said.there 2>&1 || fail "$release: mot $*: $(cat said.there)"
    cmp -s said.here said.there || fail "$release: mot $* says otherwise: $(diff said.here said.there)"
}

# What is compared, as it is here.
export OPENBLAS_CORETYPE=$kernel
# shellcheck source=tests/run/staged.sh
. "$here/staged.sh"
make_pictures pictures.h5
small_model pictures.h5 >pictures.yaml
make_texts texts.h5
small_model texts.h5 >texts.yaml
encoders=(pictures.yaml texts.yaml)
cp "$source_dir/configs/mixture-theory.yaml" theory.yaml
for config in "${encoders[@]}" theory.yaml; do quietly mot_on 2 train --quiet "$config" "run=${config%.yaml}"; done

for release in "$@"; do
    root=$roots/$release
    make_root
    if [ -n "${MOT_TEST_SHORT:-}" ]; then
        OPENBLAS_CORETYPE='' command_of_readme '^quickstart done in ' launch/quickstart.sh train.until='200 steps'
    else
        OPENBLAS_CORETYPE='' command_of_readme '^quickstart done in ' launch/quickstart.sh
        OPENBLAS_CORETYPE='' command_of_readme '^[0-9]+ passed, 0 failed, ' launch/test.sh
    fi

    for config in "${encoders[@]}" theory.yaml; do
        quietly there 2 train --quiet "$config" "run=${config%.yaml}.$release"
        alike "${config%.yaml}" "${config%.yaml}"
    done
    handed_over mot_on there "begun-here-$release"
    handed_over there mot_on "begun-on-$release"
    at /srv/mot/build/bin/mot data make mixture --out "mixture-$release.h5" --train 240 --val 20 --test 60 --tokens 6 \
        --width 8 --classes 4 >said 2>&1 || fail "$release: no data set: $(cat said)"
    for data in {mixture,pictures,texts,mixture-$release}.h5; do reads_alike data show "$data"; done
    for run in whole "begun-on-$release" theory "theory.$release"; do reads_alike inspect --verify "$run"; done
    for file in whole/record/*.h5 whole/checkpoints/*.h5; do at h5ls -r "$file" >said 2>&1 || fail "$release: h5ls $file: $(cat said)"; done
    umount -l "${mounted[@]}"
    mounted=()
done
finish
