#!/usr/bin/python3
"""Source files call each other in one direction: no file of src/ is called back, directly or by others, by one that it calls.
What calls what is read from the objects of the build, of each source the newest. Exit code 77: there is no nm here."""
import collections, glob, os, shutil, subprocess, sys

SOURCES, OBJECTS = os.path.join(os.environ["MOT_SOURCE_DIR"], "src"), os.path.join(os.environ["MOT_BUILD_DIR"], "src")


def newest_objects():
    """Of each source that there is: a build folder keeps what it made of others, and of other levels."""
    objects = {}
    for path in sorted(glob.glob(OBJECTS + "/CMakeFiles/*.dir/*/*.c.o"), key=os.path.getmtime):
        source = path.split(".dir/")[-1][:-len(".o")]
        if os.path.exists(os.path.join(SOURCES, source)):
            objects[source] = path
    return {path: source for source, path in objects.items()}


def calls(objects):
    """{(file, file): names that the first takes from the second}"""
    defined, wanted = {}, []
    lines = subprocess.run(["nm", "-A", "-P", *objects], check=True, capture_output=True, text=True).stdout.splitlines()
    for path, rest in (line.split(": ", 1) for line in lines):
        name, kind = rest.split()[:2]
        if kind == "U":
            wanted.append((objects[path], name))
        elif kind.isupper():
            defined[name] = objects[path]
    found = collections.defaultdict(list)
    for source, name in wanted:
        if defined.get(name, source) != source:
            found[source, defined[name]].append(name)
    return found


def reached(start, follows):
    seen, left = set(), [start]
    while left:
        new = follows[left.pop()] - seen
        seen |= new
        left += new
    return seen


if shutil.which("nm") is None:
    print("skipped: there is no nm (binutils), which reads what objects call")
    sys.exit(77)
found = calls(newest_objects())
assert len(found) > 100, "nm does not tell what the objects call: %d calls from file to file" % len(found)
follows = collections.defaultdict(set)
for caller, called in found:
    follows[caller].add(called)
reach = {source: reached(source, follows) for source in list(follows)}
circles = {frozenset(other for other in reach[source] if source in reach.get(other, ())) for source in reach} - {frozenset()}
for circle in sorted(map(sorted, circles)):
    print("FAILED: files that call each other in a circle:", ", ".join("src/" + source for source in circle))
    for (caller, called), names in sorted(found.items()):
        if caller in circle and called in circle:
            print("  src/%s takes from src/%s: %s" % (caller, called, ", ".join(sorted(names))))
if not circles:
    print("%d source files, and none is called back by one that it calls" % len(reach))
sys.exit(len(circles) > 0)
