#!/bin/bash
# at_level.sh LEVEL COMMAND...: the command, if this processor has that level of instruction set; the loader knows.
level=$1
shift
for loader in /lib64/ld-linux-x86-64.so.2 /lib/ld-linux-*.so.*; do
    [ -x "$loader" ] && break
done
if [ "$level" != x86-64 ] && ! "$loader" --help 2>/dev/null | grep -Eq "^ *$level \(supported"; then
    echo "skipped: this processor has no $level"
    exit 77
fi
exec "$@"
