"""The spool's world with its blocks sealed, and keys that are rotated and out of reach.

What is promised beside what the spool promises: all that was acknowledged opens for whoever is given the
keys, nothing of it and no key is on the disk in the clear, no nonce is used twice under one data key,
writers go on in an outage where they can, readers that are there are waited for, and a rotation comes to
its end.
"""

from __future__ import annotations

import contextlib
import random
from base64 import b64encode, urlsafe_b64decode
from collections.abc import Callable, Iterator

import orjson

from logging_system.encryption import fields
from logging_system.encryption.block_codec import SealedBlocks
from logging_system.encryption.envelope import SealError, read_header
from logging_system.encryption.fields import EncryptFields
from logging_system.keys.audit_log import AuditLog
from logging_system.keys.durable_files import FileHeldError
from logging_system.keys.keyring import KeyringError, KeyState
from logging_system.keys.leases import LEASE_SECONDS
from logging_system.keys.provider import DATA_KEY_BYTES, KeyProviderError
from logging_system.records.document import Record
from logging_system.records.processors import Drop
from logging_system.spool.codec import PLAIN, BlockContext, Codecs, KeyUnavailableError
from logging_system.spool.writer import SpoolFullError, SpoolWriter
from tests.simulation.disk import FOLDER, Process
from tests.simulation.key_server import COPY_SECONDS, KEY_ID, TROUBLES, KeyServer
from tests.simulation.keyed_process import KEYS, Ground, KeyedProcess, KeyParts
from tests.simulation.keys_steps import ROTATORS, KeySetting
from tests.simulation.spool_steps import Setting, Step
from tests.simulation.spool_world import BrokenPromiseError, Parts, World, WriterSeat

CONVERGES_WITHIN_SECONDS = LEASE_SECONDS + 30.0
"""Far below an epoch of five minutes: the lease of who died, and a few looks."""
NOTE, CARD = "canary-note-", "canary-card-"
_CANARY = b"canary-"
_LETTERS = FOLDER / "dead-letters.ndjson"
_ROTATOR_SECONDS = 10
_WORK_SECONDS = 3
_CARD_EVERY = 6
_RETRY_SECONDS = 1.5
_KEYRING_LOCK = "keys/keyring.json.lock"
_KEYS_SOUGHT_MAX = 6


class KeyedWorld(World):
    """Writers, a reader, rotators and people who look back, on one disk and with one key server.

    Args:
        setting: What holds for the run.
        parts: What it is made of.
        keys: What holds for its keys.
        key_parts: What they are made of.
        more: What another world beside this one takes.
    """

    refusals = (
        OSError,
        SpoolFullError,
        KeyUnavailableError,
        KeyProviderError,
        KeyringError,
        FileHeldError,
    )

    def __init__(
        self, setting: Setting, parts: Parts, keys: KeySetting, key_parts: KeyParts, *more: object
    ) -> None:
        self.rotations = 0
        self._key_parts = key_parts
        self._random = random.Random(f"keys {setting.seed}")
        self._keyed: dict[Process, KeyedProcess] = {}
        self._parent: KeyedProcess | None = None
        self._rotators: list[Process | None] = [None] * ROTATORS
        self._looker: Process | None = None
        self._nonces: set[tuple[bytes, bytes]] = set()
        self._data_keys: list[bytes] = []
        self._letters: dict[str, bytes] = {}
        self._written: list[bytes] = []
        self._broken = ""
        self._server = KeyServer(
            random.Random(f"key server {setting.seed}"), self._now, keys.has_public_keys, keys.lags
        )
        self._keys = keys
        super().__init__(setting, parts, *more)
        self._disk.on_written = self._note_written

    def act(self, step: Step) -> None:
        super().act(step)
        if self._broken:
            raise BrokenPromiseError(self._broken)

    def finish(self) -> None:
        self._server.trouble, self._server.troubled_seconds = "", self._now()
        for _ in range(2):  # one that was under way, and one from its beginning
            self._converge()
        super().finish()
        self._judge_keys()
        self._judge_keyring()

    def close(self) -> None:
        """Let go of the world: leases are noted for the end of this program, with their disk."""
        self._disk.on_written = self._disk.on_evicted = self._disk.meanwhile = None

    def _actions(self) -> dict[str, Callable[[Step], None]]:
        return super()._actions() | {
            "begin": self._begin,
            "advance": self._advance,
            "outage": self._outage,
            "outage_ends": self._outage_ends,
            "wait": self._wait,
            "fork": self._fork,
            "letter": self._letter,
            "look_back": self._look_back,
            "kill_rotator": self._kill_rotator,
        }

    # What actors do

    def _begin(self, step: Step) -> None:
        destroys_old = step.amount % 4 == 0
        why = "suspicion" if destroys_old else "demand"
        self._rotator(step).rotator.begin(KEY_ID, why, destroys_old=destroys_old)

    def _advance(self, step: Step) -> None:
        rotator = self._rotator(step).rotator
        before = self._server.minimum
        rotator.advance(KEY_ID)
        self.rotations += self._server.minimum > before

    def _outage(self, step: Step) -> None:
        self._disk.struck += 1
        self._server.trouble = list(TROUBLES)[step.amount % len(TROUBLES)]
        self._server.troubled_seconds = self._now()

    def _outage_ends(self, step: Step) -> None:
        del step
        if self._server.trouble:
            self._server.trouble, self._server.troubled_seconds = "", self._now()

    def _wait(self, step: Step) -> None:
        self._disk.now_seconds += step.amount

    def _fork(self, step: Step) -> None:
        """Let a writer's process fork; its child takes another writer's place."""
        parent = self._seats[step.actor].process
        seat = self._seats[(step.actor + 1) % len(self._seats)]
        if parent is None or seat.process is parent:
            return
        if seat.process is not None:
            self._disk.kill(seat.process)
        seat.process = seat.writer = None
        self._disk.struck += 1
        self._parent = self._keyed_of(parent)
        try:
            self._living_writer(seat, Step("append", 0, 1))
        finally:
            self._parent = None

    def _letter(self, step: Step) -> None:
        """Keep a dead letter, sealed; from now on it must open."""
        process = self._seats[step.actor].process
        if process is None:
            return
        keyed = self._struck(process, step)
        letter_id = f"letter {len(self._letters)}"
        content = f"{NOTE}{letter_id}".encode()
        sealed = b64encode(keyed.sealers["line"].seal(content, letter_id.encode()))
        descriptor = process.open(_LETTERS, 0o2102)  # O_RDWR | O_CREAT | O_APPEND
        process.write(descriptor, b'{"id":"%b","sealed":"%b"}\n' % (letter_id.encode(), sealed))
        process.sync(descriptor)
        process.close(descriptor)
        self._letters[letter_id] = sealed

    def _look_back(self, step: Step) -> None:
        """Open some of what was acknowledged, as somebody with `decrypt` does."""
        if self._looker is None:
            self._looker = self._disk.process()
        keyed = self._struck(self._looker, step)
        for open_it in self._random.sample(list(self._opened_by(keyed)), min(5, len(self._letters))):
            try:
                open_it()
            except KeyUnavailableError:
                if not self._may_miss(keyed, step):
                    raise BrokenPromiseError("a reader whose lease is valid has not got a key") from None

    def _kill_rotator(self, step: Step) -> None:
        process = self._rotators[step.actor % ROTATORS] if step.amount % 3 else self._looker
        if process is not None:
            self._disk.struck += 1
            self._disk.kill(process)

    def _append(self, step: Step) -> None:
        try:
            super()._append(step)
        except KeyUnavailableError:
            process = self._seats[step.actor].process
            if process is not None and self._must_seal(self._keyed_of(process), step):
                raise BrokenPromiseError(
                    f"a writer has no key, though the server {self._server.trouble or 'is there'}"
                ) from None
            raise

    def _read(self, step: Step) -> None:
        super()._read(step)
        process = self._reader_process
        if self._reader is None or process is None:
            return
        keyed = self._keyed_of(process)
        if keyed.openers["block"].missed_seconds == self._now() and not self._may_miss(keyed, step):
            raise BrokenPromiseError("the reader, whose lease is valid, has not got a key")

    # Who lives

    def _codecs_of(self, process: Process) -> Codecs:
        keyed = self._keyed_of(process)
        blocks = SealedBlocks(keyed.sealers["block"], keyed.openers["block"])
        return Codecs.of(FallsOpen(blocks) if self._key_parts.is_open_without_key else blocks, PLAIN)

    def _keyed_of(self, process: Process) -> KeyedProcess:
        if process not in self._keyed:
            seed = f"{self._setting.seed} again" if self._key_parts.repeats_randomness else None
            source = random.Random(seed) if seed else self._random
            ground = Ground(
                self._server,
                self._now,
                lambda length: self._random_bytes(source, length),
                self._keys.limits,
                self._note_sealed,
            )
            parent = self._parent
            self._keyed[process] = (
                KeyedProcess(process, ground, self._key_parts) if parent is None else parent.forked(process)
            )
        return self._keyed[process]

    def _struck(self, process: Process, step: Step) -> KeyedProcess:
        process.arm(step.strikes)
        keyed = self._keyed_of(process)
        if step.strikes:
            keyed.struck_seconds = self._now()
        return keyed

    def _living_writer(self, seat: WriterSeat, step: Step) -> SpoolWriter:
        writer = super()._living_writer(seat, step)
        if step.strikes and seat.process is not None:
            self._keyed_of(seat.process).struck_seconds = self._now()
        return writer

    def _rotator(self, step: Step) -> KeyedProcess:
        place = step.actor % ROTATORS
        process = self._rotators[place]
        if process is None:
            process = self._rotators[place] = self._disk.process()
        return self._struck(process, step)

    def _bury(self) -> None:
        super()._bury()
        for process in (*self._rotators, self._looker):
            if process is not None:
                process.arm(())
        self._rotators = [None if each is None or each.dead else each for each in self._rotators]
        if self._looker is not None and self._looker.dead:
            self._looker = None
        self._keyed = {process: keyed for process, keyed in self._keyed.items() if not process.dead}

    def _document_of(self, seat: WriterSeat) -> bytes:
        assert seat.process is not None
        sealer = self._keyed_of(seat.process).sealers["field"]
        document = orjson.loads(super()._document_of(seat))
        number = document["number"]
        document["note"] = f"{NOTE}{number}"
        if number % _CARD_EVERY:
            return orjson.dumps(document)
        document["labels"] = {"card": f"{CARD}{number}"}
        seal = EncryptFields(["labels.card"], lambda content: sealer.seal(content, fields.PLACE))
        sealed = seal.process(Record.of_document(document))
        if isinstance(sealed, Drop):
            raise KeyUnavailableError(KEY_ID)
        return sealed.encoded

    # What was promised

    def _now(self) -> float:
        return self._disk.now_seconds

    def _random_bytes(self, source: random.Random, length: int) -> bytes:
        drawn = source.randbytes(length)
        if length == DATA_KEY_BYTES:
            self._data_keys.append(drawn)
        return drawn

    def _note_sealed(self, start: bytes) -> None:
        header = read_header(start + bytes(16))
        nonce = header.data_key_id, header.nonce
        if nonce in self._nonces:
            self._broken = f"data key {header.data_key_id.hex()} seals twice with one nonce"
        self._nonces.add(nonce)

    def _note_written(self, data: bytes) -> None:
        if _CANARY in data:
            self._broken = f"{len(data)} bytes with a canary in the clear are written"
        self._written.append(data)

    def _may_miss(self, keyed: KeyedProcess, step: Step) -> bool:
        """Whether a reader may be without a key now."""
        if self._server.trouble or step.strikes or self._now() == self._server.troubled_seconds:
            return True
        if not self._server.lags:
            return False
        since_seconds = max(keyed.presence.since_seconds, keyed.struck_seconds, self._server.troubled_seconds)
        return self._now() - since_seconds <= COPY_SECONDS

    def _must_seal(self, keyed: KeyedProcess, step: Step) -> bool:
        """Whether a writer must have a key now: from the server, or by its public key."""
        quiet_seconds = self._now() - max(keyed.struck_seconds, self._server.troubled_seconds)
        if step.strikes or quiet_seconds <= _RETRY_SECONDS or self._disk.is_locked(_KEYRING_LOCK):
            return False
        if not self._server.trouble:
            return True
        key = keyed.keyring.read().keys.get(KEY_ID)
        return key is not None and self._server.has_public_keys and self._server.trouble != "missing"

    def _converge(self) -> None:
        """Rotate with all who live at work, and nothing befalling them; it must come to its end."""
        quiet = Step("append", 0, 1)
        keyed = self._rotator(quiet)
        keyed.rotator.begin(KEY_ID, "schedule")
        for second in range(int(CONVERGES_WITHIN_SECONDS)):
            self._disk.now_seconds += 1
            if second % _WORK_SECONDS == 0:
                self._let_all_work()
            if second % _ROTATOR_SECONDS == 0 and keyed.rotator.run(KEY_ID).rotation is None:
                break
        else:
            raise BrokenPromiseError(
                f"a rotation waits after {CONVERGES_WITHIN_SECONDS:g} s without a fault: "
                f"{keyed.rotator.advance(KEY_ID)}"
            )
        self._disk.now_seconds += 1
        active = keyed.key_use.active_version()
        for seat in self._seats:
            if seat.process is not None:
                sealed = self._keyed_of(seat.process).sealers["block"].seal(b"x", b"")
                if read_header(sealed).key_version != active:
                    raise BrokenPromiseError(f"a writer does not seal with version {active} after a rotation")

    def _let_all_work(self) -> None:
        for place, seat in enumerate(self._seats):
            if seat.process is not None:
                with contextlib.suppress(SpoolFullError):
                    self._append(Step("append", place, 1))
        if self._reader is not None:
            for action in (self._read, self._acknowledge, self._save):
                action(Step("read", 0, 60))
        if self._broken:
            raise BrokenPromiseError(self._broken)

    def _judge_keys(self) -> None:
        keyed = self._keyed_of(self._disk.process())
        for open_it in self._opened_by(keyed):
            try:
                open_it()
            except KeyUnavailableError as error:
                raise BrokenPromiseError(f"what was acknowledged cannot be opened: {error}") from None
        self._judge_secrecy()

    def _judge_keyring(self) -> None:
        """Judge the keyring after a rotation that came to its end."""
        keyed = self._keyed_of(self._disk.process())
        keyring = keyed.keyring.read()
        AuditLog(KEYS, disk=keyed.keyring.disk).verify(keyring.audit)
        states = [version.state for version in keyring.keys[KEY_ID].versions.values()]
        if states.count(KeyState.ACTIVE) != 1 or set(states[:-1]) - {KeyState.RETIRED, KeyState.DESTROYED}:
            raise BrokenPromiseError(f"after a rotation the versions are {states}")

    def _opened_by(self, keyed: KeyedProcess) -> Iterator[Callable[[], None]]:
        """Yield what opens a thing and compares it, for each letter and each sealed field that arrived."""
        for letter_id, letter in self._letters.items():
            yield lambda letter_id=letter_id, letter=letter: self._open_letter(keyed, letter_id, letter)  # type: ignore[misc]
        for document in self._sealed_documents():
            yield lambda document=document: self._open_field(keyed, document)  # type: ignore[misc]

    def _sealed_documents(self) -> Iterator[bytes]:
        return (document for document in self._delivered.values() if b'"encrypted"' in document)

    def _open_letter(self, keyed: KeyedProcess, letter_id: str, letter: bytes) -> None:
        opened = self._open(keyed, "line", letter, letter_id.encode())
        if opened != f"{NOTE}{letter_id}".encode():
            raise BrokenPromiseError(f"{letter_id} is opened as {opened!r}")

    def _open_field(self, keyed: KeyedProcess, document: bytes) -> None:
        content = orjson.loads(document)
        opened = orjson.loads(self._open(keyed, "field", content["encrypted"][0].encode(), fields.PLACE))
        if opened != {"path": ["labels", "card"], "value": f"{CARD}{content['number']}"}:
            raise BrokenPromiseError(f"the field of record {content['number']} is opened as {opened}")

    def _open(self, keyed: KeyedProcess, purpose: str, sealed: bytes, place: bytes) -> bytes:
        try:
            return keyed.openers[purpose].open(urlsafe_b64decode(sealed.translate(_URL_SAFE)), place)
        except SealError as error:
            raise BrokenPromiseError(f"what was acknowledged is refused: {error}") from None

    def _judge_secrecy(self) -> None:
        for document in self._delivered.values():
            if CARD.encode() in document:
                raise BrokenPromiseError("a field that was to be sealed is delivered in the clear")
        written = b"".join(self._written)
        sought = [
            *self._server.secrets.values(),
            *self._random.sample(self._data_keys, min(_KEYS_SOUGHT_MAX, len(self._data_keys))),
        ]
        if any(form in written for key in sought for form in (key, key.hex().encode())):
            raise BrokenPromiseError("a key was written to the disk in the clear")


_URL_SAFE = bytes.maketrans(b"+/", b"-_")


class FallsOpen:
    """Stores a block plain where there is no key."""

    def __init__(self, blocks: SealedBlocks) -> None:
        self._blocks = blocks
        self.number = blocks.number

    def encode(self, payload: bytes, context: BlockContext) -> tuple[bytes, ...]:
        try:
            return self._blocks.encode(payload, context)
        except KeyUnavailableError:
            return (payload,)

    def decode(self, stored: bytes, context: BlockContext) -> bytes:
        return self._blocks.decode(stored, context)
