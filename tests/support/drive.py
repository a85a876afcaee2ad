"""What tests that drive the command share: how it is started, what it leaves, and checks that count what failed.

    sys.exit(1 if failures else 0)      ends such a test
"""
import json, os, signal, subprocess, time

MOT = os.environ["MOT_BINARY"]
LIMIT = 1200  # seconds after which a command counts as hanging
failures = []


def check(holds, text):
    if not holds:
        print("FAILED:", text)
        failures.append(text)


def command(ranks, *arguments):
    return (["mpirun", "--oversubscribe", "-n", str(ranks)] if ranks > 1 else []) + [MOT, *arguments]


def mot(ranks, *arguments, code=0):
    """What it said, on both streams."""
    done = subprocess.run(command(ranks, *arguments), capture_output=True, text=True, timeout=LIMIT)
    said = done.stdout + done.stderr
    check(done.returncode == code, "mot %s ended with %d: %s" % (" ".join(arguments), done.returncode, said[-800:]))
    return said


def summary(run):
    return json.load(open(run + "/summary.json"))


def lines(run, key):
    """Of log.jsonl, those that have a key."""
    return [line for line in map(json.loads, open(run + "/log.jsonl")) if key in line]


def workers(run):
    """Processes of this folder that train in `run`, their mpirun among them."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            words = open("/proc/%s/cmdline" % pid, "rb").read().split(b"\0")
            if MOT.encode() in words and b"run=" + run.encode() in words and os.readlink("/proc/%s/cwd" % pid) == os.getcwd():
                found.append(int(pid))
        except OSError:
            pass  # it has ended
    return found


def kill_behind(step, ranks, config, run, *settings):
    """Trains until the checkpoint of a step is there, then kills all of it; nobody is left who holds the folder."""
    file = "%s/checkpoints/step-%08d.h5" % (run, step)
    process = subprocess.Popen(command(ranks, "train", "--quiet", config, "run=" + run, *settings), stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    while not os.path.exists(file) and process.poll() is None:
        time.sleep(0.002)
    check(os.path.exists(file), "a run that is to be killed behind step %d ended before" % step)
    while left := workers(run):
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        process.wait()
