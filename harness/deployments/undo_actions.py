"""How each action of the undo journal is carried out by a process that knows nothing of its run.

An action is a word that a fault's target wrote into the journal (`Undo.action`). A new one is a function here
and a line in `ACTIONS`.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping
from typing import TypeAlias

import requests

from harness.deployments import procfs
from harness.errors import FaultError
from harness.protocols import Arguments, Undo
from harness.proxy_client import ProxyAnswerError, ProxyClient, ProxyUnreachableError

_ANSWER_SECONDS = 3.0
_NOT_FOUND = 404
_SERVER_ERROR = 500

Action: TypeAlias = Callable[[Arguments], str]
"""Takes a fault back, sees that it is gone and says so; raises HarnessError where it cannot. Idempotent."""


def remove_toxic(arguments: Arguments) -> str:
    """Take a toxic off a link of a fault proxy that may still live.

    Args:
        arguments: `proxy_url`, `proxy` (the link's name there) and `toxic`.
    """
    url, proxy, toxic = (str(arguments[name]) for name in ("proxy_url", "proxy", "toxic"))
    client = ProxyClient(url, _ANSWER_SECONDS)
    try:
        # Asking changes nothing, whoever answers at that address by now.
        if toxic not in _toxics(client, proxy):
            return f"toxic {toxic} is on {proxy} at {url} no more"
        client.remove_toxic(proxy, toxic)
        if toxic in _toxics(client, proxy):
            raise FaultError(f"toxic {toxic} is still on {proxy} at {url} after its removal")
    except ProxyUnreachableError:
        return f"the fault proxy at {url} is gone, and toxic {toxic} with it"
    finally:
        client.close()
    return f"toxic {toxic} was removed from {proxy} at {url}"


def _toxics(client: ProxyClient, proxy: str) -> list[str]:
    try:
        return [toxic.name for toxic in client.get(proxy).toxics]
    except ProxyAnswerError as error:
        if error.status < _SERVER_ERROR:
            return []  # the link is not there; perhaps another program listens on that port by now
        raise


def remove_rule(arguments: Arguments) -> str:
    """Delete a rule of an HTTP gate that may still live.

    Args:
        arguments: `url`, the address of the very rule.
    """
    url = str(arguments["url"])
    try:
        with requests.Session() as session:
            # What listens on this machine is asked directly, whatever proxy the surroundings configure.
            session.trust_env = False
            answer = session.delete(url, timeout=_ANSWER_SECONDS)
    except requests.ConnectionError:
        return f"nothing answers at {url}: the gate is gone, and its rule with it"
    except requests.RequestException as error:
        raise FaultError(f"{url} cannot be deleted: {error}") from error
    if answer.ok or answer.status_code == _NOT_FOUND:
        return f"the rule {url} is gone"
    raise FaultError(f"{url} cannot be deleted: the gate answers {answer.status_code}")


def resume_process(arguments: Arguments) -> str:
    """Let a stopped process go on, if it is still the one that was stopped.

    Args:
        arguments: `mark`, its pid and start time as `pid:starttime`.
    """
    mark = str(arguments["mark"])
    if not procfs.signal_marked(mark, signal.SIGCONT):
        return f"process {mark} has ended, so there is nothing to resume"
    return f"process {mark} goes on"


def restart_process(arguments: Arguments) -> str:
    """Start nothing: nobody misses a killed part of a dead run, and what else is left of it is ended."""
    return f"{arguments.get('process', 'the process')} belonged to its run, which is dead: nothing to restart"


ACTIONS: Mapping[str, Action] = {
    "remove_toxic": remove_toxic,
    "remove_rule": remove_rule,
    "resume_process": resume_process,
    "restart_process": restart_process,
}


def carry_out(undo: Undo) -> str:
    """Carry out one undo and say what was done.

    Raises:
        HarnessError: it could not be done, or nobody here knows the action.
    """
    action = ACTIONS.get(undo.action)
    if action is None:
        raise FaultError(f'no way to carry out "{undo.action}" is known; a plug-in must have written it')
    try:
        return action(undo.arguments)
    except KeyError as error:
        raise FaultError(f'"{undo.action}" lacks its argument {error}; the journal is damaged') from error
