"""What each tenant's readers get, read from archives and from files."""

import pytest

from harness.evidence.archives.file import FileArchive
from harness.evidence.lines import stamp
from harness.evidence.tenants import TenantsReader
from harness.model.errors import StackError
from harness.model.facts import ReadByTenant, TenantsRead

RUN = "run-1"


class Unreadable(FileArchive):
    def __init__(self):
        super().__init__("")

    def refresh(self):
        raise StackError("the store is down")


@pytest.fixture
def read(tmp_path):
    """Return what is read where red and blue have these lines stored, and these texts shown."""

    def of(stored, shown=None):
        for tenant, sequences in stored.items():
            lines = [stamp(f"line {sequence}", RUN, sequence) for sequence in sequences]
            (tmp_path / f"stored-{tenant}").write_text("".join(f"{line}\n" for line in lines))
        for tenant, text in (shown or {}).items():
            (tmp_path / f"shown-{tenant}.txt").write_bytes(text)
        archives = {
            tenant: lambda tenant=tenant: FileArchive(str(tmp_path / f"stored-{tenant}"), format="multiline")
            for tenant in stored
        }
        patterns = {tenant: str(tmp_path / f"shown-{tenant}.*") for tenant in stored}
        return list(TenantsReader(archives, patterns, RUN).whole(9))

    return of


def test_each_stored_record_is_told_with_who_found_it(read):
    *records, end = read({"red": [1, 2], "blue": [2]})

    assert [(each.tenant, each.sequence, each.stored) for each in records] == [
        ("red", 1, True),
        ("red", 2, True),
        ("blue", 2, True),
    ]
    assert end == TenantsRead(9)


def test_what_a_reader_showed_is_found_in_any_form_and_told_once(read):
    own, other = stamp("a line", RUN, 3), stamp("another", RUN, 4)
    shown = f'{{"message": "{own}"}}\r\n\x1b[31m{other} {own}\x1b[0m\xff'.encode("latin-1")

    records = read({"red": [], "blue": []}, {"blue": shown})

    assert records == [
        ReadByTenant("blue", 3, "shown-blue.txt", stored=False),
        ReadByTenant("blue", 4, "shown-blue.txt", stored=False),
        TenantsRead(9),
    ]


def test_an_identity_across_two_pieces_of_a_large_file_is_found(read):
    line = stamp("", RUN, 5).encode()
    for before in range(-25, 5):
        shown = b"x" * ((1 << 20) + before) + b" " + line + b"\n"
        records = read({"red": []}, {"red": shown})
        assert [each.sequence for each in records[:-1]] == [5], before


def test_what_cannot_be_read_is_said_and_the_others_are_read(tmp_path):
    (tmp_path / "stored").write_text(stamp("a line", RUN, 1) + "\n")
    path = str(tmp_path / "stored")
    archives = {"red": Unreadable, "blue": lambda: FileArchive(path, format="multiline")}

    facts = list(TenantsReader(archives, {}, RUN).whole(9))

    assert facts == [
        ReadByTenant("blue", 1, f"{path}:1", stored=True),
        TenantsRead(9, "what red reads: the store is down"),
    ]
