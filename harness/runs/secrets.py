"""What a run does about canaries: which paths they take, and where they are looked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path, PurePath

from harness.deployments.stack import is_looked_into
from harness.evidence.readback import Outlets
from harness.evidence.secrets.needles import Needles
from harness.evidence.secrets.planting import PlantedLines
from harness.evidence.secrets.sweep import Place, Sweep
from harness.evidence.secrets.watch import SecretWatch
from harness.load.intakes import INTAKES
from harness.model.declarations import Part, Stack
from harness.model.errors import StackError
from harness.model.protocols import MESSAGE, URL, CarriesSecrets

_LOG = ".log"


def secret_paths(intake: Part) -> tuple[str, ...]:
    """Return the paths that a secret can take through an intake; any has its line."""
    kind = INTAKES.resolve(intake.kind)
    if isinstance(kind, CarriesSecrets):
        return tuple(kind.secret_paths(intake.arguments))
    return (MESSAGE, URL)


def secret_watch(
    stack: Stack, lines: PlantedLines, folders: Mapping[str, Path], urls: Mapping[str, str], intake: Part
) -> SecretWatch:
    """Return what looks for the canaries of a run.

    Args:
        stack: as its stack file declares it.
        lines: which have them.
        folders: `stack`, with all that the stack keeps; `load`, with the logs of what hosts its code; `wire`,
            with what went over its links.
        urls: where each service answers.
        intake: how records enter, its placeholders replaced: a log file that the load writes holds all that
            it sends.
    """
    # What goes over these is searched where it comes: the receivers are asked.
    messages = {channel.link for channel in stack.alerts.channels} if stack.alerts is not None else set()
    beyond = [
        f"link {link} (no plain HTTP)"
        for link, service in stack.links.items()
        if link not in messages and not is_looked_into(service, urls.get(service, ""))
    ]
    entered = {link for link in stack.links if _is_entered_by(link, stack.intake)}
    beyond += [f"link {link} (records enter by it)" for link in sorted(entered)]
    places = (
        Place("stack", folders["stack"], _not_written_by_load(folders["stack"], intake)),
        Place("application", folders["load"], lambda path: path.endswith(_LOG)),
        Place("wire", folders["wire"], lambda path: path not in entered),
    )
    needles = Needles(lines.canaries)
    return SecretWatch(needles, Sweep(needles, places), beyond)


def search_outlets(watch: SecretWatch, outlets: Outlets) -> None:
    """Look at every document as it is stored; one that cannot be read is noted.

    Args:
        watch: looks for canaries, and takes note of what could not be read.
        outlets: the archive and the dead letters.
    """
    for name, documents in outlets.raw():
        if documents is None:
            watch.unread(f"{name}: this kind of archive shows no documents as they are stored")
            continue
        try:
            watch.documents(name, documents)
        except StackError as error:
            watch.unread(f"{name}: {error}")


def _is_entered_by(link: str, intake: Part) -> bool:
    if intake.kind == "python_logging":
        return False  # the handler that it hosts is the stack's own
    return any(f"{{{link}." in value for value in intake.arguments.values() if isinstance(value, str))


def _not_written_by_load(folder: Path, intake: Part) -> Callable[[str], bool]:
    """Return what tells, by its path, the stack's files from the log file that the load writes itself."""
    written = intake.arguments.get("path")
    if intake.kind != "log_file" or not isinstance(written, str):
        return lambda _: True
    own = PurePath(written)
    return lambda path: not (folder / path).name.startswith(own.name) or (folder / path).parent != own.parent
