from __future__ import annotations

import os
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from logging_system.connections.tls import Trust, of_verification
from logging_system.delivery.outcomes import Delivered, OneForEach, Unknown
from logging_system.sinks.elasticsearch.sink import ElasticsearchSink
from tests.certificates import Authority
from tests.outcomes import kinds
from tests.unit.logging_system.store_server import CREATED, ITEMS, StoreServer, http


@pytest.fixture(scope="module")
def authorities() -> tuple[Authority, Authority]:
    return Authority.make("first"), Authority.make("second")


@pytest.fixture
def server(authorities: tuple[Authority, Authority], tmp_path: Path) -> Iterator[StoreServer]:
    """A store whose certificate the first authority signed."""
    opened = StoreServer(http(CREATED), authorities[0].server_context(tmp_path / "server"))
    yield opened
    opened.close()


def believed(path: Path, *authorities: Authority) -> Path:
    path.write_bytes(b"".join(authority.pem for authority in authorities))
    return path


def sent(sink: ElasticsearchSink) -> str:
    """Whether a request was answered, or why not."""
    outcome = sink.send(ITEMS)
    if isinstance(outcome, Unknown):
        return outcome.reason
    assert set(kinds(outcome, len(ITEMS))) == {Delivered}
    return "answered"


def test_a_server_signed_by_the_authority_named_is_believed(
    server: StoreServer, authorities: tuple[Authority, Authority], tmp_path: Path
) -> None:
    with closing(
        ElasticsearchSink([server.url], "logs", ca_certs=believed(tmp_path / "ca", authorities[0]))
    ) as sink:
        assert isinstance(sink.send(ITEMS), OneForEach)


def test_a_server_is_believed_whose_authority_elasticsearch_made_for_itself(tmp_path: Path) -> None:
    authority = Authority.make_as_elasticsearch()
    ca_certs = believed(tmp_path / "ca", authority)
    server = StoreServer(http(CREATED), authority.server_context(tmp_path / "server"))
    with closing(server), closing(ElasticsearchSink([server.url], "logs", ca_certs=ca_certs)) as sink:
        assert sent(sink) == "answered"


@pytest.mark.parametrize("host", ["elsewhere.example", "127.0.0.1"])
def test_what_is_not_checked_strictly_is_checked_all_the_same(tmp_path: Path, host: str) -> None:
    authority, other = Authority.make_as_elasticsearch(), Authority.make_as_elasticsearch()
    ca_certs = believed(tmp_path / "ca", other if host == "127.0.0.1" else authority)
    server = StoreServer(http(CREATED), authority.server_context(tmp_path / "server", host=host))
    with closing(server), closing(ElasticsearchSink([server.url], "logs", ca_certs=ca_certs)) as sink:
        assert "certificate is not trusted" in sent(sink)
        assert server.requests == []


@pytest.mark.parametrize("named", [True, False])
def test_no_context_checks_the_form_of_certificates_strictly(
    authorities: tuple[Authority, Authority], tmp_path: Path, named: bool
) -> None:
    context = Trust(believed(tmp_path / "ca", authorities[0]) if named else None).context()

    assert not context.verify_flags & ssl.VERIFY_X509_STRICT
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)


def test_a_server_that_is_refused_for_its_certificates_form_comes_with_a_remedy(tmp_path: Path) -> None:
    authority = Authority.make_as_elasticsearch()
    strict = ssl.create_default_context(cadata=authority.pem.decode())
    strict.verify_flags |= ssl.VERIFY_X509_STRICT
    with closing(StoreServer(http(CREATED), authority.server_context(tmp_path / "server"))) as server:
        port = int(server.url.rpartition(":")[2])
        with (
            socket.create_connection(("127.0.0.1", port)) as raw,
            pytest.raises(ssl.SSLCertVerificationError) as refused,
        ):
            strict.wrap_socket(raw, server_hostname="127.0.0.1")
    text = of_verification(refused.value)

    assert text.startswith(f"the server certificate is not trusted: {refused.value.verify_message}; ")
    assert "elasticsearch-certutil" in text


@pytest.mark.parametrize("named", [True, False], ids=["another authority", "the system's authorities"])
def test_any_other_server_is_not_and_the_trouble_says_why(
    server: StoreServer, authorities: tuple[Authority, Authority], tmp_path: Path, named: bool
) -> None:
    ca_certs = believed(tmp_path / "ca", authorities[1]) if named else None
    with closing(ElasticsearchSink([server.url], "logs", ca_certs=ca_certs)) as sink:
        trouble = sink.prepare() or ""
        answer = sink.send(ITEMS)

    assert isinstance(answer, Unknown)
    assert answer.may_have_stored is False
    assert server.url in trouble
    assert "certificate is not trusted" in trouble
    assert (str(ca_certs) in trouble) is named
    assert answer.reason == trouble
    assert server.requests == []


def test_a_certificate_for_another_host_is_not_believed(
    authorities: tuple[Authority, Authority], tmp_path: Path
) -> None:
    context = authorities[0].server_context(tmp_path / "server", host="elsewhere.example")
    ca_certs = believed(tmp_path / "ca", authorities[0])
    server = StoreServer(http(CREATED), context)
    with closing(server), closing(ElasticsearchSink([server.url], "logs", ca_certs=ca_certs)) as sink:
        reason = sent(sink)

    assert "is not valid for '127.0.0.1'" in reason
    assert server.requests == []


def test_a_host_name_in_the_certificate_is_checked_too(
    authorities: tuple[Authority, Authority], tmp_path: Path
) -> None:
    context = authorities[0].server_context(tmp_path / "server", host="localhost")
    ca_certs = believed(tmp_path / "ca", authorities[0])
    with closing(StoreServer(http(CREATED), context)) as server:
        url = server.url.replace("127.0.0.1", "localhost")
        with closing(ElasticsearchSink([url], "logs", ca_certs=ca_certs)) as sink:
            assert sent(sink) == "answered"


def test_verification_can_be_switched_off_and_that_is_said(
    server: StoreServer, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(ElasticsearchSink([server.url], "logs", verify=False)) as sink:
        assert sent(sink) == "answered"

    assert "certificate verification is off" in caplog.text


def rewritten(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def renamed_over(path: Path, content: bytes) -> None:
    fresh = path.with_suffix(".fresh")
    fresh.write_bytes(content)
    fresh.rename(path)


def linked_anew(path: Path, content: bytes) -> None:
    """As a mounted Kubernetes secret changes: a link is replaced by a link to another file."""
    fresh, link = path.with_suffix(".data"), path.with_suffix(".link")
    fresh.write_bytes(content)
    link.symlink_to(fresh)
    link.rename(path)


def rewritten_with_the_old_times(path: Path, content: bytes) -> None:
    before = path.stat()
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize("change", [rewritten, renamed_over, linked_anew, rewritten_with_the_old_times])
def test_authorities_are_replaced_without_a_restart(
    authorities: tuple[Authority, Authority], tmp_path: Path, change: object
) -> None:
    first, second = authorities
    ca_certs = believed(tmp_path / "ca", first)
    server = StoreServer(http(CREATED), first.server_context(tmp_path / "first"))
    with closing(server), closing(ElasticsearchSink([server.url], "logs", ca_certs=ca_certs)) as sink:
        before = sent(sink)
        change(ca_certs, second.pem)  # type: ignore[operator]
        with_old_server = sent(sink)
        server.context = second.server_context(tmp_path / "second")
        after = [sent(sink), sent(sink)]

    assert before == "answered"
    assert "certificate is not trusted" in with_old_server
    assert after == ["answered", "answered"]


def test_connections_made_under_the_old_authorities_are_closed(
    server: StoreServer, authorities: tuple[Authority, Authority], tmp_path: Path
) -> None:
    ca_certs = believed(tmp_path / "ca", authorities[0])
    with closing(ElasticsearchSink([server.url], "logs", ca_certs=ca_certs)) as sink:
        sent(sink), sent(sink)
        before = server.connections
        believed(ca_certs, *authorities)
        assert sent(sink) == "answered"

    assert (before, server.connections) == (1, 2)


def test_a_half_written_file_leaves_the_old_authorities_in_use_until_it_is_whole(
    server: StoreServer,
    authorities: tuple[Authority, Authority],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    ca_certs = believed(tmp_path / "ca", authorities[0])
    with closing(ElasticsearchSink([server.url], "logs", ca_certs=ca_certs)) as sink:
        ca_certs.write_bytes(authorities[1].pem[:200])
        meanwhile = [sent(sink), sent(sink)]
        believed(ca_certs, authorities[1])
        whole = sent(sink)

    assert meanwhile == ["answered", "answered"]
    assert "certificate is not trusted" in whole
    assert caplog.text.count("the authorities read before stay in use") == 1


@pytest.mark.parametrize("content", [None, b"", b"no certificate"], ids=["missing", "empty", "garbage"])
def test_a_file_without_authorities_is_refused_at_the_start(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(ValueError, match=r"ca\.pem: .*; name a readable file of PEM certificates"):
        Trust(path)


def test_the_authorities_are_those_of_the_file_alone(
    authorities: tuple[Authority, Authority], tmp_path: Path
) -> None:
    context = Trust(believed(tmp_path / "ca", authorities[0])).context()

    assert len(context.get_ca_certs()) == 1
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname is True


def test_a_node_that_speaks_no_tls_is_told_apart() -> None:
    listener = socket.create_server(("127.0.0.1", 0))

    def answer_plainly() -> None:
        connection, _address = listener.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    thread = threading.Thread(target=answer_plainly)
    thread.start()
    url = f"https://127.0.0.1:{listener.getsockname()[1]}"
    with listener, closing(ElasticsearchSink([url], "logs")) as sink:
        reason = sent(sink)
        thread.join(10)

    assert "does not speak TLS" in reason


def test_requests_go_on_while_the_authorities_are_replaced_again_and_again(
    server: StoreServer, authorities: tuple[Authority, Authority], tmp_path: Path
) -> None:
    first, second = authorities
    ca_certs = believed(tmp_path / "ca", first)
    outcomes: list[str] = []
    with closing(ElasticsearchSink([server.url], "logs", ca_certs=ca_certs)) as sink:

        def keep_sending() -> None:
            outcomes.extend(sent(sink) for _ in range(100))

        threads = [threading.Thread(target=keep_sending) for _ in range(2)]
        for thread in threads:
            thread.start()
        for number in range(30):
            renamed_over(ca_certs, first.pem + (second.pem if number % 2 else b""))
        for thread in threads:
            thread.join(30)

    assert outcomes == ["answered"] * 200


def test_a_handshake_that_drips_is_given_up_in_time(tmp_path: Path) -> None:
    with closing(StoreServer(None)) as server:
        url = server.url.replace("http:", "https:")
        with closing(ElasticsearchSink([url], "logs", request_timeout_seconds=0.3)) as sink:
            answer = sink.send(ITEMS)

    assert isinstance(answer, Unknown)
    assert "no complete answer within 0.3 s" in answer.reason


def test_an_answer_that_drips_over_tls_is_given_up_in_time(
    server: StoreServer, authorities: tuple[Authority, Authority], tmp_path: Path
) -> None:
    def answer_slowly(_request: bytes) -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
        while not server.wait(0.05):
            yield b" "

    server.answer = answer_slowly
    ca_certs = believed(tmp_path / "ca", authorities[0])
    with closing(
        ElasticsearchSink([server.url], "logs", ca_certs=ca_certs, request_timeout_seconds=0.3)
    ) as sink:
        reason = sent(sink)

    assert "no complete answer within 0.3 s" in reason
