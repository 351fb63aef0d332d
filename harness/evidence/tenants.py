"""What each tenant's own readers get: what is stored for it, and what a reader of it has shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from glob import iglob
from itertools import islice
from pathlib import Path

from harness.evidence.lines import identify, identities
from harness.model.errors import StackError
from harness.model.facts import ReadByTenant, TenantsRead
from harness.model.protocols import Archive

FILES_MAX = 100
_SHOWN_BYTES_MAX = 256 << 20
_CHUNK_BYTES = 1 << 20
_IDENTITY_BYTES_MAX = 64


class TenantsReader:
    """Reads what was stored for each tenant and what was shown to it, once all has come in.

    Args:
        stored: opens the archive that each tenant's own reader asks.
        shown: the pattern of the files that hold what a reader of each tenant printed; empty = none does.
        run_id: whose records are known by their lines.
    """

    def __init__(
        self, stored: Mapping[str, Callable[[], Archive]], shown: Mapping[str, str], run_id: str
    ) -> None:
        self.settled_ns = 0
        self._stored = stored
        self._shown = shown
        self._run_id = run_id

    def look(self, now_ns: int) -> tuple[()]:
        """Return nothing: what was written stays, so all of it is read at the end."""
        del now_ns
        return ()

    def whole(self, now_ns: int) -> Iterator[ReadByTenant | TenantsRead]:
        """Yield each record that a reader of a tenant got, and that all was read or why not."""
        unread = ""
        for tenant in self._stored:
            try:
                yield from self._read(tenant)
                yield from self._look_into(tenant)
            except (StackError, OSError) as error:
                unread = f"what {tenant} reads: {error}"
        yield TenantsRead(now_ns, unread)

    def _read(self, tenant: str) -> Iterator[ReadByTenant]:
        with closing(self._stored[tenant]()) as archive:
            archive.refresh()
            for document in archive.read():
                if (sequence := identify(document.line, self._run_id)) is not None:
                    yield ReadByTenant(tenant, sequence, document.copy, stored=True)

    def _look_into(self, tenant: str) -> Iterator[ReadByTenant]:
        pattern = self._shown.get(tenant, "")
        for path in islice(sorted(iglob(pattern)), FILES_MAX) if pattern else ():  # noqa: PTH207 - a whole path
            for sequence in _sequences(Path(path), self._run_id):
                yield ReadByTenant(tenant, sequence, Path(path).name, stored=False)


def _sequences(path: Path, run_id: str) -> Iterator[int]:
    """Yield the records that a file holds, in whatever form: what names them survives any encoding.

    Raises:
        StackError: it is larger than can be read.
    """
    if path.stat().st_size > _SHOWN_BYTES_MAX:
        raise StackError(f"{path.name} has more than {_SHOWN_BYTES_MAX >> 20} MiB")
    seen: set[int] = set()
    before = ""
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            text = before + chunk.decode("ascii", "replace")
            found = set(identities(text, run_id)) - seen
            seen |= found
            yield from sorted(found)
            before = text[-_IDENTITY_BYTES_MAX:]
