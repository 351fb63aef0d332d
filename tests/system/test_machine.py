"""What the tests' own machine promises the tests."""

import signal
import sys

from tests.system.machine import TIMEOUT_SECONDS

TELL = "import signal; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"


def test_a_command_takes_sigint_although_the_tests_were_started_with_it_ignored(machine):
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        process = machine.start_program(sys.executable, "-c", TELL)
    finally:
        signal.signal(signal.SIGINT, before)
    out, _ = process.communicate(timeout=TIMEOUT_SECONDS)

    assert out == "True\n"
