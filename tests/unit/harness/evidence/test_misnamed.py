"""A slip in a stack file is told with what to write; what is found nowhere is the stack's own fault."""

import json
import sys

import pytest

from harness.evidence.archives.decode import DecodedArchive
from harness.evidence.archives.file import FileArchive
from harness.evidence.counters.json_file import JsonFileCounters
from harness.evidence.lines import stamp
from harness.evidence.misnamed import StackFile, absent_counters
from harness.evidence.readback import Outlets, OutletSpec
from harness.model.facts import WholeElsewhere

RUN = "20260101-000000-abcd-01"
SENT = [stamp(f"größe of order {n}\n\tat {n}", RUN, n) for n in range(5)]
PLAIN = [stamp(f"order {n} was paid", RUN, n) for n in range(5)]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "run").mkdir()
    return tmp_path / "run"


def write(path, *documents):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        "".join((each if isinstance(each, str) else json.dumps(each)) + "\n" for each in documents)
    )
    return str(path)


def outlets_of(folder, archive, letters=None, *, sent=SENT, kept=(), **names):
    """Return an archive's outlets, as they are read at the end of a run."""
    spec = OutletSpec(
        archive=lambda: archive,
        dead_letters=None if letters is None else lambda: letters,
        expected_line=sent.__getitem__,
        run_id=RUN,
        records=len(sent),
        owed=lambda: frozenset(range(len(sent))),
        file=StackFile(
            "stacks/mine.yaml",
            str(folder),
            lambda value: value.replace(str(folder), "{run.folder}").replace(RUN, "{run.id}"),
            kept,
        ),
        **names,
    )
    return Outlets(spec)


def slips(folder, archive, letters=None, **more):
    """Return what is told of an archive, as the last reading of a run tells it."""
    outlets = outlets_of(folder, archive, letters, **more)
    return list(outlets.slips(outlets.read()))


@pytest.mark.parametrize(
    ("name", "suggested"),
    [
        ("app-2026-11-30.log", "{run.folder}/app-*.log"),
        ("app.20261130.log", "{run.folder}/app.*.log"),
        ("2026.11/app.log", "{run.folder}/*/app.log"),
        ("app-1202611301.log", "{run.folder}/app-1202611301.log"),
        ("app-2026-13-30.log", "{run.folder}/app-2026-13-30.log"),
    ],
)
def test_a_date_in_the_right_name_is_suggested_as_a_pattern(folder, name, suggested):
    """The day of this run is in no name of tomorrow's."""
    write(folder / name, *PLAIN)
    (told,) = slips(folder, FileArchive(str(folder / "lines.log"), "text"), sent=PLAIN)

    assert f"write `path: {suggested}`" in told


def whole_elsewhere(folder, archive, **more):
    """Return where lines are whole that are all damaged in their place."""
    outlets = outlets_of(folder, archive, **more)
    return list(outlets.whole_elsewhere(outlets.read()))


def test_a_file_without_slips_gives_none(folder):
    path = write(folder / "a.ndjson", *({"message": line, "n": n} for n, line in enumerate(SENT)))

    assert slips(folder, FileArchive(path), order_by=("n", "_position")) == []


@pytest.mark.parametrize("field", ["event.original", "log"])
def test_a_wrong_field_is_told_with_the_one_that_holds_the_lines(folder, field):
    path = write(folder / "a.ndjson", *({"log": {"text": line}, "level": "INFO"} for line in SENT))

    assert slips(folder, FileArchive(path, field=field)) == [
        "stacks/mine.yaml archive.field: write `field: log.text`. No line of this run is where the file "
        f"says, but lines of it are elsewhere, e.g. in {path}:1."
    ]


def test_the_field_with_whole_lines_is_preferred(folder):
    documents = [{"summary": line[:5] + line[-19:], "event": {"original": line}} for line in SENT]
    path = write(folder / "a.ndjson", *documents)

    (told,) = slips(folder, FileArchive(path))

    assert "write `field: event.original`." in told


@pytest.mark.parametrize(
    ("stored", "said", "written"),
    [
        ([{"message": line} for line in PLAIN], "lines", "write `format: ndjson`."),
        (PLAIN, "ndjson", "write `format: lines`."),
        (["Traceback (most recent call last):", *PLAIN], "ndjson", "write `format: multiline`."),
        ([{"text": line} for line in PLAIN], "lines", "write `format: ndjson` and write `field: text`."),
    ],
)
def test_a_wrong_format_is_told(folder, stored, said, written):
    path = write(folder / "a.log", *stored)

    (told,) = slips(folder, FileArchive(path, format=said), sent=PLAIN)

    assert written in told


def test_a_path_that_matches_nothing_is_told_with_the_file_that_holds_the_lines(folder):
    write(folder / "logs" / f"app-{RUN}.ndjson", *({"message": line} for line in SENT))
    write(folder / "logs" / "other.txt", "nothing of ours")

    (told,) = slips(folder, FileArchive(str(folder / "log" / "*.ndjson")))

    assert "write `path: {run.folder}/logs/app-{run.id}.ndjson`." in told


def test_what_the_stack_keeps_for_itself_has_not_arrived(folder):
    spool = write(folder / "spool" / "a.ndjson", *({"message": line} for line in SENT))

    assert slips(folder, FileArchive(str(folder / "out.ndjson")), kept=(spool,)) == []


@pytest.mark.parametrize("documents", [[], [{"message": "nobody's"}], [{"message": "", "level": "INFO"}]])
def test_what_is_found_nowhere_is_no_slip(folder, documents):
    assert slips(folder, FileArchive(write(folder / "a.ndjson", *documents))) == []


def test_lines_that_were_all_damaged_are_no_slip(folder):
    documents = [{"message": line.replace("ö", "?"), "raw": line.upper()} for line in SENT]

    assert slips(folder, FileArchive(write(folder / "a.ndjson", *documents))) == []


def damaged(line):
    return line.replace("ö", "?")


def test_a_field_whose_lines_are_all_damaged_is_the_right_one_though_another_holds_them_whole(folder):
    documents = [{"message": damaged(line), "event": {"original": line}} for line in SENT]
    path = write(folder / "a.ndjson", *documents)

    assert slips(folder, FileArchive(path)) == []
    assert whole_elsewhere(folder, FileArchive(path)) == [
        WholeElsewhere("field: event.original", f"{path}:1")
    ]


def test_a_field_whose_lines_are_told_by_their_text_alone_is_the_right_one_too(folder):
    """Each is cut before its identity."""
    documents = [{"message": line.split("\n")[0], "event": {"original": line}} for line in SENT]
    path = write(folder / "a.ndjson", *documents)

    assert slips(folder, FileArchive(path)) == []
    assert [each.place for each in whole_elsewhere(folder, FileArchive(path))] == ["field: event.original"]


@pytest.mark.parametrize("ensure_ascii", [True, False])
def test_a_field_that_holds_the_line_and_more_is_a_slip(folder, ensure_ascii):
    """Nothing is damaged: the whole record stands there, and nobody took it apart."""
    documents = [
        {"message": line, "event": {"original": json.dumps({"m": line}, ensure_ascii=ensure_ascii)}}
        for line in SENT
    ]
    path = write(folder / "a.ndjson", *documents)

    (told,) = slips(folder, FileArchive(path, field="event.original"))

    assert "write `field: message`." in told
    assert whole_elsewhere(folder, FileArchive(path, field="event.original")) == []


def test_a_field_that_only_some_documents_have_damaged_lines_in_is_a_slip(folder):
    documents = [{"log": line, "error": damaged(line) if at < 2 else "no"} for at, line in enumerate(SENT)]
    path = write(folder / "a.ndjson", *documents)

    (told,) = slips(folder, FileArchive(path, field="error"))

    assert "write `field: log`." in told


def test_damage_is_told_without_another_place_where_there_is_none(folder):
    path = write(folder / "a.ndjson", *({"message": damaged(line)} for line in SENT))

    assert whole_elsewhere(folder, FileArchive(path)) == []


MIXED = [PLAIN[0], *SENT[1:3], *PLAIN[3:]]
"""Some are of one line, and some of two."""


def test_a_wrong_format_by_which_some_lines_are_right_is_told(folder):
    path = write(folder / "a.log", *MIXED)

    assert slips(folder, FileArchive(path, format="lines"), sent=MIXED) == [
        "stacks/mine.yaml archive.format: write `format: multiline`. Read as the file says, some documents "
        "are no line that was sent; read so, every one is."
    ]


@pytest.mark.parametrize(
    ("format", "stored"),
    [
        ("multiline", MIXED),
        ("multiline", [*MIXED[:4], MIXED[4].upper()]),
        ("lines", [*MIXED[:4], MIXED[4].replace("paid", "raid")]),
    ],
    ids=["the right one", "damage by the right one", "damage by every one"],
)
def test_what_no_other_format_mends_is_no_slip(folder, format, stored):
    path = write(folder / "a.log", *stored)

    assert slips(folder, FileArchive(path, format=format), sent=MIXED) == []


def test_another_field_is_no_slip_while_the_right_one_holds_a_line(folder):
    path = write(folder / "a.ndjson", {"message": SENT[0]}, *({"log": line} for line in SENT[1:]))

    assert slips(folder, FileArchive(path)) == []


def test_lines_of_another_run_are_no_slip(folder):
    path = write(folder / "a.ndjson", {"log": stamp("text", "another run", 1)})

    assert slips(folder, FileArchive(path)) == []


REVERSES = """
import json, sys
for line in sys.stdin:
    document = json.loads(line)
    print(json.dumps({"text": document["sealed"][::-1]}), flush=True)
"""
UNDECODABLE = """
import sys
for line in sys.stdin:
    print('{"undecodable": "no key"}', flush=True)
"""


@pytest.mark.parametrize(
    ("key", "program", "written"),
    [("sealed", REVERSES, "write `field: text`."), ("message", UNDECODABLE, "remove `decode`.")],
)
def test_a_wrong_decode_or_field_behind_it_is_told(folder, key, program, written):
    lines = [line[::-1] for line in SENT] if key == "sealed" else SENT
    path = write(folder / "a.ndjson", *({key: line} for line in lines))
    archive = DecodedArchive(FileArchive(path), [sys.executable, "-c", program], str(folder), {})

    (told,) = slips(folder, archive)

    assert written in told


def test_a_field_of_order_by_that_no_document_has_is_told(folder):
    path = write(folder / "a.ndjson", *({"message": line, "event": {"sequence": 1}} for line in SENT))

    assert slips(folder, FileArchive(path), order_by=("event.sequnce", "_position")) == [
        "stacks/mine.yaml promises.order_by: not one of 5 documents has it: "
        'no field "event.sequnce". Did you mean "event.sequence"?'
    ]


def arrived_but_one(folder):
    return FileArchive(write(folder / "a.ndjson", *({"message": line} for line in SENT[:4])))


def test_a_wrong_field_of_dead_letters_is_told(folder):
    letters = FileArchive(write(folder / "d.ndjson", {"document": {"message": SENT[4]}}))

    (told,) = slips(folder, arrived_but_one(folder), letters)

    assert told.startswith("stacks/mine.yaml dead_letters.field:")
    assert "write `field: document.message`." in told


def test_dead_letters_under_another_path_are_told(folder):
    write(folder / "dead" / "1.ndjson", {"message": SENT[4]})

    (told,) = slips(folder, arrived_but_one(folder), FileArchive(str(folder / "letters.ndjson")))

    assert "write `path: {run.folder}/dead/1.ndjson`." in told


def test_a_place_that_also_holds_what_arrived_is_none_of_dead_letters(folder):
    """A journal holds the lost line as well as the others: nobody would look for dead letters there."""
    write(folder / "journal.ndjson", *({"message": line} for line in SENT))

    assert slips(folder, arrived_but_one(folder), FileArchive(str(folder / "letters.ndjson"))) == []


def test_dead_letters_are_no_better_place_for_an_archive_that_is_empty(folder):
    letters = write(folder / "dead.ndjson", *({"message": line} for line in SENT))

    assert slips(folder, FileArchive(str(folder / "out.ndjson")), FileArchive(letters)) == []


def test_a_reason_that_is_in_no_dead_letter_is_told(folder):
    letters = FileArchive(write(folder / "d.ndjson", {"message": SENT[4], "error": {"reason": "mapping"}}))

    (told,) = slips(folder, arrived_but_one(folder), letters, reason_field="reason")

    assert told == (
        "stacks/mine.yaml dead_letters.reason_field: not one of 1 documents has it: "
        'no field "reason". Did you mean "error.reason"?'
    )


COUNTED = {"accepted": 5, "delivered": 5, "dropped": {"queue_full": 1}, "uptime": 7.5}


@pytest.mark.parametrize(
    ("names", "told"),
    [
        ({"accepted": ("accepted",), "delivered": ("delivered",)}, ""),
        (
            {"accepted": ("acepted",)},
            'counters.names.accepted: no counter "acepted". Did you mean "accepted"?',
        ),
        ({"accepted": ("accepted",), "dropped": ("droped",)}, 'no counter "droped". Did you mean "dropped"?'),
        (
            {"accepted": ("accepted",), "delivered": ("sent_ok",)},
            'delivered: no counter "sent_ok". Known: delivered',
        ),
        ({"accepted": ("accepted",), "held": ("waiting",)}, ""),
        ({"accepted": ("accepted",), "dropped": ("dropped.disk_full",)}, ""),
        ({"accepted": ("accepted",), "delivered": ("delivered", "replayed")}, ""),
    ],
)
def test_a_counter_under_another_key_is_told_and_one_not_begun_is_not(tmp_path, names, told):
    counters = JsonFileCounters(write(tmp_path / "status.json", COUNTED))

    found = list(absent_counters(counters, names, StackFile("mine.yaml"), ("accepted", "delivered")))

    assert len(found) == bool(told)
    assert told in "".join(found)


def test_counters_that_are_not_there_at_all_prove_no_slip(tmp_path):
    counters = JsonFileCounters(str(tmp_path / "none.json"))

    assert list(absent_counters(counters, {"accepted": ("accepted",)}, StackFile(), ("accepted",))) == []
