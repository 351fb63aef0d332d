"""Recognises by its bytes the bulk answer in which every document was created: nearly every answer is one."""

from __future__ import annotations

import re
from collections.abc import Sequence

from logging_system.delivery.runs import Run
from logging_system.sinks.elasticsearch.http_answer import HttpAnswer, NoAnswer

_ALL_WELL = re.compile(
    rb'\{(?:"errors":false,"took":\d{1,15}|"took":\d{1,15},"errors":false),"items":\['
    rb'(?=\{"create":\{"_index":"([.\w-]{1,255})",)'
)


def created_in(answer: HttpAnswer | NoAnswer, runs: Sequence[Run]) -> str | None:
    """Return the index that took every document sent, where the answer says just that and nothing else.

    Such an answer is known to the byte beforehand, and comparing takes a tenth of the time of
    `read_strictly`, which would come to the same result. Whatever differs, in a space or in the order of
    keys, is left to that.

    Args:
        answer: What came back.
        runs: The documents, in the order sent.
    """
    if isinstance(answer, NoAnswer) or not answer.is_success:
        return None
    head = _ALL_WELL.match(answer.body)
    if head is None:
        return None
    start = b'{"create":{"_index":"' + head[1] + b'","_id":"'
    items: list[bytes] = []
    for run in runs:
        items += run.with_ids(start, b'","status":201}}')
    return head[1].decode() if answer.body[head.end() :] == b",".join(items) + b"]}" else None
