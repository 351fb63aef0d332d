"""What an exception of a request came from."""

from __future__ import annotations

from collections.abc import Iterator

_CAUSES_MAX = 10


def causes_of(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and what it came from; urllib3 puts some of that into arguments."""
    found: list[BaseException] = [error]
    for cause in found:
        yield cause
        inner = [cause.__cause__, cause.__context__, *cause.args, getattr(cause, "reason", None)]
        found += [each for each in inner if isinstance(each, BaseException) and each not in found]
        if len(found) > _CAUSES_MAX:
            return
