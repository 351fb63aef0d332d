"""Writes the reference page of the embedded store from what its parts declare."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from harness.programs.elastic_lite.aggregations.definitions import KINDS
from harness.programs.elastic_lite.api.app import ROUTES
from harness.programs.elastic_lite.api.cluster_api import NO_EFFECT, SETTINGS_SERVED
from harness.programs.elastic_lite.api.documents_api import WANTED_DOCUMENT
from harness.programs.elastic_lite.api.routes import OwnReading, Route
from harness.programs.elastic_lite.api.search_request import POINT_KEYS, SEARCH_KEYS, SOURCE_KEYS
from harness.programs.elastic_lite.language.bulk_body import PARAMETERS
from harness.programs.elastic_lite.language.dates import FORMATS
from harness.programs.elastic_lite.language.declarations import Declaration, Word
from harness.programs.elastic_lite.mapping.declared import METADATA, ROOT, TYPES
from harness.programs.elastic_lite.mapping.dynamic import TEMPLATE
from harness.programs.elastic_lite.query.clauses import CLAUSES
from harness.programs.elastic_lite.query.sorting import OPTIONS
from harness.programs.elastic_lite.storage.indices import CREATE_KEYS
from harness.programs.elastic_lite.storage.settings import SETTINGS
from harness.programs.elastic_lite.storage.templates import (
    COMPONENT_KEYS,
    INDEX_KEYS,
    STREAM_KEYS,
    TEMPLATE_KEYS,
)

HEAD = """# The embedded store

<!-- Written by `make schemas` from the declarations in harness/programs/elastic_lite. -->

The backend `embedded` runs a small store that speaks a part of Elasticsearch 8.19's HTTP interface. Whatever
a request contains is carried out, or cannot change an answer of this store, or is refused: HTTP 400 with
`the embedded store does not support …; use --backend local`. The backend `local` runs the real Elasticsearch.

The sections below list all that is taken. Anything else is refused.

## Start it by itself

```console
logquake store --port 9200 --data ./store
```

It serves at 127.0.0.1, without a password, until Ctrl-C or SIGTERM; what it stored is in the folder and there
again at the next start. Port 0 picks a free one: a line of JSON on standard output says where it serves. It
exits with 0 when it was told to end, and with 7 when the port or the folder cannot be used.

## Known differences

* Searches do not rank. A query whose matches have different scores needs a `sort`, unless it finds one
  document at most; `_score` is 1.0 without a `sort`.
* The documents of an index lie in one place, whatever `index.number_of_shards` says: `_seq_no` counts for
  the whole index.
* `_stats` tells documents and bytes (of one file for all indices), or sequence numbers and refreshes.
* Time zones are `UTC`, offsets such as `+02:00` and IANA names with a `/`; Elasticsearch knows further ones.
* `GET /_nodes`, `GET /_xpack` and `_cluster/state` tell less than Elasticsearch does; a version in
  `_cluster/state` is a checksum: it changes with what it is a version of, and does not count.
* `GET /_cat/indices` has no sizes.
* Of several mistakes in one request another one may be told first, in other words. A range whose bound is no
  date is refused as not supported: Elasticsearch reads it only where a shard holds dates of that field.
* A request that fails in some indices and not in others is refused: Elasticsearch answers it from the others.
  So are terms of several shards, except by `_key`, where a shard may have as many as `shard_size` of them.
* `_shards.skipped` is always 0: no shard is passed over. Hits in no order, or in that of `_doc`, come as they
  were written; in Elasticsearch those of several shards may come shard by shard.
* A number in a field of texts is refused where its text would be lost: `1.50`, `1e3`, `-0`, above 64 bits.
  `-0.0` in a field of fractions is refused: Elasticsearch tells it from `0.0`.
* A field's name that ends in a dot (`a.`) is refused; Elasticsearch reads over the dot. So is half a
  surrogate pair in a name, and a search for the words of a text that ends in the first half of one.
* `missing` of an aggregation is refused where Elasticsearch reads it in another way than a document's value:
  a fraction for a whole number, a number for a boolean, an empty text, any for a `flattened` field.
"""


def page() -> str:
    """The whole page as Markdown."""
    return "\n".join([HEAD, *routes(), *sections()]) + "\n"


def routes() -> Iterator[str]:
    """The requests with their parameters and bodies."""
    yield "## Requests\n"
    yield "Every request takes `pretty`, `error_trace` and `filter_path`, and `format=json`.\n"
    common = {"pretty", "error_trace", "filter_path"}
    for route in sorted(ROUTES, key=lambda it: (it.path, it.methods)):
        yield f"### {' · '.join(route.methods)} `{route.path}`\n"
        words = {name: word for name, word in route.parameters.words.items() if name not in common}
        yield from listed(words, "Parameters")
        yield from body_of(route)


def body_of(route: Route) -> Iterator[str]:
    """What the body of a request may contain."""
    if isinstance(route.body, OwnReading):
        yield f"Body: {route.body.reason}.\n"
    elif route.body is not None:
        yield from listed(route.body.words, "Body")


def listed(words: Mapping[str, Word], title: str) -> Iterator[str]:
    """Words in one paragraph, and those without effect or with few values in a list."""
    served = [f"`{name}`" for name, word in words.items() if not word.why_inert and not word.values]
    yield f"{title}: {', '.join(sorted(served)) or 'none that is carried out'}.\n"
    rest = [line for name, word in sorted(words.items()) if (line := remark(name, word))]
    if rest:
        yield from rest
        yield ""


def remark(name: str, word: Word) -> str:
    """What is said of a word that is not simply carried out."""
    if word.values:
        shown = ", ".join(f"`{value}`" if value else "without a value" for value in word.values)
        return f"* `{name}`: only {shown}"
    return f"* `{name}`: without effect: {word.why_inert}" if word.why_inert else ""


def sections() -> Iterator[str]:
    """Everything that stands inside of bodies."""
    yield from section("Searches", [SEARCH_KEYS, SOURCE_KEYS, POINT_KEYS, OPTIONS])
    yield from section("Queries", [clause.takes for clause in CLAUSES.values()])
    yield from section("Aggregations", [it.takes for it in KINDS.values() if it.takes is not None])
    yield "`filter` takes a query.\n"
    yield from section("Bulk and multi-get", [PARAMETERS, WANTED_DOCUMENT])
    yield from section("Mappings", [ROOT, *METADATA.values(), TEMPLATE, *TYPES.values()])
    yield f"Date formats: {', '.join(f'`{name}`' for name in sorted(FORMATS))}.\n"
    yield from section(
        "Indices and templates", [CREATE_KEYS, INDEX_KEYS, COMPONENT_KEYS, TEMPLATE_KEYS, STREAM_KEYS]
    )
    yield from section("Index settings", [SETTINGS])
    yield "Settings of the slow logs are without effect: they are no answers.\n"
    yield "## Cluster settings\n"
    yield f"Carried out: {', '.join(f'`{name}`' for name in sorted(SETTINGS_SERVED))}.\n"
    yield from (f"* `{prefix}*`: without effect: {reason}" for prefix, reason in sorted(NO_EFFECT.items()))


def section(title: str, declarations: list[Declaration]) -> Iterator[str]:
    """One section with a paragraph for each declaration."""
    yield f"## {title}\n"
    for declaration in declarations:
        yield from listed(declaration.words, declaration.where[:1].upper() + declaration.where[1:])


def main(arguments: list[str]) -> int:
    """Write the page into the file named."""
    Path(arguments[0]).write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
