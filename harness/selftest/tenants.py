"""Handlers and a reader for several tenants: honest ones, and known-bad ones of one habit each.

    python -m harness.selftest.tenants HABIT FILE STORE_URL INDEX

The handler stores each record in the index of the tenant that its log call names. The reader is a process
that asks for each tenant's lines twice a second, over the link that the handler uses, and writes them into
a file of that tenant.
"""

from __future__ import annotations

import http.client
import json
import logging
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from harness.selftest.shipper import HonestShipper, Waiting

TENANTS: Mapping[str, int] = {"red": 4, "green": 2, "blue": 1}
EXTRA = "tenant"
NOBODY = "nobody"
_PAUSE_SECONDS = 0.5
_ASK_SECONDS = 1.0
_LINES_MAX = 500


class TenantsShipper(HonestShipper):
    """Stores each record in the index of its tenant, whatever else is in the batch."""

    def __init__(self, url: str, index: str, folder: str) -> None:
        """Begin the name of each tenant's index with that of the index given."""
        self.index = index
        super().__init__(url, index, folder)

    def body(self, batch: Sequence[Waiting]) -> bytes:
        """Name the index of each record."""
        lines = []
        for waiting in batch:
            index = f"{self.index}-{self.tenant(waiting, batch)}"
            waiting.sent_times += 1
            lines.append(json.dumps({"create": {"_id": waiting.identity, "_index": index}}))
            lines.append(json.dumps(self.document(waiting)))
        return ("\n".join(lines) + "\n").encode()

    def tenant(self, waiting: Waiting, batch: Sequence[Waiting]) -> str:
        """Return whose a record is."""
        del batch
        return tenant_of(waiting.record)


class StoresInTheWrongNamespace(TenantsShipper):
    """What it sends again it takes for the records of one tenant, as batches once were."""

    def tenant(self, waiting: Waiting, batch: Sequence[Waiting]) -> str:
        """Return whose the first record of a batch is, where that was sent before."""
        return tenant_of(batch[0].record) if waiting.sent_times else tenant_of(waiting.record)


class ForgetsWhoseItIs(TenantsShipper):
    """What it sends again is nobody's: the tenant was known to the first request only."""

    def tenant(self, waiting: Waiting, batch: Sequence[Waiting]) -> str:
        """Return whose a record is, the first time."""
        return NOBODY if waiting.sent_times else super().tenant(waiting, batch)


def tenant_of(record: logging.LogRecord | None) -> str:
    """Return the tenant that a log call names."""
    return str(getattr(record, EXTRA, NOBODY))


class HonestReader:
    """Shows each tenant its own lines."""

    def __init__(self, path: str, store: str, index: str) -> None:
        """Write the lines of each tenant into a file, whose name has the tenant's in place of `*`."""
        self.path, self.store, self.index = path, store, index
        self.last = dict.fromkeys(TENANTS, -1)

    def run(self) -> None:
        """Show again and again, until the process ends."""
        while True:
            for tenant in TENANTS:
                self.show(tenant)
            time.sleep(_PAUSE_SECONDS)

    def show(self, tenant: str) -> None:
        """Write what came since the last look."""
        query = {
            "size": _LINES_MAX,
            "query": {"range": {"event.sequence": {"gt": self.last[tenant]}}},
            "sort": [{"event.sequence": "asc"}],
        }
        found = _search(self.store, f"/{self.indices(tenant)}/_search?ignore_unavailable=true", query)
        with Path(self.path.replace("*", tenant)).open("a") as file:
            for source in found:
                file.write(f"{source['message']}\n")
                self.last[tenant] = source["event"]["sequence"]

    def indices(self, tenant: str) -> str:
        """Return what is asked for a tenant."""
        return f"{self.index}-{tenant}"


class ShowsEverybody(HonestReader):
    """Its pattern reaches further than it was meant to."""

    def indices(self, tenant: str) -> str:
        """Ask for whatever begins alike."""
        return f"{self.index}-*" if tenant == "blue" else super().indices(tenant)


HABITS: Mapping[str, type[HonestReader]] = {kind.__name__: kind for kind in (HonestReader, ShowsEverybody)}


def _search(url: str, path: str, body: Mapping[str, object]) -> list[dict[str, dict[str, int]]]:
    """Return the documents that a store finds; none where it gives no answer in time."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_ASK_SECONDS)
    try:
        connection.request("POST", path, json.dumps(body), {"content-type": "application/json"})
        answer = connection.getresponse()
        return [hit["_source"] for hit in json.load(answer)["hits"]["hits"]] if answer.status == 200 else []
    except (OSError, http.client.HTTPException, ValueError, KeyError):
        return []
    finally:
        connection.close()


def main(arguments: Sequence[str]) -> None:
    """Read with a habit."""
    habit, path, store, index = arguments
    reader = HABITS[habit](path, store, index)
    print('{"ready": true}', flush=True)
    reader.run()


if __name__ == "__main__":
    main(sys.argv[1:])
