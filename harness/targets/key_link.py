"""The link to a key server as the provider of a stack's keys: nobody gets through, or garbage comes back."""

from __future__ import annotations

from random import Random

from harness import http_client
from harness.model.errors import FaultError
from harness.model.protocols import Undo
from harness.targets.capabilities import Interceptable
from harness.targets.link import LinkTarget

_RULE = "garbage_answers"
_MARK = "logquake garbage\n"
_PROBE_SECONDS = 2.0
_ANSWER_BYTES_MAX = 64 * 1024


class KeyLinkTarget:
    """A key server as the stack reaches it; implements KeyProviding.

    Args:
        name: how scenarios call it.
        link: the link to it.
        url: where the stack connects to it.
    """

    def __init__(self, name: str, link: LinkTarget, url: str) -> None:
        self.name = name
        self._link = link
        self._url = url
        self._is_spoiled = False

    def hide(self) -> None:
        """End all connections to it, and refuse new ones; raises FaultError."""
        self._link.disconnect()

    def spoil(self, rng: Random) -> None:
        """Let every request be answered with garbage; raises FaultError, as where it is asked over TLS."""
        self._looked_into().add_rule(_RULE, _RULE, {"mark": _MARK}, 1.0, rng.randrange(2**32))
        self._is_spoiled = True

    def show(self) -> None:
        """Let requests and answers through again; harmless where they come through. Raises FaultError."""
        self._link.connect()
        if self._is_spoiled:
            self._looked_into().remove_rule(_RULE)
            self._is_spoiled = False

    def out_of_reach(self) -> bool:
        """Tell whether a request of our own is not answered, or with garbage."""
        answer = self._answer()
        return answer is None or _is_garbage(answer)

    def describe_provider(self) -> str:
        """Say how a request of our own to it went, for a person."""
        answer = self._answer()
        if answer is None:
            return f"{self.name} cannot be reached over {self._link.name}"
        return f"{self.name} answers over {self._link.name}{' with garbage' if _is_garbage(answer) else ''}"

    def undo_hide(self) -> Undo:
        """Name the link to open again."""
        return self._link.undo_disconnect()

    def undo_spoil(self) -> Undo:
        """Name the rule to remove; raises FaultError as `spoil` does."""
        return self._looked_into().undo_rule(_RULE)

    def _looked_into(self) -> Interceptable:
        if not isinstance(self._link, Interceptable):
            raise FaultError(f'link "{self._link.name}" speaks TLS, so that no answer can be changed')
        return self._link

    def _answer(self) -> bytes | None:
        """Return what a request of our own is answered, whatever its status; None where it is not."""
        try:
            return http_client.call(
                "GET", self._url, timeout_seconds=_PROBE_SECONDS, answer_bytes_max=_ANSWER_BYTES_MAX
            ).body
        except http_client.TooLongError:
            return b""
        except http_client.HttpError:
            return None


def _is_garbage(answer: bytes) -> bool:
    return answer.startswith(_MARK.encode())
