"""The syslog intake against real sockets, read back by a reader of its own."""

import json
import socket
import struct
import threading
import time
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from harness.load.intakes.syslog import NotSentError, Syslog
from harness.load.syslog_message import FORMATS, FRAMES, json_body
from harness.model.errors import ScenarioError
from harness.model.protocols import Record
from harness.processes.ports import free_port
from tests.certificates import Authority
from tests.unit.harness.load.intakes import syslog_reader as reader

SECONDS_MAX = 10
TEXTS = st.text(st.characters(codec="utf-8"))
NASTY = 'a "b" \\ ] [x@1 y="z"] <14>1 \x00 \t\r\n\u2028 größe \U0001f600 12 <13>'
NOW_NS = 1_780_000_000_123_456_789


class Receiver:
    """Takes connections one after the other and keeps what comes; `wrap` may speak TLS with them."""

    def __init__(self, wrap=lambda connection: connection):
        self._wrap = wrap
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(SECONDS_MAX)
        self.port = self._listener.getsockname()[1]
        self.received = []
        self.connection: Any = None
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        while True:
            try:
                connection, _ = self._listener.accept()
                connection.settimeout(SECONDS_MAX)
                self.connection = self._wrap(connection)
            except OSError:
                return
            self.received.append(b"")
            try:
                while chunk := self.connection.recv(65_536):
                    self.received[-1] += chunk
            except OSError:
                pass
            self.connection.close()

    def end_connection(self):
        """End the connection as a server that restarts does."""
        self.wait_connections(1)
        self._end()

    def reset_connection(self):
        """End the connection as a server that dies with unread data does: by a reset."""
        self.wait_connections(1)
        # Lingering for no time makes the kernel send a reset.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._end()

    def _end(self):
        self.connection.shutdown(socket.SHUT_RD)
        self._wait(lambda: self.connection.fileno() < 0)

    def wait_connections(self, count):
        """Return once as many connections were taken."""
        self._wait(lambda: len(self.received) >= count)

    def _wait(self, condition):
        until = time.monotonic() + SECONDS_MAX
        while not condition():
            assert time.monotonic() < until
            time.sleep(0.002)

    def close(self):
        """Take no connection any more, and wait until what came is read."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(SECONDS_MAX)
        assert not self._thread.is_alive()


@contextmanager
def receiving(**how):
    receiver = Receiver(**how)
    try:
        yield receiver
    finally:
        receiver.close()


def sent_over_tcp(*records, **arguments):
    with receiving() as receiver:
        with closing(Syslog(f"tcp://127.0.0.1:{receiver.port}", **arguments)) as intake:
            for record in records:
                intake.send(record)
        receiver.wait_connections(1)
    return receiver.received


def test_tcp_counts_octets_and_a_message_tells_time_level_logger_and_sequence():
    records = [Record(7, NASTY, "ERROR", "shop.cart"), Record(8, "second", "DEBUG", "shop")]

    (stream,) = sent_over_tcp(*records)

    first, second = map(reader.read_5424, reader.octet_counted(stream))
    assert (first.text, first.facility, first.severity) == (NASTY, 1, 3)
    assert first.data == {"sequence": "7", "logger": "shop.cart"}
    assert (second.text, second.severity, second.data["sequence"]) == ("second", 7, "8")
    assert abs(datetime.now(UTC) - datetime.fromisoformat(first.time)) < timedelta(minutes=1)


def test_newline_framing_ends_each_message_with_a_line_feed():
    (stream,) = sent_over_tcp(Record(0, "one"), Record(1, "two"), framing="newline")

    assert [reader.read_5424(each).text for each in reader.newline_ended(stream)] == ["one", "two"]


def test_a_line_with_a_line_feed_is_refused_by_newline_framing_and_not_sent_in_parts():
    with receiving() as receiver:
        with closing(Syslog(f"tcp://127.0.0.1:{receiver.port}", framing="newline")) as intake:
            with pytest.raises(ValueError, match="octet_counting, or body json"):
                intake.send(Record(0, "one\ntwo"))
            intake.send(Record(1, "three"))
        receiver.wait_connections(1)

    assert [reader.read_5424(each).text for each in reader.newline_ended(receiver.received[0])] == ["three"]


def test_a_json_body_brings_any_line_through_newline_framing():
    (stream,) = sent_over_tcp(Record(3, NASTY, "WARNING", "x"), framing="newline", body="json")

    (message,) = reader.newline_ended(stream)
    document = json.loads(reader.read_5424(message).text)
    assert (document["message"], document["labels"]["sequence"]) == (NASTY, 3)
    assert document["log"] == {"level": "warning", "logger": "x"}


def test_rfc3164_tells_local_time_in_seconds_and_level():
    (stream,) = sent_over_tcp(Record(0, NASTY, "CRITICAL"), format="rfc3164")

    (message,) = map(reader.read_3164, reader.octet_counted(stream))
    assert (message.text, message.severity, message.app) == (NASTY, 2, "logquake")
    assert datetime.strptime(f"2000 {message.time}", "%Y %b %d %H:%M:%S")


@pytest.mark.parametrize(("word", "read"), [("rfc5424", reader.read_5424), ("rfc3164", reader.read_3164)])
@example(line=NASTY, logger=NASTY)
@example(line="", logger="")
@given(line=TEXTS, logger=TEXTS)
def test_any_text_survives_a_message_and_the_frame_that_counts(word, read, line, logger):
    """read(write(x)) == x, also where line or logger look like syntax."""
    record = Record(1, line, "INFO", logger)
    stream = b"".join(FRAMES["octet_counting"](FORMATS[word](record, line, NOW_NS)) for _ in range(2))

    for message in map(read, reader.octet_counted(stream)):
        assert message.text == line
        assert word == "rfc3164" or message.data == {"sequence": "1", "logger": logger}


@example(line=NASTY)
@given(line=TEXTS)
def test_any_text_survives_a_json_body_in_the_frame_that_ends_with_a_line_feed(line):
    record = Record(1, line)
    message = FORMATS["rfc5424"](record, json_body(record, NOW_NS), NOW_NS)

    (back,) = reader.newline_ended(FRAMES["newline"](message))
    assert json.loads(reader.read_5424(back).text)["message"] == line


def test_udp_sends_a_datagram_for_each_message():
    with socket.socket(type=socket.SOCK_DGRAM) as receiver:
        receiver.settimeout(SECONDS_MAX)
        receiver.bind(("127.0.0.1", 0))
        with closing(Syslog(f"udp://127.0.0.1:{receiver.getsockname()[1]}")) as intake:
            intake.send(Record(0, NASTY))
            intake.send(Record(1, "second"))
            datagrams = [receiver.recv(65_536) for _ in range(2)]

    assert [reader.read_5424(each).text for each in datagrams] == [NASTY, "second"]


def test_a_message_that_no_datagram_holds_is_refused_and_the_next_one_goes_out():
    with socket.socket(type=socket.SOCK_DGRAM) as receiver:
        receiver.settimeout(SECONDS_MAX)
        receiver.bind(("127.0.0.1", 0))
        with closing(Syslog(f"udp://127.0.0.1:{receiver.getsockname()[1]}")) as intake:
            with pytest.raises(NotSentError, match="Message too long"):
                intake.send(Record(0, "x" * 70_000))
            intake.send(Record(1, "short"))
            datagram = receiver.recv(65_536)

    assert reader.read_5424(datagram).text == "short"


def test_a_unix_socket_takes_datagrams_as_dev_log_does(tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.settimeout(SECONDS_MAX)
        receiver.bind(str(tmp_path / "log"))
        with closing(Syslog(f"unix://{tmp_path}/log", format="rfc3164")) as intake:
            intake.send(Record(0, NASTY))
        datagram = receiver.recv(65_536)

    assert reader.read_3164(datagram).text == NASTY


@pytest.fixture(scope="module")
def authority():
    return Authority.make()


def test_tls_sends_to_a_server_whose_certificate_it_trusts(authority, tmp_path):
    context = authority.server_context(tmp_path)
    ca_file = tmp_path / "ca.pem"
    ca_file.write_bytes(authority.pem)
    with receiving(wrap=lambda connection: context.wrap_socket(connection, server_side=True)) as receiver:
        with closing(Syslog(f"tls://127.0.0.1:{receiver.port}", ca_file=str(ca_file))) as intake:
            intake.send(Record(0, NASTY))
            # The server's session tickets lie unread by now: they are no end of the connection.
            intake.send(Record(1, "second"))
        receiver.wait_connections(1)

    (stream,) = receiver.received
    assert [reader.read_5424(each).text for each in reader.octet_counted(stream)] == [NASTY, "second"]


def test_tls_refuses_a_server_that_nobody_it_trusts_has_signed(authority, tmp_path):
    context = authority.server_context(tmp_path)
    ca_file = tmp_path / "ca.pem"
    ca_file.write_bytes(Authority.make("another").pem)
    with (
        receiving(wrap=lambda connection: context.wrap_socket(connection, server_side=True)) as receiver,
        closing(Syslog(f"tls://127.0.0.1:{receiver.port}", ca_file=str(ca_file))) as intake,
        pytest.raises(NotSentError, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        intake.send(Record(0, "secret"))


def test_a_connection_that_the_server_ended_between_two_calls_is_made_anew():
    with receiving() as receiver:
        with closing(Syslog(f"tcp://127.0.0.1:{receiver.port}")) as intake:
            intake.send(Record(0, "first"))
            receiver.end_connection()
            intake.send(Record(1, "second"))
        receiver.wait_connections(2)

    texts = [[reader.read_5424(each).text for each in reader.octet_counted(s)] for s in receiver.received]
    assert texts == [["first"], ["second"]]


def test_a_connection_that_was_reset_between_two_calls_is_made_anew():
    with receiving() as receiver:
        with closing(Syslog(f"tcp://127.0.0.1:{receiver.port}")) as intake:
            intake.send(Record(0, "first"))
            receiver.reset_connection()
            intake.send(Record(1, "second"))
        receiver.wait_connections(2)

    (second,) = reader.octet_counted(receiver.received[1])
    assert reader.read_5424(second).text == "second"


def test_a_thread_keeps_its_connection_and_each_has_its_own():
    with receiving() as receiver:
        with closing(Syslog(f"tcp://127.0.0.1:{receiver.port}")) as intake:
            for sequence in range(3):
                intake.send(Record(sequence, "text"))
            other = threading.Thread(target=intake.send, args=(Record(3, "other"),))
            other.start()
            other.join(SECONDS_MAX)
        receiver.wait_connections(2)

    assert [len(reader.octet_counted(stream)) for stream in receiver.received] == [3, 1]


@pytest.mark.parametrize("scheme", ["tcp", "tls"])
def test_a_server_that_is_not_there_refuses(scheme):
    with pytest.raises(NotSentError, match="ConnectionRefusedError"):
        Syslog(f"{scheme}://127.0.0.1:{free_port()}").send(Record(0, "text"))


def test_udp_learns_from_the_kernel_that_nobody_listens():
    with closing(Syslog(f"udp://127.0.0.1:{free_port()}")) as intake:
        intake.send(Record(0, "into the void"))
        with pytest.raises(NotSentError, match="ConnectionRefusedError"):
            intake.send(Record(1, "text"))


def test_a_server_that_reads_nothing_refuses_after_the_timeout():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"tcp://127.0.0.1:{listener.getsockname()[1]}"
        # More than the kernel holds for both sides together.
        record = Record(0, "x" * 50_000_000)
        with (
            closing(Syslog(url, timeout_seconds=0.2)) as intake,
            pytest.raises(NotSentError, match="not sent: TimeoutError"),
        ):
            intake.send(record)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"url": "127.0.0.1:514"}, "no address of a syslog server"),
        ({"url": "tcp://127.0.0.1"}, "no address of a syslog server"),
        ({"url": "tcp://127.0.0.1:x"}, "no address of a syslog server"),
        ({"url": "http://127.0.0.1:514"}, "no address of a syslog server"),
        ({"url": "unix://"}, "no address of a syslog server"),
        ({"url": "tcp://127.0.0.1:514", "timeout_seconds": 0.0}, "timeout_seconds: 0 is not above 0"),
        ({"url": "tls://127.0.0.1:514", "ca_file": "/nowhere.pem"}, 'ca_file: no file "/nowhere.pem"'),
        ({"url": "tls://127.0.0.1:514", "ca_file": __file__}, "must be PEM files"),
    ],
)
def test_what_cannot_be_used_is_said_with_its_remedy(arguments, problem):
    with pytest.raises(ScenarioError, match=problem):
        Syslog(**arguments)
