from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from logging_system.alerting.declaration import Alerts
from logging_system.alerting.muting import Silence
from logging_system.alerting.operator_file import OperatorFile
from logging_system.alerting.state_file import prepare_alerts_folder
from logging_system.alerting.watching import Watch
from logging_system.cli import main
from logging_system.monitoring.status_files import WATCH_NAME
from logging_system.spool.codec import PLAIN_CODECS
from logging_system.spool.writer import SpoolWriter
from tests.unit.logging_system.alerting.receivers import HttpReceiver, http_receiver


def line(seconds: float, service: str = "checkout") -> bytes:
    moment = datetime.fromtimestamp(seconds, UTC).isoformat()
    return orjson.dumps({"@timestamp": moment, "log": {"level": "error"}, "service": {"name": service}})


@pytest.fixture
def receiver() -> Iterator[HttpReceiver]:
    with http_receiver() as found:
        yield found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A spool in which an alert fires that `watch` has seen."""
    writer = SpoolWriter(tmp_path, spool_bytes_max=1 << 30, sync=False)
    writer.append([line(time.time()) for _ in range(12)])
    watch = Watch(
        tmp_path,
        prepare_alerts_folder(tmp_path),
        Alerts(group_wait_seconds=0),
        codecs=PLAIN_CODECS,
        masked=None,
        wake=lambda: None,
        remark=lambda _text: None,
    )
    watch.look()
    watch.close()
    return tmp_path


@pytest.fixture
def run(folder: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    capsys.readouterr()

    def run(verb: str, *words: str) -> tuple[int, str]:
        code = main(["alerts", verb, "--spool", str(folder), *words])
        shown = capsys.readouterr()
        return code, shown.out + shown.err

    return run


def test_list_shows_what_fires_and_what_is_silenced(run: Callable[..., tuple[int, str]]) -> None:
    run("silence", "rule=errors", "--hours", "1", "--comment", "deploying")
    code, shown = run("list")

    assert code == 0
    assert "1 firing" in shown
    assert "errors (service.name=checkout)  since" in shown
    assert "12 records of level error or above" in shown
    assert "rule=errors  until" in shown
    assert "deploying" in shown
    assert orjson.loads(run("list", "--json")[1])["firing"][0]["rule"] == "errors"


def test_list_says_when_nobody_watches(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["alerts", "list", "--spool", str(tmp_path)]) == 1
    assert "nobody watches it; start `watch`" in capsys.readouterr().err


def test_a_silence_can_be_ended(run: Callable[..., tuple[int, str]], folder: Path) -> None:
    _, shown = run("silence", "rule=errors")
    name = shown.split()[1]

    assert run("silence", "--end", name)[0] == 0
    assert run("silence", "--end", name)[0] == 1
    (silence,) = OperatorFile(folder / "alerts").read().silences
    assert isinstance(silence, Silence)
    assert silence.until_seconds <= time.time()


def test_an_alert_that_fires_can_be_acknowledged_and_another_not(
    run: Callable[..., tuple[int, str]],
) -> None:
    mark = orjson.loads(run("list", "--json")[1])["firing"][0]["fingerprint"]

    assert run("ack", mark)[0] == 0
    assert "(acknowledged)" in run("list")[1]
    assert run("ack", "0" * 16) == (
        1,
        f"python -m logging_system alerts: no alert {'0' * 16} fires; `alerts list` shows them\n".replace(
            "alerts:", "alerts ack:"
        ),
    )


def test_of_very_many_alerts_one_that_the_status_file_does_not_name_can_be_acknowledged(
    run: Callable[..., tuple[int, str]], folder: Path
) -> None:
    path = folder / WATCH_NAME
    path.write_bytes(orjson.dumps({**orjson.loads(path.read_bytes()), "firing_total": 200}))

    assert run("ack", "0" * 16) == (0, f"{'0' * 16} is acknowledged: it is not repeated until it ends\n")


def test_history_shows_what_began_and_was_told(run: Callable[..., tuple[int, str]]) -> None:
    _, shown = run("history")

    assert [row.split()[3] for row in shown.splitlines()] == ["began", "told", "sent"]


def test_test_sends_a_message_to_a_channel(
    run: Callable[..., tuple[int, str]], folder: Path, receiver: HttpReceiver
) -> None:
    file = folder / "alerts.yaml"
    file.write_text(f"channels: [{{kind: webhook, name: hook, url: '{receiver.url}'}}]")
    receiver.answers = [(200, {}), (503, {})]

    assert run("test", "--alerts", str(file), "--channel", "hook") == (0, "hook: taken\n")
    assert run("test", "--alerts", str(file)) == (1, "hook: the receiver answered 503\n")
    assert receiver.bodies[0]["alerts"][0]["rule"] == "test"


def test_explain_says_how_near_records_came_to_the_limit(
    run: Callable[..., tuple[int, str]], folder: Path
) -> None:
    assert "at most 12 records of level error or above within 60 s" in run("explain", "errors")[1]

    file = folder / "records.ndjson"
    file.write_bytes(b"\n".join(line(1_700_000_000 + 30 * number) for number in range(7)))
    _, shown = run("explain", "errors", str(file))
    assert "errors (service.name=checkout): at most 2 records of level error or above within 60 s" in shown
    assert ", at 2023-11-14 22:13:50 UTC; the limit is 10" in shown


def test_backtest_says_what_would_have_fired(run: Callable[..., tuple[int, str]], folder: Path) -> None:
    file = folder / "records.ndjson"
    lines = [line(1_700_000_000 + number) for number in range(12)]
    lines += [line(1_700_007_200 + number) for number in range(12)]
    lines += [b"no json", orjson.dumps({"_source": {"message": "no time"}})]
    file.write_bytes(b"\n".join(lines))
    code, shown = run("backtest", str(file))

    assert code == 0
    assert shown.count("began  errors (service.name=checkout)") == 2
    assert shown.count("ended  errors") == 2
    assert "2 alerts, 4 messages, from 24 records" in shown
    assert "1 records have no @timestamp" in shown


@pytest.mark.parametrize(
    "words",
    [
        ("explain", "erors"),
        ("silence",),
        ("silence", "errors"),
        ("silence", "rule=errors", "--hours", "0"),
        ("test", "--channel", "nowhere"),
    ],
)
def test_a_mistake_ends_with_4(run: Callable[..., tuple[int, str]], words: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as ended:
        run(*words)
    assert ended.value.code == 4
