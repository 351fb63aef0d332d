"""How each action of the undo journal is carried out by a process that knows nothing of its run.

An action is a word that a fault's target wrote into the journal (`Undo.action`). A new one is a function here
and a line in `ACTIONS`.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping
from pathlib import Path, PurePath
from typing import TypeAlias
from urllib.parse import quote

import orjson

from harness import http_client
from harness.model.declarations import Arguments
from harness.model.errors import FaultError
from harness.model.protocols import Undo
from harness.processes import docker_daemon, procfs
from harness.targets.folders import put_back
from harness.targets.interceptor_client import ANSWER_BYTES_MAX, InterceptorClient
from harness.targets.key_files import hidden_name, put_back_file
from harness.targets.mail_server import CHAOS_PATH, set_chaos
from harness.targets.small_disk import unmount
from harness.targets.toxiproxy_client import Proxy, ProxyAnswerError, ProxyUnreachableError, ToxiproxyClient
from harness.targets.wall_clock import set_right

_ANSWER_SECONDS = 3.0
_SERVER_ERROR = 500

Action: TypeAlias = Callable[[Arguments], str]
"""Takes a fault back, sees that it is gone and says so; raises HarnessError where it cannot. Idempotent."""


def remove_toxic(arguments: Arguments) -> str:
    """Take a toxic off a link of a fault proxy that may still live.

    Args:
        arguments: `proxy_url`, `proxy` (the link's name there) and `toxic`.

    Returns:
        One line: what was done, or why nothing was left to do.

    Raises:
        FaultError: the proxy lives, and the toxic is still on it afterwards, or it answers with an error.
    """
    url, proxy, toxic = (str(arguments[name]) for name in ("proxy_url", "proxy", "toxic"))
    client = ToxiproxyClient(url, _ANSWER_SECONDS)
    try:
        # Asking changes nothing, whoever answers at that address by now.
        if toxic not in _toxics(client, proxy):
            return f"toxic {toxic} is no longer on {proxy} at {url}"
        client.remove_toxic(proxy, toxic)
        if toxic in _toxics(client, proxy):
            raise FaultError(f"toxic {toxic} is still on {proxy} at {url} after its removal")
    except ProxyUnreachableError:
        return f"the fault proxy at {url} is gone, and toxic {toxic} with it"
    return f"toxic {toxic} was removed from {proxy} at {url}"


def _toxics(client: ToxiproxyClient, name: str) -> list[str]:
    proxy = _proxy(client, name)
    return [] if proxy is None else [toxic.name for toxic in proxy.toxics]


def _proxy(client: ToxiproxyClient, name: str) -> Proxy | None:
    try:
        return client.get(name)
    except ProxyAnswerError as error:
        if error.status < _SERVER_ERROR:
            return None  # the link is not there; perhaps another program listens on that port by now
        raise


def enable_proxy(arguments: Arguments) -> str:
    """Let a link of a fault proxy that may still live accept connections again.

    Args:
        arguments: `proxy_url` and `proxy` (the link's name there).

    Returns:
        One line: what was done, or why nothing was left to do.

    Raises:
        FaultError: the proxy lives, and the link is still cut afterwards, or it answers with an error.
    """
    url, proxy = str(arguments["proxy_url"]), str(arguments["proxy"])
    client = ToxiproxyClient(url, _ANSWER_SECONDS)
    try:
        seen = _proxy(client, proxy)
        if seen is None or seen.enabled:
            return f"{proxy} at {url} is no longer cut"
        if not client.set_enabled(proxy, True).enabled:
            raise FaultError(f"{proxy} at {url} is still cut after it was enabled")
    except ProxyUnreachableError:
        return f"the fault proxy at {url} is gone, and its link {proxy} with it"
    return f"{proxy} at {url} was enabled"


def remove_rule(arguments: Arguments) -> str:
    """Take a rule off an HTTP interceptor that may still live.

    Args:
        arguments: `interceptor_url`, `interceptor` (the link's name there) and `rule`.

    Returns:
        One line: what was done, or why nothing was left to do.

    Raises:
        FaultError: the interceptor lives, and does not answer in time or still has the rule afterwards.
    """
    url, interceptor, rule = (str(arguments[name]) for name in ("interceptor_url", "interceptor", "rule"))
    try:
        if not _has_rule(url, interceptor, rule):
            return f"rule {rule} is no longer on {interceptor} at {url}"
    except http_client.TimedOutError as error:
        raise FaultError(f"the interceptor at {url} does not answer within {_ANSWER_SECONDS:g} s") from error
    except http_client.UnreachableError:
        return f"the interceptor at {url} is gone, and rule {rule} with it"
    InterceptorClient(url, _ANSWER_SECONDS).remove_rule(interceptor, rule)
    if _has_rule(url, interceptor, rule):
        raise FaultError(f"rule {rule} is still on {interceptor} at {url} after its removal")
    return f"rule {rule} was removed from {interceptor} at {url}"


def _has_rule(url: str, interceptor: str, rule: str) -> bool:
    """Ask whoever answers there by now, which changes nothing; raises what the HTTP client raises."""
    try:
        answer = http_client.call(
            "GET",
            f"{url}/interceptors/{quote(interceptor, safe='')}",
            timeout_seconds=_ANSWER_SECONDS,
            answer_bytes_max=ANSWER_BYTES_MAX,
        )
    except http_client.TooLongError:
        return False  # no interceptor says so much; another program listens on that port by now
    if answer.status >= _SERVER_ERROR:
        raise FaultError(f"the interceptor at {url} answers {answer.status}")
    try:
        return answer.status < 400 and rule in orjson.loads(answer.body)["rules"]
    except (ValueError, KeyError, TypeError):
        return False  # the interceptor is not there; another program listens on that port by now


def resume_process(arguments: Arguments) -> str:
    """Let a stopped process go on, if it is still the one that was stopped.

    Args:
        arguments: `mark`, its pid and start time as `pid:starttime`.

    Returns:
        One line: that it was resumed, or that it has ended.
    """
    mark = str(arguments["mark"])
    if not procfs.signal_marked(mark, signal.SIGCONT):
        return f"process {mark} has ended, so there is nothing to resume"
    return f"process {mark} was resumed"


def resume_container(arguments: Arguments) -> str:
    """Let a frozen container go on, if it is still there.

    Args:
        arguments: `container`, its id, and `service`, what it was called.

    Returns:
        One line: that it was resumed, or that it is not frozen any more.
    """
    container, service = str(arguments["container"]), str(arguments["service"])
    if not docker_daemon.resume(container):
        return f"container {container[:12]} ({service}) is not frozen any more"
    return f"container {container[:12]} ({service}) was resumed"


def put_back_folders(arguments: Arguments) -> str:
    """Put folders of a stack back that were moved aside.

    Args:
        arguments: `root`, the folder of the stack in its run, and `folders`, one path in it a line.

    Returns:
        One line: which folders were put back, or why none had to be.
    """
    root = Path(str(arguments["root"]))
    if not root.is_dir():
        return f"{root} is gone, and with it what was moved in it"
    folders = [PurePath(line) for line in str(arguments["folders"]).splitlines()]
    moved = [str(folder) for folder in folders if put_back(root, folder)]
    if not moved:
        return f"nothing in {root} is moved aside any more"
    return f"{', '.join(moved)} was put back in {root}"


def put_back_files(arguments: Arguments) -> str:
    """Put files of a stack's key provider back that were hidden or spoiled.

    Args:
        arguments: `root`, the folder of the stack in its run, and `files`, one path in it a line.

    Returns:
        One line: which files were put back, or why none had to be.
    """
    root = Path(str(arguments["root"]))
    if not root.is_dir():
        return f"{root} is gone, and with it what was hidden in it"
    files = [root / line for line in str(arguments["files"]).splitlines() if ".." not in PurePath(line).parts]
    moved = [path.name for path in files if put_back_file(hidden_name(path))]
    if not moved:
        return f"nothing in {root} is hidden any more"
    return f"{', '.join(moved)} was put back in {root}"


def unmount_disk(arguments: Arguments) -> str:
    """Take the small disk away that was mounted over a folder of a stack, with all that is on it.

    Args:
        arguments: `folder`, over which it was mounted.

    Returns:
        One line: that the disk was unmounted, or that none was mounted any more.
    """
    folder = Path(str(arguments["folder"]))
    if not unmount(folder):
        return f"no disk is mounted over {folder} any more"
    return f"the disk over {folder} was unmounted"


def accept_mail(arguments: Arguments) -> str:
    """Let a mail server that may still live take mail again.

    Args:
        arguments: `api_url`, where it is told whom to refuse.

    Returns:
        One line: that it takes mail again, or that it is gone or another program has its port.

    Raises:
        FaultError: whoever listens there does not answer in time, or the mail server refuses the setting.
    """
    url = str(arguments["api_url"])
    try:
        # Asking changes nothing, whoever answers at that address by now.
        answer = http_client.call(
            "GET",
            f"{url}{CHAOS_PATH}",
            timeout_seconds=_ANSWER_SECONDS,
            answer_bytes_max=ANSWER_BYTES_MAX,
        )
    except http_client.TimedOutError as error:
        raise FaultError(f"the mail server at {url} does not answer within {_ANSWER_SECONDS:g} s") from error
    except http_client.HttpError:
        return f"the mail server at {url} is gone, and whom it refused with it"
    if answer.status != 200 or b"Recipient" not in answer.body:
        return f"the mail server at {url} is gone; another program listens on its port"
    set_chaos(url, 451, 0)
    return f"the mail server at {url} takes mail again"


def set_clock_right(arguments: Arguments) -> str:
    """Let the moved wall clock of a stack, some of whose processes may still run, show the machine's time.

    Args:
        arguments: `path`, the file that says how far it is moved.
    """
    path = str(arguments["path"])
    if not Path(path).exists():
        return f"{path} is gone, and with it the clock that it moved"
    return f"the clock of {path} was set right" if set_right(path) else f"the clock of {path} is right"


def restart_process(arguments: Arguments) -> str:
    """Start nothing: nobody misses a killed part of a dead run, and what else is left of it is ended.

    Args:
        arguments: `process`, what it was called; a general word stands for it where it is missing.

    Returns:
        One line that says so.
    """
    process = arguments.get("process", "the process")
    return f"{process} belonged to a run that is over, so there is nothing to restart"


def nothing(arguments: Arguments) -> str:
    """Take back what ends by itself, e.g. a spike of the schedule, which ended with its application.

    Args:
        arguments: `why` nothing has to be done.

    Returns:
        That reason, as the fault wrote it.
    """
    return str(arguments["why"])


ACTIONS: Mapping[str, Action] = {
    "remove_toxic": remove_toxic,
    "enable_proxy": enable_proxy,
    "remove_rule": remove_rule,
    "resume_process": resume_process,
    "resume_container": resume_container,
    "put_back_folders": put_back_folders,
    "put_back_files": put_back_files,
    "unmount_disk": unmount_disk,
    "accept_mail": accept_mail,
    "set_clock_right": set_clock_right,
    "restart_process": restart_process,
    "nothing": nothing,
}


def carry_out(undo: Undo) -> str:
    """Carry out one undo and say what was done.

    Raises:
        HarnessError: it could not be done, or nobody here knows the action.
        FaultError: nobody here knows the action, or the journal lacks one of its arguments.
    """
    action = ACTIONS.get(undo.action)
    if action is None:
        raise FaultError(f'no way to carry out "{undo.action}" is known; a plug-in must have written it')
    try:
        return action(undo.arguments)
    except KeyError as error:
        raise FaultError(f'"{undo.action}" lacks its argument {error}; the journal is damaged') from error
