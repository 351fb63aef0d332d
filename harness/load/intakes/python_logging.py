"""Records enter through Python's `logging`: any `logging.Handler`, named by its dotted path."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from harness.model.declarations import Arguments, Scalar
from harness.model.errors import StackError, described
from harness.model.protocols import ARGUMENT, EXCEPTION, EXTRA, MESSAGE, URL, Record, Secret, SpanIds
from harness.model.registry import import_path

_LOGGER_NAME = "logquake.application"
_LEVELS = logging.getLevelNamesMapping()
_LEVEL = logging.INFO
"""What is sent where the stack file names no field for the level, and much of what is sent where it does."""


class PythonLogging:
    """Hosts one handler on a logger of its own.

    A handler that tells which records became durable has an attribute `on_durable`: a callable that takes
    those `logging.LogRecord`s. Each record carries its number as the `sequence` extra. Where the stack file
    names a field for the level or the logger, these vary from record to record; where it names one for the
    trace, most log calls are made within a span of OpenTelemetry. A canary comes in the message, as an
    argument of it, in the `context` extra (four levels deep), or in an exception.

    Args:
        handler: the handler's class, as `package.module:Class`.
        tenant_extra: the extra that says whose record it is, where the stack file declares `namespaces`.
        beside: a second handler, named in the same way and made without arguments, that is called after the
            first; it takes the caller's time and acknowledges nothing.
        arguments: keyword arguments of the handler's constructor.
    """

    def __init__(
        self, handler: str, beside: str | None = None, tenant_extra: str = "", **arguments: Scalar
    ) -> None:
        """Name the handler by `package.module:Class` and give it these keyword arguments."""
        self._path = handler
        self._beside = beside
        self._tenant_extra = tenant_extra
        self._arguments = arguments
        self._logger = logging.getLogger(_LOGGER_NAME)
        self._handlers: list[logging.Handler] = []

    def open(self, acknowledge: Callable[[Iterable[int]], None]) -> None:
        """Make the handler and attach it.

        Raises:
            StackError: the handler cannot be imported or made, or is no `logging.Handler`.
        """
        handler = _made("handler", self._path, self._arguments)
        self._handlers = [handler]
        if self._beside is not None:
            self._handlers.append(_made("beside", self._beside, {}))
        if handler.level > _LEVEL:
            level = logging.getLevelName(handler.level)
            raise StackError(
                f'intake.handler "{self._path}": its level is {level}, so it leaves out what is sent at '
                f"{logging.getLevelName(_LEVEL)}, and that is no loss. Give it a lower level."
            )
        if hasattr(handler, "on_durable"):
            handler.on_durable = _acknowledge_records(acknowledge)
        self._logger.setLevel(logging.DEBUG)
        self._logger.propagate = False
        for each in self._handlers:
            self._logger.addHandler(each)

    def send(self, record: Record) -> None:
        """Make the log call an application would make; the whole line is the message."""
        with _current(record.span):
            self._log(record)

    def _log(self, record: Record) -> None:
        # A logger named after another below it hands its records on to that one's handler.
        logger, level = logging.getLogger(record.logger), _LEVELS[record.level]
        extra: dict[str, object] = {"sequence": record.sequence}
        if self._tenant_extra and record.tenant:
            extra[self._tenant_extra] = record.tenant
        if record.secret is None or record.secret.path in {MESSAGE, URL}:
            logger.log(level, record.line, extra=extra)
        else:
            _log_with_secret(logger, level, record.line, record.secret, extra)

    @staticmethod
    def secret_paths(arguments: Arguments) -> Sequence[str]:
        """Return all paths: a log call has each of them."""
        return (MESSAGE, ARGUMENT, EXTRA, EXCEPTION, URL)

    def close(self) -> None:
        """Detach and close what was attached, the latest first, as `logging.shutdown` would."""
        while self._handlers:
            handler = self._handlers.pop()
            self._logger.propagate = True
            self._logger.removeHandler(handler)
            handler.close()


def _made(key: str, path: str, arguments: Arguments) -> logging.Handler:
    """Return a handler.

    Raises:
        StackError: It cannot be imported or made, or is no `logging.Handler`.
    """
    try:
        handler: Any = import_path(path)(**arguments)
    except (Exception, SystemExit) as error:
        raise StackError(f'intake.{key} "{path}": {described(error)}') from error
    if not isinstance(handler, logging.Handler):
        raise StackError(f'intake.{key} "{path}" is not a logging.Handler')
    return handler


def _log_with_secret(
    logger: logging.Logger, level: int, line: str, secret: Secret, extra: dict[str, object]
) -> None:
    """Make a log call whose message, once it is formatted, is the line, and which brings a secret."""
    if secret.path == ARGUMENT:
        begin, end = secret.from_character, secret.to_character
        message = "%s".join(part.replace("%", "%%") for part in (line[:begin], line[end:]))
        logger.log(level, message, line[begin:end], extra=extra)
    elif secret.path == EXTRA:
        context = {"request": {"headers": [{"name": "x"}, {secret.key: secret.value}]}}
        logger.log(level, line, extra={**extra, "context": context})
    else:
        try:
            _fail(secret)
        except RuntimeError as error:
            logger.log(level, line, exc_info=error, extra=extra)


def _current(span: SpanIds | None) -> AbstractContextManager[object]:
    """Return what makes a span the current one; it is one of another process, which records nothing here."""
    if span is None:
        return nullcontext()
    # Only here: a stack that promises no traces is examined as it is where nobody has OpenTelemetry.
    try:
        from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, use_span
    except ImportError as error:
        raise StackError(
            "promises.traces needs OpenTelemetry in the application: pip install 'logquake[opentelemetry]'"
        ) from error

    trace_id, span_id = (int(each, 16) for each in span)
    context = SpanContext(trace_id, span_id, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))
    return use_span(NonRecordingSpan(context))


def _fail(secret: Secret) -> None:
    """Raise an exception that has another one for its cause, as drivers raise those of a server."""
    try:
        raise ValueError(secret.text, {secret.key: secret.value})  # noqa: TRY301 - a cause is wanted
    except ValueError as error:
        raise RuntimeError("the request failed") from error


def _acknowledge_records(
    acknowledge: Callable[[Iterable[int]], None],
) -> Callable[[Sequence[logging.LogRecord]], None]:
    def on_durable(records: Sequence[logging.LogRecord]) -> None:
        acknowledge([record.__dict__["sequence"] for record in records])

    return on_durable
