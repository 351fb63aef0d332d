from __future__ import annotations

import re

from logging_system.spool import checkpoint, codec, frame, segment
from tests.repository import DOCS

PAGE = DOCS / "reference" / "spool-format.md"


def test_the_example_of_the_format_is_true() -> None:
    (example,) = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)

    exec(compile(example, str(PAGE), "exec"), {})  # noqa: S102 - the page's own example


def test_the_page_names_every_state_codec_and_size() -> None:
    text = PAGE.read_text()

    for state in (segment.OPEN, segment.SEALED, segment.CORRUPT, segment.CREATING, segment.EVICTED):
        assert f"`<epoch>-<index>.{state}`" in text
    for number in (codec.PLAIN.number, frame.EVICTED, frame.VOID):
        assert f"| {number} |" in text
    assert f"at most {frame.BLOCK_BYTES_MAX >> 20} MiB" in text
    assert f"at {checkpoint.SLOT_BYTES >> 20} MiB" in text
    assert f"a mark of {frame.FILE_HEADER_BYTES + frame.BLOCK_HEADER_BYTES} bytes" in text
