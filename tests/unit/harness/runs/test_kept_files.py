"""What a stack wrote is kept as far as it may be; whatever it left there, nothing else is read or written."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest

from harness.model.result import KeptFiles
from harness.reporting.redaction import Redaction
from harness.runs import kept_files
from harness.runs.kept_files import keep_files

LINE = "2026-11-29 20:00:01 alice moved 4,711 crowns to account 1234567890"


class Bench:
    """A stack's folder and a load's, and what is kept of them."""

    def __init__(self, folder: Path) -> None:
        self.stack, self.load = folder / "stack-1", folder / "load-1"
        self.into = folder / "run" / "kept" / "no_fault"
        self.stack.mkdir()
        self.load.mkdir()

    def write(self, name: str, content: str | bytes = "words\n", mode: int = 0o644) -> Path:
        path = self.stack / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        path.chmod(mode)
        return path

    def keep(self, *lines: str) -> KeptFiles:
        kept = keep_files(self.stack, ["shipper"], self.load, self.into, Redaction(lines, Path("/")))
        assert kept is not None
        return kept

    def text(self, name: str) -> str:
        return (self.into / "stack" / name).read_text()

    def names(self) -> list[str]:
        return sorted(str(path.relative_to(self.into)) for path in self.into.rglob("*") if path.is_file())


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_logs_and_the_runs_folder_are_kept_for_their_owner_only(bench: Bench) -> None:
    bench.write("shipper.log", "it ended\n", 0o600)
    bench.write("spool/1/segment", b"\0\1\2")
    (bench.load / "application.log").write_text("record 3 refused\n")
    (bench.load / "application.json").write_text('{"header": "mine"}')
    kept = bench.keep()

    assert kept == KeptFiles("kept/no_fault", 3, 9 + 3 + 17, ())
    assert bench.names() == ["application/application.log", "stack/shipper.log", "stack/spool/1/segment"]
    assert bench.text("shipper.log") == "it ended\n"
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (bench.into, *bench.into.rglob("*"))}
    assert modes == {0o700, 0o600}
    assert stat.S_IMODE(bench.into.parent.stat().st_mode) == 0o700


def test_a_stack_that_wrote_nothing_leaves_no_folder(bench: Bench) -> None:
    bench.write("shipper.log", "", 0o600)
    nothing = keep_files(bench.stack, ["shipper"], bench.load / "gone", bench.into, Redaction((), Path("/")))

    assert nothing is None
    assert not bench.into.exists()


def test_no_link_is_followed_and_nothing_but_plain_files_is_opened(bench: Bench, tmp_path: Path) -> None:
    secret = tmp_path / "elsewhere"
    secret.mkdir()
    (secret / "file").write_text("not the stack's\n")
    (bench.stack / "to-file").symlink_to(secret / "file")
    (bench.stack / "to-folder").symlink_to(secret)
    (bench.stack / "shipper.log").symlink_to(secret / "file")
    os.link(secret / "file", bench.stack / "hard")
    os.mkfifo(bench.stack / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(bench.stack / "socket"))
        kept = bench.keep()

    assert kept.files == 0
    assert bench.names() == []
    assert sorted(kept.left_out) == [
        "stack/hard: a file with a second name (hard link)",
        "stack/pipe: no regular file",
        "stack/shipper.log: a symbolic link",
        "stack/socket: no regular file",
        "stack/to-file: a symbolic link",
        "stack/to-folder: a symbolic link",
    ]


@pytest.mark.parametrize("name", ["keys", ".ssh", "signing-keys", "secrets", "private", "tls"])
def test_a_folder_of_keys_is_left_out_whole(bench: Bench, name: str) -> None:
    bench.write(f"{name}/deep/one", "key material\n")
    bench.write("monkeys", "no key\n")
    kept = bench.keep()

    assert kept.left_out == (f"stack/{name}/: named as a folder of keys",)
    assert bench.names() == ["stack/monkeys"]


def test_files_closed_to_others_and_files_of_keys_are_left_out(bench: Bench) -> None:
    bench.write("state", mode=0o600)
    bench.write("sealed", mode=0o400)
    bench.write("unreadable", mode=0o000)
    bench.write("server.pem")
    bench.write("id_ed25519")
    bench.write("blob", b"\0 -----BEGIN RSA PRIVATE KEY-----")
    kept = bench.keep()

    assert bench.names() == []
    assert {left_out.partition(": ")[2] for left_out in kept.left_out} == {
        "closed to others (mode 0600)",
        "closed to others (mode 0400)",
        "closed to others (mode 0000)",
        "named as a file of keys",
        "holds a private key",
    }


def test_the_beginning_and_the_end_of_a_huge_file_are_kept(bench: Bench) -> None:
    lines = [f"line {number:07d}" for number in range(300_000)]
    bench.write("shipper.log", "\n".join(lines) + "\n", 0o600)
    sparse = bench.write("sparse")
    os.truncate(sparse, 1 << 40)
    kept = bench.keep()
    shown = bench.text("shipper.log").splitlines()
    at = next(place for place, line in enumerate(shown) if line.startswith("[logquake: "))

    assert shown[:at] == lines[:at]
    assert shown[at + 1 :] == lines[-(len(shown) - at - 1) :]
    assert kept.left_out[0].startswith("stack/shipper.log: its middle: ")
    assert kept.size_bytes <= kept_files.BYTES_MAX
    assert (bench.into / "stack" / "sparse").stat().st_size <= kept_files.FILE_BYTES_MAX + 100


def test_all_files_together_have_a_cap_in_number_and_bytes_and_what_is_left_out_is_told(bench: Bench) -> None:
    for number in range(kept_files.FILES_MAX + 100):
        bench.write(f"small-{number:03d}")
    kept = bench.keep()

    assert kept.files == kept_files.FILES_MAX
    assert f"there is room for {kept_files.FILES_MAX} files" in kept.left_out[0]
    assert kept.left_out[-1] == f"{100 - kept_files.LEFT_OUT_MAX} more"
    assert len(kept.left_out) == kept_files.LEFT_OUT_MAX + 1


def test_large_files_leave_room_for_the_logs(bench: Bench) -> None:
    for number in range(8):
        bench.write(f"aaa-{number}", "x" * (kept_files.FILE_BYTES_MAX - 1))
    bench.write("shipper.log", "it ended\n", 0o600)
    kept = bench.keep()

    assert bench.text("shipper.log") == "it ended\n"
    assert kept.size_bytes <= kept_files.BYTES_MAX
    assert any("there is room for" in left_out for left_out in kept.left_out)


def test_secrets_in_texts_are_masked(bench: Bench) -> None:
    key = "-----BEGIN PRIVATE KEY-----\nMIIabc\n-----END PRIVATE KEY-----"
    texts = (
        "login password=tjolahopp!! done",
        '{"api_key": "tjolahopp!!", "n": 1}',
        "Authorization: Bearer tjolahopp!!",
        "to https://me:tjolahopp!!@store:9200/",
        f"loaded {key} done",
    )
    bench.write("notes", "\n".join(texts))
    bench.keep()
    shown = bench.text("notes")

    assert "tjolahopp" not in shown
    assert "!!" not in shown
    assert "MIIabc" not in shown
    assert shown.startswith("login password=[masked] done\n")
    assert shown.endswith("loaded [a private key, left out] done")


def test_lines_of_the_input_are_masked_and_what_is_no_text_is_left_out(bench: Bench) -> None:
    bench.write("shipper.log", f"the store did not take this one: {LINE}\n", 0o600)
    bench.write("spool", b"\0" + LINE.encode())
    kept = bench.keep(LINE)

    assert "alice" not in bench.text("shipper.log")
    assert "4,711" not in bench.text("shipper.log")
    assert bench.text("shipper.log").startswith("the store did not")
    assert kept.left_out == ("stack/spool: no text, so lines of --input in it could not be masked",)


@pytest.mark.parametrize(
    "name", ["two\nlines", "\x1b[31mred", "å ö", "-rf", "'\";$(id)", "x" * 255, "\udcff\udcfe"]
)
def test_a_name_with_odd_characters_stays_inside_and_shows_nothing_invisible(bench: Bench, name: str) -> None:
    bench.write(name, "words\n")
    bench.write(f"{name[:200]}.pem")
    kept = bench.keep()
    (only,) = bench.names()

    assert kept.files == 1
    assert only.isprintable()
    assert (bench.into / only).read_text() == "words\n"
    assert all(left_out.isprintable() for left_out in kept.left_out)


def test_a_deep_and_wide_tree_ends(bench: Bench) -> None:
    deep = bench.stack
    for _ in range(kept_files.DEPTH_MAX + 20):
        deep = deep / "d"
    deep.mkdir(parents=True)
    too_deep = bench.keep()
    for number in range(kept_files.ENTRIES_MAX + 1):
        (bench.stack / f"f{number}").touch()
    too_wide = bench.keep()

    assert too_deep.left_out[0].endswith("/: more than 16 folders deep")
    assert too_wide.left_out == ("stack/…: more than 10,000 files",)


def test_a_place_that_cannot_be_written_is_told_and_breaks_nothing(bench: Bench) -> None:
    bench.write("shipper.log", "it ended\n", 0o600)
    bench.into.parent.parent.mkdir()
    bench.into.parent.write_text("a file where a folder should be")
    kept = bench.keep()

    assert kept.files == 0
    assert kept.left_out == ("stack/shipper.log: cannot be kept: File exists",)


def test_the_logs_of_locusts_workers_and_master_are_kept(tmp_path):
    bench = Bench(tmp_path)
    for name in ("master.log", "load.worker-1.log", "load.worker-12.log", "load.worker-1.slots"):
        (bench.load / name).write_text("words\n")

    bench.keep()

    kept = {path.name for path in (bench.into / "application").iterdir()}
    assert kept == {"master.log", "load.worker-1.log", "load.worker-12.log"}
