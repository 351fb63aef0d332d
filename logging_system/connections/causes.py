"""What an exception of a request came from, and what it must not hold on to."""

from __future__ import annotations

from collections.abc import Iterator

_CAUSES_MAX = 10


def causes_of(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and what it came from; urllib3 puts some of that into arguments.

    Args:
        error: The exception, which comes first.
    """
    found: list[BaseException] = [error]
    for cause in found:
        yield cause
        inner = [cause.__cause__, cause.__context__, *cause.args, getattr(cause, "reason", None)]
        found += [each for each in inner if isinstance(each, BaseException) and each not in found]
        if len(found) > _CAUSES_MAX:
            return


def let_go_of_frames(error: BaseException) -> None:
    """Let an exception that was caught, and what it came from, hold no frames any more.

    urllib3 keeps exceptions in variables of the frames that their tracebacks name. Such a circle lives until
    the garbage collector looks for it, which may take minutes, and with it lives whatever all callers had in
    their hands: a piece of the spool, a body, a key.

    Args:
        error: An exception that nobody will print with its traceback.
    """
    for each in causes_of(error):
        each.__traceback__ = None
