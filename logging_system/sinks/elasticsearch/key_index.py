"""A small index of wrapped data keys, so that documents can be read where the keyring's folder is lost.

A document is what the keyring's folder has as a file, under the data key's id. Nothing of it is indexed, and
nothing of it is secret without the key provider. Its version is that of the key that wraps it: one that was
wrapped anew takes the place of the older one, and never the other way round, whoever writes when.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import quote

import orjson

from logging_system.keys.data_keys import DataKeyError, StoredDataKey, decode_data_key
from logging_system.sinks.elasticsearch.http_answer import HttpAnswer, error_reason, parsed
from logging_system.sinks.elasticsearch.index_setup import Ask
from logging_system.sinks.elasticsearch.index_template import OWNER, PRIORITY
from logging_system.sinks.elasticsearch.searching import JSON, StoreError, carried, found_sources

KEYS_MAX = 500
"""Data keys in one request; each has some 500 bytes."""

_NDJSON = "application/x-ndjson"
_MAPPINGS: Mapping[str, object] = {"dynamic": False, "_meta": {"managed_by": OWNER}, "properties": {}}
# Hidden: who searches all indices looks for logs.
_SETTINGS: Mapping[str, object] = {
    "index": {"number_of_shards": 1, "auto_expand_replicas": "0-1", "hidden": True}
}
_TEMPLATE: Mapping[str, object] = {"settings": _SETTINGS, "mappings": _MAPPINGS}


class KeyIndex:
    """The index; safe for threads where `ask` is.

    Args:
        ask: Carries a request.
        name: The index.
    """

    def __init__(self, ask: Ask, name: str) -> None:
        self._ask = ask
        self.name = name
        self._path = f"/{quote(name, safe='')}"

    def prepare(self) -> None:
        """Make the index, unless it exists.

        Raises:
            StoreError: It is not there, and cannot be made.
        """
        if self._call("GET", self._path, known={404}).status != 404:
            return
        # Should the index be removed one day, it comes back by itself, and with this mapping.
        body = {
            "index_patterns": [self.name],
            "priority": PRIORITY,
            "template": _TEMPLATE,
            "_meta": {"managed_by": OWNER},
        }
        template = f"/_index_template/{quote(f'logging-system-{self.name}', safe='')}"
        self._call("PUT", template, orjson.dumps(body), known={400, 403})
        made = self._call("PUT", self._path, orjson.dumps(_TEMPLATE), known={400})
        if made.status == 400 and b"resource_already_exists_exception" not in made.body:
            raise StoreError(f"HTTP 400: {error_reason(parsed(made.body).get('error'))}")

    def put(self, keys: Sequence[StoredDataKey]) -> None:
        """Store data keys, where the index has not got them already under this version or a newer one.

        Raises:
            StoreError: Not all of them are there now.
        """
        lines = []
        for each in keys:
            action = {"_id": each.id.hex(), "version": each.wrapped.version, "version_type": "external"}
            lines += [orjson.dumps({"index": action}), b"\n", each.encoded()]
        if lines:
            self._bulk(b"".join(lines), len(keys), done={409})

    def remove(self, data_key_ids: Sequence[bytes]) -> None:
        """Remove data keys; those that are gone already are no error.

        Raises:
            StoreError: Not all of them are gone.
        """
        for at in range(0, len(data_key_ids), KEYS_MAX):
            some = data_key_ids[at : at + KEYS_MAX]
            lines = [b'{"delete":{"_id":"%b"}}\n' % each.hex().encode() for each in some]
            self._bulk(b"".join(lines), len(some), done={404})

    def get(self, data_key_id: bytes) -> StoredDataKey | None:
        """Return a data key; see `DataKeySource.get`."""
        answer = self._call("GET", f"{self._path}/_doc/{data_key_id.hex()}", known={404})
        if answer.status == 404:
            return None
        stored = _decoded(parsed(answer.body).get("_source"))
        if stored.id != data_key_id:
            raise DataKeyError("the index holds another data key under this id")
        return stored

    def versions(self, data_key_ids: Sequence[bytes]) -> Mapping[bytes, int]:
        """Return under which version the index has data keys, by id; those that it has not got are left out.

        Args:
            data_key_ids: At most `KEYS_MAX`.

        Raises:
            StoreError: It cannot be said.
        """
        body = orjson.dumps({"ids": [each.hex() for each in data_key_ids]})
        answer = self._call("POST", f"{self._path}/_mget?_source=false", body)
        found = parsed(answer.body).get("docs")
        if not isinstance(found, list) or len(found) != len(data_key_ids):
            raise StoreError("an answer to _mget with other documents than were asked for")
        versions = {}
        for data_key_id, each in zip(data_key_ids, found, strict=True):
            version = each.get("_version") if isinstance(each, dict) else None
            if isinstance(version, int):
                versions[data_key_id] = version
        return versions

    def all(self) -> Iterator[StoredDataKey]:
        """Yield all data keys of the index, none where there is no index; what is none is passed over.

        Raises:
            StoreError: They cannot be read to their end.
        """
        if self._call("GET", self._path, known={404}).status == 404:
            return
        # A search sees what was written a second ago. Who may not refresh sees what was there then.
        self._call("POST", f"{self._path}/_refresh", known={401, 403, 404})
        for source in found_sources(self._ask, self.name, {"query": {"match_all": {}}}):
            try:
                yield decode_data_key(source)
            except DataKeyError:
                continue

    def _bulk(self, body: bytes, count: int, done: set[int]) -> None:
        answer = self._call("POST", f"{self._path}/_bulk", body, kind=_NDJSON)
        items = parsed(answer.body).get("items")
        if not isinstance(items, list) or len(items) != count:
            raise StoreError("an answer to _bulk with other items than were sent")
        for item in items:
            (what,) = item.values() if isinstance(item, dict) and len(item) == 1 else ({},)
            status = what.get("status") if isinstance(what, dict) else None
            if not isinstance(status, int) or not (200 <= status < 300 or status in done):
                raise StoreError(f"status {status}: {error_reason(what.get('error'))}")

    def _call(
        self, method: str, target: str, body: bytes = b"", *, kind: str = JSON, known: set[int] | None = None
    ) -> HttpAnswer:
        return carried(self._ask, method, target, body, kind, known or set())


def _decoded(source: object) -> StoredDataKey:
    return decode_data_key(orjson.dumps(source))
