"""An Elasticsearch index or data stream, read whole through a point in time.

Every copy is seen: the same `_id` in two backing indices is two documents. The order is `_shard_doc`, the
tie-breaker Elasticsearch documents for paging a point in time with `search_after`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher, get_close_matches
from fnmatch import fnmatchcase
from itertools import islice
from typing import Any

import orjson
from elasticsearch import ApiError, BadRequestError, Elasticsearch, NotFoundError, TransportError

from harness.evidence.archives.fields import line_of, texts_with, values_of
from harness.model.errors import StackError
from harness.model.protocols import Archive, Follower, RawDocument, Sighting, StoredDocument

_PAGE_DOCUMENTS = 2_000
# Documents that are written at the same time become visible in another order than they are numbered.
_AGAIN = 500
_KEEP_ALIVE = "1m"
# A frozen store must not hold up the run's own schedule.
_COUNT_SECONDS = 1.0
# Names of other indices that an archive which does not exist is told beside.
_LIKE_MAX = 3
_CLOSE_MAX = 50
# Where lines are looked for that are not where they should be.
_OTHERS_MAX = 50
_LOOKED_AT_MAX = 500
# No wildcard, list, exclusion, date mathematics or hidden name: it can name one index alone.
_ONE_INDEX = re.compile(r"[a-z0-9][a-z0-9._-]*\Z")


class ElasticsearchArchive:
    """Reads one run's own index directly, never through the faulted link.

    Args:
        index: the run's own index, or data stream.
        url: where the store answers, past the fault proxy.
        field: where the line stands in a document, dots parting keys.
        timeout_seconds: the longest wait for one answer, in seconds.
    """

    def __init__(self, index: str, url: str, field: str = "message", timeout_seconds: float = 10.0) -> None:
        """Name the index, the store and the field that holds the line."""
        self._index = index
        self.field = field
        self._url = url
        self._timeout_seconds = timeout_seconds
        self._client = Elasticsearch(
            url, request_timeout=timeout_seconds, max_retries=0, retry_on_timeout=False
        )

    def count(self) -> int:
        """Return how many documents are visible; an index that does not exist yet holds none.

        Raises:
            StackError: the store does not answer, or not for all shards.
        """
        try:
            client = self._client.options(request_timeout=_COUNT_SECONDS)
            answer: Any = client.count(index=self._index).body
        except NotFoundError:
            return 0
        except (ApiError, TransportError) as error:
            raise self._unreadable(error) from error
        self._check_shards(answer)
        return int(answer["count"])

    def refresh(self) -> None:
        """Make everything stored so far visible.

        Raises:
            StackError: the store does not answer.
        """
        try:
            self._client.indices.refresh(index=self._index)
        except NotFoundError:
            return
        except (ApiError, TransportError) as error:
            raise self._unreadable(error) from error

    def read(self, fields: Sequence[str] = ()) -> Iterator[StoredDocument]:
        """Yield every copy's line, with the values of the fields asked for.

        Raises:
            StackError: the store does not answer, or its answer is not about all shards.
        """
        for copy, document in self._documents([self.field, *fields]):
            line = line_of(document, self.field)
            yield StoredDocument(copy, line, values=values_of(document, fields))

    def follow(self, *, from_now: bool = False) -> Follower:
        """Return a follower by the numbers that a shard gives its writes in turn (`_seq_no`).

        Raises:
            StackError: it is to begin now, and the store does not answer.
        """
        follower = _NewDocuments(self._client, self._index, self.field, self.read)
        if from_now:
            follower.skip()
        return follower

    def raw(self) -> Iterator[RawDocument]:
        """Yield every copy whole.

        Raises:
            StackError: the store does not answer, or its answer is not about all shards.
        """
        for copy, document in self._documents(["*"]):
            yield RawDocument(copy, orjson.dumps(document))

    def absent(self) -> str:
        """Name the index that does not exist, with those of like names that do.

        Raises:
            StackError: the store does not answer.
        """
        try:
            if self._client.indices.exists(index=self._index):
                return ""
        except (ApiError, TransportError) as error:
            raise self._unreadable(error) from error
        like = get_close_matches(self._index, self._names(), n=_LIKE_MAX)
        hint = f" There is {', '.join(like)}." if like else ""
        return (
            f'no index or data stream "{self._index}" exists at {self._url}: check `archive.index` in the '
            f"stack file against what the stack writes to.{hint}"
        )

    def neighbours(self) -> Sequence[tuple[str, Archive]]:
        """Return the indices and data streams of like names, longer forms of this one first.

        Raises:
            StackError: the store does not answer.
        """
        others = [each for each in self._names() if each != self._index]
        like = get_close_matches(self._index, others, n=_CLOSE_MAX)
        like.sort(key=lambda name: self._index not in name)
        return [
            (f'the index "{name}"', ElasticsearchArchive(name, self._url, self.field, self._timeout_seconds))
            for name in like[:_LIKE_MAX]
        ]

    def elsewhere(self, word: str, folder: str) -> Iterator[Sighting]:
        """Yield texts that hold a word: in other fields of this index, and in other indices of the store.

        Indices whose names are most alike come first; what may not be read is left out.

        Raises:
            StackError: the store does not answer.
        """
        yield from self._sighted(islice(self._documents(["*"]), _LOOKED_AT_MAX), word, {})
        for index in self._others():
            yield from self._sighted(self._some(index, word), word, {"index": index})

    def _sighted(
        self, documents: Iterable[tuple[str, Any]], word: str, changes: Mapping[str, str]
    ) -> Iterator[Sighting]:
        for copy, document in documents:
            for field, text in texts_with(document, word):
                changed = {**changes, **({} if field == self.field else {"field": field})}
                if changed:
                    yield Sighting(copy, text, changed)

    def _others(self) -> list[str]:
        """Return the names of other indices and data streams, those most alike first."""
        mine = self._index.split(",")
        names = [name for name in self._names() if not any(fnmatchcase(name, pattern) for pattern in mine)]
        names.sort(key=lambda name: (-SequenceMatcher(None, self._index, name).ratio(), name))
        return names[:_OTHERS_MAX]

    def _some(self, index: str, word: str) -> Iterator[tuple[str, Any]]:
        """Yield some documents of an index, those that hold the word if the store finds them by it."""
        queries: tuple[dict[str, Any], ...] = ({"match": {self.field: word}}, {"match_all": {}})
        for query in queries:
            try:
                answer: Any = self._client.search(index=index, size=_LOOKED_AT_MAX, query=query).body
            except (ApiError, TransportError):
                continue
            if hits := answer["hits"]["hits"]:
                yield from ((f"{hit['_index']}/{hit['_id']}", hit.get("_source", {})) for hit in hits)
                return

    def _names(self) -> list[str]:
        try:
            there = self._client.indices.resolve_index(name="*").body
        except (ApiError, TransportError) as error:
            raise self._unreadable(error) from error
        return [entry["name"] for kind in ("indices", "data_streams") for entry in there[kind]]

    def remove(self, run_id: str) -> None:
        """Delete this run's index, or the data stream of that exact name, and nothing else.

        Args:
            run_id: what the name must hold, as a proof that the index is this run's own.

        Raises:
            StackError: the name could stand for more than one index, or the store does not delete it.
        """
        if run_id not in self._index or not _ONE_INDEX.match(self._index):
            raise StackError(
                f'{self._url}: "{self._index}" is not deleted: only one index named for this run may be'
            )
        try:
            if not self._client.indices.exists(index=self._index):
                return
            try:
                self._client.indices.delete(index=self._index, expand_wildcards="none")
            except (NotFoundError, BadRequestError):
                # The answer for a data stream, which has an API of its own.
                self._client.indices.delete_data_stream(name=self._index, expand_wildcards="none")
        except (ApiError, TransportError) as error:
            raise self._undeleted(error) from error

    def _undeleted(self, error: Exception) -> StackError:
        return StackError(f"{self._url}/{self._index}: the run's index could not be deleted: {error}")

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _documents(self, includes: list[str]) -> Iterator[tuple[str, Any]]:
        try:
            point: str = self._client.open_point_in_time(index=self._index, keep_alive=_KEEP_ALIVE).body["id"]
        except NotFoundError:
            return
        except (ApiError, TransportError) as error:
            raise self._unreadable(error) from error
        try:
            yield from self._pages(point, includes)
        except (ApiError, TransportError) as error:
            raise self._unreadable(error) from error
        finally:
            self._forget(point)

    def _pages(self, point: str, includes: list[str]) -> Iterator[tuple[str, Any]]:
        after: list[Any] | None = None
        while True:
            answer: Any = self._client.search(
                pit={"id": point, "keep_alive": _KEEP_ALIVE},
                size=_PAGE_DOCUMENTS,
                sort=[{"_shard_doc": "asc"}],
                search_after=after,
                source={"includes": includes},
                track_total_hits=False,
            ).body
            self._check_shards(answer)
            point = answer.get("pit_id", point)
            hits = answer["hits"]["hits"]
            for hit in hits:
                yield f"{hit['_index']}/{hit['_id']}", hit["_source"]
            if len(hits) < _PAGE_DOCUMENTS:
                return
            after = hits[-1]["sort"]

    def _check_shards(self, answer: Any) -> None:
        failed = answer["_shards"]["failed"]
        if failed or answer.get("timed_out"):
            what = f"{failed} shards failed" if failed else "the search timed out"
            raise StackError(f"{self._url}/{self._index}: the archive cannot be read whole: {what}")

    def _forget(self, point: str) -> None:
        try:
            self._client.close_point_in_time(id=point)
        except (ApiError, TransportError):
            # It expires by itself after keep_alive; what was read stays read.
            return

    def _unreadable(self, error: Exception) -> StackError:
        return StackError(f"{self._url}/{self._index}: the archive cannot be read: {error}")


class _NewDocuments:
    """What was written to an index since it was last read; implements Follower.

    Each shard counts its writes by itself, so an index of several shards is read whole each time, and so is
    one whose store does not order by `_seq_no`.
    """

    def __init__(
        self, client: Elasticsearch, index: str, field: str, whole: Callable[[], Iterator[StoredDocument]]
    ) -> None:
        self._client = client
        self._index = index
        self._field = field
        self._whole = whole
        self._last: dict[str, int] = {}
        self._unordered = False

    def read(self) -> Iterator[StoredDocument]:
        try:
            for name in () if self._unordered else self._names():
                yield from self._read_one(name)
        except BadRequestError:
            self._unordered = True
        except (ApiError, TransportError) as error:
            raise StackError(f"{self._index}: the archive cannot be followed: {error}") from error
        if self._unordered:
            yield from self._whole()

    def skip(self) -> None:
        """Leave out what was written so far."""
        try:
            for name in self._names():
                hits, shards = self._page(name, "desc", size=1)
                self._unordered |= shards > 1
                if hits:
                    self._last[name] = hits[0]["sort"][0]
        except BadRequestError:
            self._unordered = True
        except (ApiError, TransportError) as error:
            raise StackError(f"{self._index}: the archive cannot be followed: {error}") from error

    def _read_one(self, name: str) -> Iterator[StoredDocument]:
        after = max(-1, self._last.get(name, -1) - _AGAIN)
        while True:
            hits, shards = self._page(name, "asc", after)
            if shards > 1:
                self._unordered = True
                return
            for hit in hits:
                yield StoredDocument(f"{hit['_index']}/{hit['_id']}", line_of(hit["_source"], self._field))
            if hits:
                after = self._last[name] = hits[-1]["sort"][0]
            if len(hits) < _PAGE_DOCUMENTS:
                return

    def _page(
        self, name: str, order: str, after: int | None = None, size: int = _PAGE_DOCUMENTS
    ) -> tuple[list[Any], int]:
        """Return a page of one index in the order of its writes, and how many shards that index has."""
        answer: Any = self._client.search(
            index=name,
            size=size,
            sort=[{"_seq_no": order}],
            search_after=None if after is None else [after],
            source={"includes": [self._field]},
            track_total_hits=False,
        ).body
        if answer["_shards"]["failed"] or answer.get("timed_out"):
            raise StackError(f"{name}: the archive cannot be followed: not every shard answered")
        return answer["hits"]["hits"], answer["_shards"]["total"]

    def _names(self) -> list[str]:
        """Return the indices behind the name, as many as there are by now."""
        try:
            there: Any = self._client.indices.resolve_index(name=self._index).body
        except NotFoundError:
            return []
        inside = [each["backing_indices"] for each in there["data_streams"]]
        inside += [each["indices"] for each in there["aliases"]]
        names = {each["name"] for each in there["indices"]}.union(*map(_listed, inside))
        return sorted(names)


def _listed(names: str | list[str]) -> list[str]:
    return [names] if isinstance(names, str) else names
