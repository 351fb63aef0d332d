"""Puts the wrapped data keys of what is sent into the store's key index, before it is sent.

```
send ── which data keys do the documents name? ── new ones ──▶ key index ── then ──▶ bulk
thread: at the start, after each change of the keyring, and once an hour: all of the folder's ──▶ key index
```

Its lease says how far it has come: before a version of a key is destroyed, a rotation waits until the index
has what was wrapped anew.

A key index that gives no answer holds up nothing: the documents go to the store, and the thread brings the
data keys later.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

from logging_system.delivery.machine import Item
from logging_system.delivery.outcomes import LookUpOutcome, SendOutcome
from logging_system.encryption.fields import PURPOSE as FIELD
from logging_system.encryption.named_keys import MARK, named_data_keys
from logging_system.encryption.tokens import PURPOSE as TOKEN
from logging_system.keys.data_keys import DataKeyError, DataKeyFolder, StoredDataKey
from logging_system.keys.keyring import KeyringError, KeyringFile
from logging_system.keys.leases import LeaseFile
from logging_system.monitoring.event_words import log_in_words
from logging_system.monitoring.events import Event, StoreRemark
from logging_system.sinks import Sink
from logging_system.sinks.elasticsearch.key_index import KEYS_MAX, KeyIndex
from logging_system.sinks.elasticsearch.searching import StoreError

LOOK_SECONDS = 0.5
_RETRY_SECONDS = 30.0
_AGAIN_SECONDS = 3600.0
"""So often everything is compared with the index anew: somebody may have removed it."""
_KNOWN_MAX = 8192
_PUBLISHED = frozenset({FIELD, TOKEN})
"""What documents of the store need; blocks and lines are read where the folder is."""


class KeyPublishingSink:
    """A store, and beside it the index of the data keys that its documents need.

    Args:
        store: The store.
        index: The key index.
        folder: The data keys of the keyring.
        keyring: The keyring, which changes with every step of a rotation.
        stream: The store's data stream, for messages.
        emit: Told where the index does not take data keys; logged by default.
        look_seconds: How often the thread looks whether the keyring changed.
        monotonic: The clock, in seconds.
    """

    def __init__(
        self,
        store: Sink,
        index: KeyIndex,
        folder: DataKeyFolder,
        keyring: KeyringFile,
        *,
        stream: str,
        emit: Callable[[Event], None] = log_in_words,
        look_seconds: float = LOOK_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._index = index
        self._folder = folder
        self._keyring = keyring
        self._stream = stream
        self._emit = emit
        self._look_seconds = look_seconds
        self._monotonic = monotonic
        self._known: OrderedDict[bytes, None] = OrderedDict()
        self._lock = threading.Lock()
        self._is_prepared = False
        self._not_before_seconds = float("-inf")
        self._followed_generation: int | None = None
        self._again_seconds = float("-inf")
        self._said = ""
        self._lease = LeaseFile(keyring.folder, "publisher", disk=keyring.disk)
        self._brought: dict[str, int] = {}
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def prepare(self) -> str | None:
        """Prepare the store, and have the key index followed from then on; see `Sink.prepare`.

        Returns:
            None when the store takes documents, whatever of the key index; else what stands in the way.
        """
        trouble = self._store.prepare()
        if trouble is None and self._thread is None and not self._stopping.is_set():
            self._thread = threading.Thread(target=self._run, name="logging_system.key_index", daemon=True)
            try:
                self._thread.start()
            except RuntimeError:
                self._thread = None  # the system gives none now
        return trouble

    def send(self, items: Sequence[Item]) -> SendOutcome:
        """Publish what data keys the documents name, and send them; see `Sink.send`.

        Args:
            items: The documents, whose fields may be sealed.

        Returns:
            What the store made of them.
        """
        self._publish_named(items)
        return self._store.send(items)

    def look_up(self, ids: Sequence[str], indices: Sequence[str]) -> LookUpOutcome:
        """Ask the store; see `Sink.look_up`.

        Args:
            ids: The documents' ids.
            indices: Backing indices that may hold them, the oldest first.

        Returns:
            What the store said.
        """
        return self._store.look_up(ids, indices)

    def close(self) -> None:
        """End the thread soon, and close the store."""
        self._stopping.set()
        self._store.close()

    def follow(self) -> bool:
        """Publish all data keys of the folder, if the keyring changed or an hour passed since that was done.

        Returns:
            Whether the index has them all now.
        """
        try:
            keyring = self._keyring.read()
        except KeyringError:
            return False
        is_done = self._follow(keyring.generation)
        for key_id, key in keyring.keys.items():
            if is_done:
                self._brought[key_id] = key.settled
            self._lease.renew(key_id, self._brought.get(key_id, 0))
        return is_done

    def _follow(self, generation: int) -> bool:
        with self._lock:
            now_seconds = self._monotonic()
            if generation == self._followed_generation and now_seconds < self._again_seconds:
                return True
            if now_seconds < self._not_before_seconds:
                return False
            self._again_seconds = now_seconds + _AGAIN_SECONDS
            self._is_prepared = False
            self._followed_generation = generation
        is_done = all(self._bring(some) for some in _pieces(needed_by_documents(self._data_keys())))
        if not is_done:
            self._owe()
        return is_done

    def _publish_named(self, items: Sequence[Item]) -> None:
        # The look for the mark costs a tenth of a call, and most documents may have no sealed field.
        marked = [item.document for item in items if MARK in item.document]
        named = {data_key_id for document in marked for data_key_id in named_data_keys(document)}
        if not named:
            return
        with self._lock:
            new = [each for each in named if each not in self._known]
            if not new or self._monotonic() < self._not_before_seconds:
                return
        # Not under the lock: several requests put the same data key rather than wait for one another.
        found = filter(None, map(self._data_key, new))
        if not all(self._asked(self._index.put, some) for some in _pieces(needed_by_documents(found))):
            self._owe()
            return
        with self._lock:
            self._known.update(dict.fromkeys(new))
            while len(self._known) > _KNOWN_MAX:
                self._known.popitem(last=False)

    def _bring(self, keys: Sequence[StoredDataKey]) -> bool:
        return not self._stopping.is_set() and self._asked(lambda some: put_missing(self._index, some), keys)

    def _asked(self, ask: Callable[[Sequence[StoredDataKey]], None], keys: Sequence[StoredDataKey]) -> bool:
        try:
            if not self._is_prepared:
                self._index.prepare()
                self._is_prepared = True
            ask(keys)
        except StoreError as error:
            self._not_before_seconds = self._monotonic() + _RETRY_SECONDS
            self._is_prepared = False
            if error.is_answer:
                self._say(
                    f"index {self._index.name} does not take wrapped data keys, which are in "
                    f"{self._keyring.folder}: {error}"
                )
            return False
        self._said = ""
        return True

    def _owe(self) -> None:
        """Have the thread bring all data keys, however the keyring is."""
        with self._lock:
            self._followed_generation = None

    def _data_keys(self) -> Iterator[StoredDataKey]:
        try:
            yield from self._folder.all()
        except OSError:
            return  # no keyring yet, or none that can be read; the next change tells

    def _data_key(self, data_key_id: bytes) -> StoredDataKey | None:
        try:
            return self._folder.get(data_key_id)
        except (DataKeyError, OSError):
            return None  # `keys status` names it

    def _say(self, remark: str) -> None:
        if remark != self._said:
            self._said = remark
            self._emit(StoreRemark(stream=self._stream, topic="key_index", remark=remark))

    def _run(self) -> None:
        while not self._stopping.is_set():
            self.follow()
            self._stopping.wait(self._look_seconds)


def publish(index: KeyIndex, data_keys: Iterable[StoredDataKey]) -> None:
    """Bring data keys to the index, where it has not got them as they are wrapped now.

    Args:
        index: The key index.
        data_keys: All of a keyring's folder.

    Raises:
        StoreError: Not all of them are there now.
    """
    for number, some in enumerate(_pieces(needed_by_documents(data_keys))):
        if number == 0:
            index.prepare()  # where no field is sealed there is none
        put_missing(index, some)


def put_missing(index: KeyIndex, data_keys: Sequence[StoredDataKey]) -> None:
    """Put those of some data keys, at most `KEYS_MAX`, that the index has not got as they are wrapped now.

    Raises:
        StoreError: Not all of them are there now.
    """
    there = index.versions([each.id for each in data_keys])
    index.put([each for each in data_keys if there.get(each.id, 0) < each.wrapped.version])


def needed_by_documents(data_keys: Iterable[StoredDataKey]) -> Iterator[StoredDataKey]:
    """Yield those data keys that documents of the store need."""
    return (each for each in data_keys if each.purpose in _PUBLISHED)


def _pieces(keys: Iterator[StoredDataKey]) -> Iterator[list[StoredDataKey]]:
    while some := list(islice(keys, KEYS_MAX)):
        yield some
