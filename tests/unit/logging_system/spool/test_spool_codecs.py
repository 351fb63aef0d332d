"""A codec with keys, from the writer to the reader, inspection, replay and retention."""

from __future__ import annotations

import ast
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
import pytest

import logging_system
from logging_system.gateway.intake import DiskError, Intake
from logging_system.handler.handler import SpoolHandler
from logging_system.shipping.dead_letters import DeadLetter
from logging_system.shipping.replay import new_epoch, replay
from logging_system.shipping.shipper import STATUS_NAME, Shipper
from logging_system.sinks.file import FileSink
from logging_system.spool.codec import PLAIN, BlockContext, Codecs, KeyUnavailableError, PlainCodec
from logging_system.spool.frame import (
    BLOCK_HEADER_BYTES,
    FILE_HEADER_BYTES,
    FrameError,
    decode_block_header,
    decode_documents,
    encode_block,
)
from logging_system.spool.inspection import Severity, inspect, verify
from logging_system.spool.reader import SpoolReader
from logging_system.spool.retention import Retention, evict
from logging_system.spool.writer import SpoolWriter
from tests.toy_codec import ToyCodec, toy_codecs
from tests.unit.logging_system.spooling import acknowledge, append, numbered, read_all

EPOCH = b"0123456789abcdef"


def toy_writer(folder: Path, codecs: Codecs, spool_bytes_max: int = 1 << 20) -> SpoolWriter:
    return SpoolWriter(folder, spool_bytes_max=spool_bytes_max, sync=False, codecs=codecs)


@contextmanager
def toy_reading(folder: Path, codecs: Codecs) -> Iterator[SpoolReader]:
    reader = SpoolReader(folder, codecs)
    try:
        yield reader
    finally:
        reader.close()


def test_what_is_authenticated_is_the_epoch_and_the_header_before_the_payload() -> None:
    header = encode_block(EPOCH, 5, [b"a", b"b"], toy_codecs())[:BLOCK_HEADER_BYTES]
    context = BlockContext(EPOCH, 7, 5, 2)

    assert context.associated_data == EPOCH + header[12:28]


def test_a_codec_gets_the_context_that_the_block_has() -> None:
    class Noting(PlainCodec):
        seen: list[BlockContext] = []  # noqa: RUF012 - of this test alone

        def encode(self, payload: bytes, context: BlockContext) -> tuple[bytes, ...]:
            self.seen.append(context)
            return (payload,)

    encode_block(EPOCH, 5, [b"a", b"b"], Codecs.of(Noting()))

    assert Noting.seen == [BlockContext(EPOCH, 0, 5, 2)]


@pytest.mark.parametrize(
    ("epoch", "first_sequence", "count"), [(b"another-writer!!", 1, 2), (EPOCH, 2, 2), (EPOCH, 1, 1)]
)
def test_a_block_moved_to_another_place_is_refused(epoch: bytes, first_sequence: int, count: int) -> None:
    """Only the codec can tell: whoever moves a block makes its checksums fit."""
    stored = encode_block(EPOCH, 1, [b"a", b"b"], toy_codecs())[BLOCK_HEADER_BYTES:]

    class Replaying(PlainCodec):
        number = ToyCodec.number

        def encode(self, payload: bytes, _context: BlockContext) -> tuple[bytes, ...]:
            return (stored,)

    moved = encode_block(epoch, first_sequence, [b"x"] * count, Codecs.of(Replaying()))
    header = decode_block_header(epoch, moved)

    assert header is not None
    with pytest.raises(FrameError):
        decode_documents(epoch, header, moved[BLOCK_HEADER_BYTES:], toy_codecs())


def test_nothing_readable_is_stored_and_all_is_read_back(tmp_path: Path) -> None:
    spool_writer = toy_writer(tmp_path, toy_codecs())
    spool_writer.append([b'{"message":"secret"}'])
    spool_writer.seal()
    (path,) = tmp_path.glob("*.segment")

    assert b"secret" not in path.read_bytes()
    assert verify(tmp_path, toy_codecs()) == []
    assert inspect(tmp_path).undelivered == 1
    with toy_reading(tmp_path, toy_codecs()) as reader:
        assert read_all(reader) == [(1, b'{"message":"secret"}')]
        acknowledge(reader, spool_writer.epoch, 2)
        assert (reader.damage.corrupted_blocks, reader.unavailable) == (0, {})
    assert not list(tmp_path.glob("*.segment"))


def test_a_spool_holds_blocks_of_several_codecs_and_keys(tmp_path: Path) -> None:
    toy = ToyCodec({"k1": b"one"})
    spool_writer = toy_writer(tmp_path, Codecs.of(PLAIN))
    append(spool_writer, 1, 2)
    for key_id in ("k1", "k2"):
        toy.keys[key_id] = key_id.encode()
        spool_writer._codecs = Codecs.of(toy)
        append(spool_writer, spool_writer.next_sequence, spool_writer.next_sequence + 1)
    spool_writer.seal()

    with toy_reading(tmp_path, Codecs.of(toy, PLAIN)) as reader:
        assert read_all(reader) == numbered(1, 6)


@pytest.mark.parametrize("sealed", [True, False])
def test_a_block_whose_key_is_missing_waits_until_it_comes(tmp_path: Path, sealed: bool) -> None:
    writing = ToyCodec({"k1": b"one"})
    spool_writer = toy_writer(tmp_path, Codecs.of(writing))
    append(spool_writer, 1, 2)
    writing.keys["k2"] = b"two"
    append(spool_writer, 3, 4)
    del writing.keys["k2"]
    append(spool_writer, 5, 6)
    epoch = spool_writer.epoch
    if sealed:
        spool_writer.seal()
    else:
        spool_writer.forget()
    other = toy_writer(tmp_path, Codecs.of(writing))
    append(other, 1, 1)
    other.seal()
    reading_codec = ToyCodec({"k1": b"one"})
    with toy_reading(tmp_path, Codecs.of(reading_codec)) as reader:
        found = read_all(reader)
        assert sorted(found) == sorted([*numbered(1, 2), *numbered(1, 1)])
        assert reader.unavailable == {"key k2": 1}
        acknowledge(reader, epoch, 3)
        acknowledge(reader, other.epoch, 2)
        assert reader.damage.corrupted_blocks == reader.damage.unclean_exits == 0
        assert not list(tmp_path.glob("*.corrupt"))
    with toy_reading(tmp_path, Codecs.of(reading_codec)) as reader:
        assert read_all(reader) == []
        reading_codec.keys["k2"] = b"two"
        assert read_all(reader) == numbered(3, 6)
        assert reader.unavailable == {}
        acknowledge(reader, epoch, 7)
        assert reader.damage.corrupted_records == 0
    assert not list(tmp_path.glob("*-0*"))


def test_a_block_changed_under_a_checksum_that_fits_is_damage(tmp_path: Path) -> None:
    spool_writer = toy_writer(tmp_path, toy_codecs())
    append(spool_writer, 1, 2)
    (path,) = tmp_path.glob("*.open")
    with path.open("ab") as file:
        file.write(encode_block(spool_writer.epoch, 3, [b"3"], Codecs.of(ToyCodec({"k1": b"wrong"}))))
    spool_writer.next_sequence = 4
    spool_writer.seal()
    append(spool_writer, 4, 4)
    spool_writer.seal()

    (finding,) = verify(tmp_path, toy_codecs())
    assert (finding.severity, finding.records) == (Severity.LOSS, 1)
    with toy_reading(tmp_path, toy_codecs()) as reader:
        assert read_all(reader) == [*numbered(1, 2), (4, b"4")]
        assert (reader.damage.corrupted_records, reader.damage.corrupted_blocks) == (1, 1)


def test_inspection_says_what_waits_for_a_key_and_counts_it_as_not_delivered(tmp_path: Path) -> None:
    spool_writer = toy_writer(tmp_path, toy_codecs())
    append(spool_writer, 1, 2)
    spool_writer.seal()

    (finding,) = verify(tmp_path, Codecs.of(ToyCodec({})))
    assert finding.severity is Severity.NOTICE
    assert finding.what == "key k1 is not available; 2 records and all later ones of this writer wait for it"
    assert finding.offset_bytes == FILE_HEADER_BYTES
    (finding,) = verify(tmp_path)
    assert finding.what == "codec 7 is not available; 2 records and all later ones of this writer wait for it"
    assert inspect(tmp_path).undelivered == 2


def test_retention_needs_no_key(tmp_path: Path) -> None:
    spool_writer = toy_writer(tmp_path, toy_codecs())
    append(spool_writer, 1, 2)
    spool_writer.seal()
    append(spool_writer, 3, 3)
    spool_writer.seal()

    assert evict(tmp_path, Retention(bytes_max=0), now_seconds=0.0).records == 3
    with toy_reading(tmp_path, Codecs.of(ToyCodec({}))) as reader:
        assert read_all(reader) == []
        assert (reader.damage.evicted_records, reader.unavailable) == (3, {})


def test_a_replayed_letter_is_stored_as_every_block_is(tmp_path: Path) -> None:
    letter = DeadLetter(f"{'0' * 32}-1", "", 400, "", {"message": "secret"})
    (done,) = replay(tmp_path, [letter], spool_bytes_max=1 << 20, codecs=toy_codecs())

    assert not any(b"secret" in path.read_bytes() for path in tmp_path.glob("*.segment"))
    with toy_reading(tmp_path, toy_codecs()) as reader:
        (block,) = reader.read(1 << 20)
    assert done.new_id == f"{new_epoch(letter.id).hex()}-1"
    assert (block.epoch, block.documents) == (new_epoch(letter.id), (b'{"message":"secret"}',))


def test_a_writer_without_a_key_writes_nothing_and_goes_on_when_there_is_one(tmp_path: Path) -> None:
    toy = ToyCodec({})
    spool_writer = toy_writer(tmp_path, Codecs.of(toy))
    with pytest.raises(KeyUnavailableError):
        append(spool_writer, 1, 2)
    assert not any(tmp_path.glob("*-*"))
    toy.keys["k1"] = b"one"
    append(spool_writer, 1, 2)
    spool_writer.seal()

    with toy_reading(tmp_path, Codecs.of(toy)) as reader:
        assert read_all(reader) == numbered(1, 2)


def test_a_handler_without_a_key_keeps_its_records_until_there_is_one(tmp_path: Path) -> None:
    toy = ToyCodec({})
    handler = SpoolHandler(spool=tmp_path, service="s", durability="write", codecs=Codecs.of(toy))
    try:
        handler.handle(logging.LogRecord("app", logging.INFO, "", 0, "kept", None, None))
        assert not handler.flush(0.2)
        assert handler.stats().spool_errors.keys() == {"KeyUnavailableError"}
        toy.keys["k1"] = b"one"
        assert handler.flush(20.0)
    finally:
        handler.close()

    assert handler.stats().admitted == 1
    with toy_reading(tmp_path, Codecs.of(toy)) as reader:
        ((_, document),) = read_all(reader)
    assert orjson.loads(document)["message"] == "kept"


def test_a_gateway_without_a_key_refuses_so_that_clients_send_again(tmp_path: Path) -> None:
    intake = Intake(
        toy_writer(tmp_path, Codecs.of(ToyCodec({}))), pending_bytes_max=1_000, status_folder=tmp_path
    )
    intake.start()
    try:
        with pytest.raises(DiskError, match="key none is not available"):
            intake.offer([b"{}"]).result(20.0)
        assert intake.trouble == "key none is not available"
    finally:
        assert intake.close(20.0)

    assert intake.counters().dropped == {"spool_refused": 1}


def test_a_shipper_says_what_waits_for_a_key(tmp_path: Path) -> None:
    folder = tmp_path / "spool"
    spool_writer = toy_writer(folder, toy_codecs())
    append(spool_writer, 1, 2)
    spool_writer.seal()
    shipper = Shipper(folder, FileSink(tmp_path / "out.ndjson"), codecs=Codecs.of(ToyCodec({})))
    shipper._read_spool()
    shipper.stop()
    shipper.run()
    status = orjson.loads((folder / STATUS_NAME).read_bytes())

    assert (status["unavailable_epochs"], status["unavailable"]) == (1, {"key k1": 1})
    assert (status["corrupted"], status["delivered"], status["admitted"]) == (0, 0, 0)
    assert len(list(folder.glob("*.segment"))) == 1


@pytest.mark.parametrize("numbers", [(7, 7), (254,), (-1,)])
def test_codecs_have_numbers_of_their_own(numbers: tuple[int, ...]) -> None:
    def numbered_codec(number: int) -> PlainCodec:
        codec = PlainCodec()
        codec.number = number
        return codec

    with pytest.raises(ValueError, match="0 to 253"):
        Codecs.of(*map(numbered_codec, numbers))


OPENERS = {
    "SpoolWriter", "SpoolReader", "SpoolHandler", "Shipper", "InProcessShipper", "Service", "replay",
    "verify",
}  # fmt: skip


def test_everybody_who_opens_a_spool_says_which_codecs_it_has() -> None:
    """One that forgot would write plain text where blocks are to be encrypted."""
    package = Path(logging_system.__file__).parent
    forgotten = [
        f"{path.relative_to(package)}:{call.lineno}"
        for path in package.rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id in OPENERS
        and "codecs" not in ast.unparse(call)
    ]

    assert forgotten == []
