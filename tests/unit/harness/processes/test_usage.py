import sys
import time

from harness.model.declarations import Ready
from harness.model.facts import DESCRIPTORS, DISK_MIB, MEMORY_MIB
from harness.processes import procfs
from harness.processes.managed import ProcessSpec
from harness.processes.usage import folder_usage, processes_usage

HOLDS = """\
import os, signal, subprocess, sys
held = bytearray(os.urandom(1) * (int(sys.argv[1]) << 20))
files = [open(os.devnull) for _ in range(int(sys.argv[2]))]
child = subprocess.Popen([sys.executable, "-c", sys.argv[3]]) if sys.argv[3] else None
print("serving", flush=True)
signal.pause()
"""


def spec(scratch, name, memory_mib, files, child=""):
    command = (sys.executable, "-c", HOLDS, str(memory_mib), str(files), child)
    return ProcessSpec(name, command, scratch, scratch / f"{name}.log", ready=Ready(output="serving"))


def started(managed, made):
    process = managed(made)
    process.start()
    process.wait_ready(30)
    return process


def test_memory_and_descriptors_of_a_process_are_seen(managed, scratch):
    small = started(managed, spec(scratch, "small", 0, 0))
    large = started(managed, spec(scratch, "large", 50, 20))

    used = processes_usage({"small": small, "large": large})

    assert 45 <= used[f"{MEMORY_MIB}.large"] - used[f"{MEMORY_MIB}.small"] <= 60
    assert used[f"{DESCRIPTORS}.large"] - used[f"{DESCRIPTORS}.small"] == 20


def test_what_a_process_started_counts_with_it(managed, scratch):
    child = "held = bytearray(b'x' * (40 << 20)); import time; time.sleep(60)"
    parent = started(managed, spec(scratch, "parent", 0, 0, child))

    until = time.monotonic() + 20
    while (used := processes_usage({"parent": parent})[f"{MEMORY_MIB}.parent"]) < 45:
        assert time.monotonic() < until, f"only {used} MiB were seen"
        time.sleep(0.05)

    assert used < 120


def test_a_process_that_does_not_run_is_left_out(managed, scratch):
    process = started(managed, spec(scratch, "gone", 0, 0))
    never = managed(spec(scratch, "never", 0, 0))
    process.kill()

    assert processes_usage({"gone": process, "never": never}) == {}


def test_a_process_that_is_gone_takes_up_nothing():
    assert (procfs.memory_mib(2**22 + 1), procfs.descriptors(2**22 + 1)) == (0, 0)


def test_a_folder_is_measured_with_all_below_it(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "segment").write_bytes(bytes(range(256)) * 4096 * 2)
    (tmp_path / "status").write_bytes(b"x" * 4096)

    used = folder_usage("stack", tmp_path)[f"{DISK_MIB}.stack"]

    assert 2 <= used < 2.2


def test_a_folder_that_is_not_there_takes_up_nothing(tmp_path):
    assert folder_usage("stack", tmp_path / "none") == {f"{DISK_MIB}.stack": 0}
