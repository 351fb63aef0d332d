from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from logging_system.spool.disk import Disk
from tests.crash.kills import (
    Account,
    BrokenPromiseError,
    KillingDisk,
    judge,
    kill_by_seam,
    main,
    reading_beside,
    seam_kills,
    strace_kills,
    toy_codec_kills,
)
from tests.crash.writer import work

SEAM_KILLS = 250
TOY_CODEC_KILLS = 40
STRACE_KILLS = 60


@pytest.mark.timeout(300)
def test_no_acknowledged_record_is_lost_wherever_a_process_is_killed() -> None:
    assert seam_kills(SEAM_KILLS, seed=1) > 0


@pytest.mark.timeout(300)
def test_no_acknowledged_record_is_lost_where_blocks_are_authenticated() -> None:
    assert toy_codec_kills(TOY_CODEC_KILLS, seed=1) > 0


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed (apt-get install strace)")
@pytest.mark.timeout(300)
def test_no_acknowledged_record_is_lost_at_any_system_call_of_the_write_path() -> None:
    assert strace_kills(STRACE_KILLS, seed=1) > 0


def test_a_writer_that_acknowledges_too_early_is_caught(tmp_path: Path) -> None:
    account = Account()
    account.note(f"acknowledged {'0' * 32} 1")

    with pytest.raises(BrokenPromiseError, match="1 acknowledged records are lost"):
        judge(tmp_path, account)


def test_a_torn_record_is_caught() -> None:
    with pytest.raises(BrokenPromiseError, match="was delivered as"):
        Account().note(f"delivered {'0' * 32} 1 torn")


def test_a_process_that_is_not_killed_ends_by_itself(tmp_path: Path) -> None:
    account = Account()

    assert not kill_by_seam(tmp_path, account, at_call=100_000, moment="before", sync=True)
    assert len(account.acknowledged) == 40
    judge(tmp_path, account)


def test_a_killed_writer_loses_nothing_to_a_reader_in_another_process(tmp_path: Path) -> None:
    account = Account()
    with reading_beside(tmp_path, account):
        killed = [
            kill_by_seam(tmp_path, account, at_call=at, moment="amid", sync=True, reads=False)
            for at in (30, 60, 90)
        ]
    judge(tmp_path, account)

    assert killed == [True, True, True]
    assert account.acknowledged != set()
    assert account.acknowledged <= account.delivered


def test_a_disk_that_kills_counts_every_call() -> None:
    assert {name for name in vars(Disk) if not name.startswith("_")} <= set(vars(KillingDisk(1, "before")))


def test_the_program_says_what_it_acknowledged_and_delivered(tmp_path: Path) -> None:
    said: list[str] = []
    work(tmp_path, sync=False, disk=Disk(), say=said.append)

    assert sum(line.startswith("acknowledged") for line in said) == 40
    assert sum(line.startswith("delivered") for line in said) == 40


def test_the_command_says_how_much_it_did(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seam", "3"]) == 0
    assert "crash, seam: 3 kills" in capsys.readouterr().out
