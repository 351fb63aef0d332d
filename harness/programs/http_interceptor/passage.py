"""One client connection: its requests one after the other, over one connection of its own to the store."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import h11

from harness.programs.http_interceptor.bulk import BODY_BYTES_MAX
from harness.programs.http_interceptor.messages import Answer, Onward, Request, length_of, value_of, without
from harness.programs.http_interceptor.rule import Rule
from harness.programs.http_interceptor.wire import CHUNK_BYTES, Wire, WireError, towards_store

# A store may think for long; that a connection stays open without end, nobody needs.
EXCHANGE_SECONDS_MAX = 3600.0
FINISH_SECONDS_MAX = 2.0


@dataclass(frozen=True, slots=True)
class PassageRules:
    """What a passage needs of its interceptor: the store's address, rules for a target, counters.

    `record` takes the bytes of requests as they come.
    """

    upstream: tuple[str, int]
    rules_for: Callable[[bytes], Sequence[Rule]]
    counters: Counter[str]
    record: Callable[[bytes], None] = lambda _: None


class _TooLargeError(Exception):
    """A body is larger than any store takes."""


class Passage:
    """Carries requests until either side ends."""

    def __init__(self, client: Wire, rules: PassageRules) -> None:
        self._client = client
        self._store: Wire | None = None
        self._rules = rules

    async def run(self) -> None:
        """Carry requests; returns when the connection is over, and both ends are closed then."""
        try:
            with suppress(WireError, TimeoutError, h11.LocalProtocolError):
                while await self._exchange():
                    pass
        finally:
            self._client.close()
            self._drop_store()

    async def _exchange(self) -> bool:
        """Carry one request; False where the connection is over."""
        async with asyncio.timeout(EXCHANGE_SECONDS_MAX):
            head = await self._next_head()
        if head is None:
            return False
        self._rules.counters["requests"] += 1
        self._rules.record(_head_text(head))
        rules = self._rules.rules_for(head.target)
        async with asyncio.timeout(EXCHANGE_SECONDS_MAX):
            goes_on = await (self._bent(head, rules) if rules else self._passed(head))
        if not goes_on or not self._client.next_cycle():
            return False
        if self._store is not None and not self._store.next_cycle():
            self._drop_store()
        return True

    async def _next_head(self) -> h11.Request | None:
        """Wait for a request; None where either side ends the connection first."""
        waiting = [asyncio.create_task(self._client.next_event())]
        if self._store is not None:
            waiting.append(asyncio.create_task(self._store.hung_up()))
        await _first(waiting)
        if not waiting[0].done() or waiting[0].cancelled():
            return None
        event = waiting[0].result()
        return event if isinstance(event, h11.Request) else None

    # --- without rules -----------------------------------------------------------------------------------

    async def _passed(self, head: h11.Request) -> bool:
        """Let one exchange stream through as it comes."""
        store = await self._open_store()
        sending = asyncio.create_task(self._send_on(store, head))
        answering = asyncio.create_task(self._bring_back(store))
        try:
            return await self._carried(store, sending, answering)
        finally:
            await _end([sending, answering])

    async def _carried(self, store: Wire, sending: asyncio.Task[bool], answering: asyncio.Task[None]) -> bool:
        await asyncio.wait({sending, answering}, return_when=asyncio.FIRST_COMPLETED)
        if not answering.done():
            if not sending.result():
                return False
            gone = asyncio.create_task(self._client.hung_up())
            try:
                await asyncio.wait({gone, answering}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                await _end([gone])
            if not answering.done():
                return False
        try:
            answering.result()
        except WireError:
            return False
        self._rules.counters["passed"] += 1
        if not sending.done() and store.http.their_state is h11.DONE:
            # An answer before the end of its request: the store reads the rest, or has said that it will not.
            await asyncio.wait({sending})
        if self._client.http.our_state is not h11.DONE or self._client.http.their_state is not h11.DONE:
            await self._client.finish(FINISH_SECONDS_MAX)
            return False
        return True

    async def _send_on(self, store: Wire, head: h11.Request) -> bool:
        """Take the request to the store; False where the client is gone before its end."""
        store_takes = await _sent(
            store, h11.Request(method=head.method, target=head.target, headers=head.headers.raw_items())
        )
        while True:
            try:
                event = await self._client.next_event()
            except WireError:
                return False
            if not isinstance(event, h11.Data | h11.EndOfMessage):
                return False
            if isinstance(event, h11.Data):
                self._rules.record(bytes(event.data))
            # A store that takes no more may have answered; the rest of the request is read and forgotten.
            store_takes = store_takes and await _sent(store, event)
            if isinstance(event, h11.EndOfMessage):
                return True

    async def _bring_back(self, store: Wire) -> None:
        while True:
            event = await store.next_event()
            if isinstance(event, h11.Response):
                self._note_answer()
                event = h11.Response(
                    status_code=event.status_code, reason=event.reason, headers=event.headers.raw_items()
                )
            elif not isinstance(event, h11.InformationalResponse | h11.Data | h11.EndOfMessage):
                raise WireError("the store ended the connection")
            await self._client.send(event)
            if isinstance(event, h11.EndOfMessage):
                return

    # --- with rules --------------------------------------------------------------------------------------

    async def _bent(self, head: h11.Request, rules: Sequence[Rule]) -> bool:
        """Read one request completely and apply the rules to it."""
        try:
            request = await self._whole_request(head)
        except _TooLargeError:
            self._rules.counters["too_large_to_bend"] += 1
            await self._tell(Answer(413, b"Request Entity Too Large", (length_of(b""),), b""))
            await self._client.finish(FINISH_SECONDS_MAX)
            return False
        answering = asyncio.create_task(_chain(rules, self._ask_store)(request))
        gone = asyncio.create_task(self._client.hung_up())
        try:
            await asyncio.wait({answering, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not answering.done():
                return False
            return await self._tell(answering.result())
        finally:
            await _end([answering, gone])

    async def _whole_request(self, head: h11.Request) -> Request:
        if self._client.http.they_are_waiting_for_100_continue:
            await self._client.send(h11.InformationalResponse(status_code=100, headers=[]))
        body = bytearray()
        while isinstance(event := await self._client.next_event(), h11.Data):
            body += event.data
            self._rules.record(bytes(event.data))
            if len(body) > BODY_BYTES_MAX:
                raise _TooLargeError
        headers = without(tuple(head.headers.raw_items()), b"expect")
        if value_of(headers, b"transfer-encoding"):
            headers = (*without(headers, b"transfer-encoding"), length_of(body))
        return Request(head.method, head.target, headers, bytes(body))

    async def _ask_store(self, request: Request) -> Answer:
        store = await self._open_store()
        await store.send(
            h11.Request(method=request.method, target=request.target, headers=list(request.headers))
        )
        for start in range(0, len(request.body), CHUNK_BYTES):
            await store.send(h11.Data(data=request.body[start : start + CHUNK_BYTES]))
        await store.send(h11.EndOfMessage())
        while isinstance(head := await store.next_event(), h11.InformationalResponse):
            pass
        if not isinstance(head, h11.Response):
            raise WireError("the store ended the connection")
        self._note_answer()
        body = bytearray()
        while isinstance(event := await store.next_event(), h11.Data):
            body += event.data
            if len(body) > BODY_BYTES_MAX:
                raise WireError("the answer is too large to be bent")
        if not isinstance(event, h11.EndOfMessage):
            raise WireError("the store ended the connection")
        headers = tuple(head.headers.raw_items())
        if request.method != b"HEAD" and value_of(headers, b"transfer-encoding"):
            headers = (*without(headers, b"transfer-encoding"), length_of(body))
        return Answer(head.status_code, head.reason, headers, bytes(body))

    async def _tell(self, answer: Answer) -> bool:
        """Send an answer, or as much of it as is to leave; False where the connection ends with it."""
        if answer.sent_share == 0:
            return False
        client = self._client
        await client.send(
            h11.Response(status_code=answer.status, reason=answer.reason, headers=list(answer.headers))
        )
        share = 1.0 if answer.sent_share is None else answer.sent_share
        leaving = answer.body[: int(len(answer.body) * share)]
        for start in range(0, len(leaving), CHUNK_BYTES):
            await client.send(h11.Data(data=leaving[start : start + CHUNK_BYTES]))
        if answer.sent_share is not None:
            return False
        await client.send(h11.EndOfMessage())
        return True

    # --- the store's end ---------------------------------------------------------------------------------

    async def _open_store(self) -> Wire:
        if self._store is None:
            host, port = self._rules.upstream
            try:
                reader, writer = await asyncio.open_connection(host, port)
            except OSError as error:
                self._rules.counters["store_unreachable"] += 1
                raise WireError(str(error)) from error
            self._store = Wire(towards_store(), reader, writer)
        return self._store

    def _note_answer(self) -> None:
        """Count an answer of the store, before anything of it goes on: while none is counted, none came."""
        self._rules.counters["answers"] += 1

    def _drop_store(self) -> None:
        if self._store is not None:
            self._store.abort()
            self._store = None


def _head_text(head: h11.Request) -> bytes:
    """Return a request's first lines as they are on the wire."""
    lines = [b"%b %b HTTP/1.1" % (head.method, head.target)]
    lines += [b"%b: %b" % (name, value) for name, value in head.headers.raw_items()]
    return b"\n" + b"\r\n".join(lines) + b"\r\n\r\n"


def _chain(rules: Sequence[Rule], last: Onward) -> Onward:
    """Return what takes a request through all rules, in the order they were put, to the store."""
    onward = last
    for rule in reversed(rules):
        onward = _link(rule, onward)
    return onward


def _link(rule: Rule, onward: Onward) -> Onward:
    async def handled(request: Request) -> Answer:
        return await rule.handle(request, onward)

    return handled


async def _sent(store: Wire, event: h11.Event) -> bool:
    try:
        await store.send(event)
    except WireError:
        return False
    return True


async def _first(tasks: Sequence[asyncio.Task[Any]]) -> None:
    """Wait until one is done and end the others."""
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await _end([task for task in tasks if not task.done()])


async def _end(tasks: Sequence[asyncio.Task[Any]]) -> None:
    """Cancel tasks and wait for their end; what they raised has been seen or no longer matters."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
