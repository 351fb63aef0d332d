"""The http intake against a small server: what acknowledges, what refuses, and that nothing is sent twice."""

import json
import socket
import threading
import time
from contextlib import closing, contextmanager
from datetime import datetime, timedelta

import pytest

from harness.load.intakes.http import Http, RefusedError
from harness.model.errors import ScenarioError
from harness.model.protocols import Record
from harness.processes.ports import free_port

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
SECONDS_MAX = 10


class Server:
    """Answers each request with the next of its answers, and keeps what it was sent; None closes instead."""

    def __init__(self, *answers, close_after_each=False):
        self.answers = list(answers)
        self.close_after_each = close_after_each
        self.requests = []
        self.connections = 0
        self.closed = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(SECONDS_MAX)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/logs?x=1"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while self.answers:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            with connection:
                connection.settimeout(SECONDS_MAX)
                self._converse(connection)
            self.closed.set()

    def _converse(self, connection):
        stream = connection.makefile("rb")
        while self.answers and (first := stream.readline()):
            headers = dict(line.decode().strip().split(": ", 1) for line in iter(stream.readline, b"\r\n"))
            self.requests.append((first.decode(), headers, stream.read(int(headers["Content-Length"]))))
            answer = self.answers.pop(0)
            if answer is None:
                return
            connection.sendall(answer)
            if self.close_after_each or b"Content-Length: 99" in answer:
                return

    def close(self):
        self._listener.close()


@contextmanager
def serving(*answers, **how):
    server = Server(*answers, **how)
    try:
        yield server
    finally:
        server.close()


def send(server, record, **arguments):
    with closing(Http(server.url, **arguments)) as intake:
        intake.send(record)


def test_a_record_is_one_line_of_ndjson_and_2xx_is_no_refusal():
    with serving(OK) as server:
        send(server, Record(7, 'a "line"\nof ünïcode'), **{"header.Authorization": "Bearer x"})

    (first, headers, body), *others = server.requests
    assert first.startswith("POST /logs?x=1 ")
    assert headers["Content-Type"] == "application/x-ndjson"
    assert headers["Authorization"] == "Bearer x"
    assert body.count(b"\n") == 1
    document = json.loads(body)
    age_seconds = time.time() - datetime.fromisoformat(document.pop("@timestamp")).timestamp()
    assert document == {"log": {"level": "INFO"}, "message": 'a "line"\nof ünïcode'}
    assert 0 <= age_seconds < 60
    assert others == []


def test_a_template_is_filled_wherever_it_says_line():
    template = '{"streams": [{"values": [["$time_unix_ns", "$line"]]}], "n": "$sequence", "as_is": "$other"}'
    with serving(OK) as server:
        send(server, Record(7, "text"), template=template)

    sent = json.loads(server.requests[0][2])
    ((at_ns, line),) = sent["streams"][0]["values"]
    assert line == "text"
    assert int(at_ns) > 0
    assert (sent["n"], sent["as_is"]) == (7, "$other")


def test_a_template_says_the_level_the_logger_and_the_time_of_a_record():
    words = ("time", "level", "severity_number", "logger")
    template = json.dumps({"text": "$line"} | {word: f"${word}" for word in words})
    with serving(OK) as server:
        send(server, Record(7, "text", level="ERROR", logger="a.b"), template=template)

    sent = json.loads(server.requests[0][2])
    assert datetime.fromisoformat(sent.pop("time")).utcoffset() == timedelta(0)
    assert sent == {"text": "text", "level": "ERROR", "severity_number": 17, "logger": "a.b"}


def test_records_due_together_are_lines_of_one_request():
    with serving(OK) as server, closing(Http(server.url, records_per_request=3)) as intake:
        intake.send_together([Record(7, "first"), Record(8, "second")])

    (request,) = server.requests
    lines = request[2].splitlines()
    assert [json.loads(line)["message"] for line in lines] == ["first", "second"]


def test_records_due_together_stand_where_the_template_says_records():
    around, each = '{"logs": "$records"}', '{"n": "$sequence", "text": "$line"}'
    with (
        serving(OK) as server,
        closing(Http(server.url, records_per_request=3, template=around, record=each)) as intake,
    ):
        intake.send_together([Record(7, "first"), Record(8, "$records")])

    (request,) = server.requests
    assert json.loads(request[2]) == {"logs": [{"n": 7, "text": "first"}, {"n": 8, "text": "$records"}]}


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\nfull",
        b"HTTP/1.1 301 Moved\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 429 Slow down\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\ncut",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX: Content-Length: 99\r\n\r\n5\r\nab",
        b"Content-Length: 99 is no HTTP\r\n\r\n",
        None,
    ],
)
def test_anything_but_a_whole_2xx_is_a_refusal_and_is_sent_once(answer):
    with serving(answer, OK) as server, pytest.raises(RefusedError, match=r"127\.0\.0\.1"):
        send(server, Record(0, "text"))

    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nup to the end",
    ],
)
def test_every_whole_form_of_2xx_acknowledges(answer):
    with serving(answer, close_after_each=True) as server:
        send(server, Record(0, "text"))

    assert len(server.requests) == 1


def test_a_thread_keeps_its_connection():
    with serving(OK, OK, OK) as server, closing(Http(server.url)) as intake:
        for sequence in range(3):
            intake.send(Record(sequence, "text"))

    assert (len(server.requests), server.connections) == (3, 1)


def test_a_connection_that_the_stack_closed_in_between_is_made_anew_and_is_no_refusal():
    with serving(OK, OK, close_after_each=True) as server, closing(Http(server.url)) as intake:
        intake.send(Record(0, "first"))
        assert server.closed.wait(SECONDS_MAX)
        intake.send(Record(1, "second"))

    assert (len(server.requests), server.connections) == (2, 2)


def test_after_a_refusal_the_next_record_goes_out():
    with serving(None, OK) as server, closing(Http(server.url)) as intake:
        with pytest.raises(RefusedError):
            intake.send(Record(0, "first"))
        intake.send(Record(1, "second"))

    assert [json.loads(body)["message"] for _, _, body in server.requests] == ["first", "second"]


def test_a_stack_that_is_not_there_refuses():
    with pytest.raises(RefusedError, match="ConnectionRefusedError"):
        Http(f"http://127.0.0.1:{free_port()}").send(Record(0, "text"))


def test_a_stack_that_keeps_silent_refuses_after_the_timeout():
    listener = socket.create_server(("127.0.0.1", 0))
    with listener, pytest.raises(RefusedError, match="TimeoutError"):
        Http(f"http://127.0.0.1:{listener.getsockname()[1]}", timeout_seconds=0.1).send(Record(0, "text"))


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"url": "127.0.0.1:80"}, "no HTTP address"),
        ({"url": "ftp://x/"}, "no HTTP address"),
        ({"url": "http://x/", "template": "{message: $line}"}, "is not JSON"),
        ({"url": "http://x/", "template": '{"a": "the $line"}'}, 'no text "\\$line"'),
        ({"url": "http://x/", "record": '"$line"', "template": "{}"}, 'template holds no text "\\$records"'),
        ({"url": "http://x/", "record": "{}", "template": '"$records"'}, 'record holds no text "\\$line"'),
        ({"url": "http://x/", "records_per_request": 0}, "0 is not within 1 and 1000"),
    ],
)
def test_what_cannot_be_used_is_said_with_its_remedy(arguments, problem):
    with pytest.raises(ScenarioError, match=problem):
        Http(**arguments)


def test_a_request_says_whose_records_it_brings_and_each_record_may_claim_another():
    template = '{"line": "$line", "of": "$tenant", "claims": "$other_tenant"}'
    with serving(OK) as server:
        record = Record(1, "a line", tenant="red", other_tenant="blue")
        send(server, record, template=template, **{"header.Authorization": "Bearer token-of-$tenant"})

        ((_first, headers, body),) = server.requests

    assert headers["Authorization"] == "Bearer token-of-red"
    assert json.loads(body) == {"line": "a line", "of": "red", "claims": "blue"}
