"""What a stack file asks for, made into the parts that read its outlets and its counters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from harness.deployments.placeholders import expand
from harness.evidence.archives import ARCHIVES
from harness.evidence.archives.decode import DecodedArchive
from harness.evidence.counters import COUNTERS
from harness.evidence.misnamed import StackFile
from harness.evidence.readback import OutletSpec
from harness.evidence.sampling import NamedCounters
from harness.evidence.tenants import TenantsReader
from harness.evidence.transforms import Spans
from harness.load.intakes import INTAKES
from harness.model.declarations import Arguments, CounterSource, Namespaces, Part, Stack
from harness.model.errors import ScenarioError
from harness.model.protocols import Archive, LoadSpec, RawArchive, WritesFiles
from harness.model.registry import Family
from harness.processes import procfs


def make_part(family: Family, part: Part, arguments: Arguments | None = None, *given: object) -> Any:
    """Make a part from its word and arguments.

    Args:
        family: where the word comes from.
        part: the word and its arguments.
        arguments: in place of the part's own, e.g. with their placeholders replaced.
        given: what the kinds of the family are handed before any argument.

    Returns:
        The part, of whichever class the word stands for.

    Raises:
        ScenarioError: the part does not take its arguments.
    """
    try:
        return family.resolve(part.kind)(*given, **(part.arguments if arguments is None else arguments))
    except TypeError as error:
        raise ScenarioError(f'{family.noun} "{part.kind}": {error}') from error


def expanded(part: Part, values: Mapping[str, str]) -> Arguments:
    """Return a part's arguments with their placeholders replaced.

    Args:
        part: of a stack file.
        values: of the placeholders, by name; only texts at the top may hold placeholders.
    """
    return {
        name: expand(value, values) if isinstance(value, str) else value
        for name, value in part.arguments.items()
    }


def variables(stack: Stack, values: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that a stack file gives to all that is the stack's.

    Args:
        stack: whose `environment` holds them.
        values: of the placeholders, by name.
    """
    return {name: expand(text, values) for name, text in stack.environment.items()}


def outlets(
    stack: Stack,
    values: Mapping[str, str],
    load: LoadSpec,
    expected_line: Callable[[int], str],
    owed: Callable[[], frozenset[int]],
    maskable: Callable[[int], Spans] = lambda _: (),
    *,
    may_miss: bool = False,
) -> OutletSpec:
    """Return how a run's outlets are opened and read, and by what its records are known.

    Args:
        stack: declares the archive, the dead letters and their fields.
        values: of the placeholders, by name.
        load: what is sent, and the run's id.
        expected_line: returns what was sent under a sequence.
        owed: returns the sequences that are acknowledged by now.
        maskable: returns the parts of a sequence's line that the stack may mask; none by default.
        may_miss: whether parts may have become unreadable for good, as after a key was destroyed on purpose.
    """
    run_id = load.run_id
    letters = stack.dead_letters
    return OutletSpec(
        archive=_opener(stack.archive, values, load, stack.decode, may_miss=may_miss),
        expected_line=expected_line,
        run_id=run_id,
        order_by=stack.promises.order_by,
        dead_letters=None
        if letters is None
        else _opener(letters.archive, values, load, letters.decode, "dead_letters", may_miss=may_miss),
        reason_field="" if letters is None else letters.reason_field,
        transforms=stack.transforms,
        fields=stack.fields.paths,
        records=load.records,
        owed=owed,
        maskable=maskable,
        file=_stack_file(stack, values, load.intake),
    )


def _stack_file(stack: Stack, values: Mapping[str, str], intake: Part) -> StackFile:
    """Return where names stand that may be slips, and what of this run's values a placeholder stands for."""

    def written(value: str) -> str:
        for name in ("run.folder", "run.id", "run.name"):
            value = value.replace(values[name], f"{{{name}}}")
        return value

    kept = [expand(pattern, values) for patterns in stack.files.values() for pattern in patterns]
    kind = INTAKES.resolve(intake.kind)
    if isinstance(kind, WritesFiles):
        # What the application wrote has been sent; that it lies there says nothing of where it arrived.
        kept.extend(kind.files_of(intake.arguments))
    return StackFile(stack.source, values["run.folder"], written, tuple(kept))


def _opener(
    part: Part,
    values: Mapping[str, str],
    load: LoadSpec,
    decode: Sequence[str] = (),
    outlet: str = "archive",
    *,
    may_miss: bool,
) -> Callable[[], Archive]:
    """Return how to open an archive, through the stack's own decoder where it names one."""
    arguments = expanded(part, values)
    command = [expand(argument, values) for argument in decode]
    environment = {**load.environment, **procfs.marks(load.run_id)}

    def open_archive() -> Archive:
        archive: Archive = make_part(ARCHIVES, part, arguments)
        if not command:
            return archive
        if not isinstance(archive, RawArchive):
            raise ScenarioError(f'{outlet} "{part.kind}" shows no documents that could be decoded')
        folder, key = values["run.folder"], f"{outlet}.decode"
        return DecodedArchive(archive, command, folder, environment, key=key, may_miss=may_miss)

    return open_archive


def counters(source: CounterSource | None, values: Mapping[str, str]) -> NamedCounters | None:
    """Return how a stack's counters are read; None where it declares none.

    Args:
        source: as the stack file declares it.
        values: of the placeholders, by name.
    """
    if source is None:
        return None
    return NamedCounters(make_part(COUNTERS, source.part, expanded(source.part, values)), source.names)


def tenants_reader(namespaces: Namespaces, values: Mapping[str, str], run_id: str) -> TenantsReader:
    """Return what reads as each tenant's own reader does.

    Args:
        namespaces: the tenants, and the archive that their readers see.
        values: of the placeholders, by name; `tenant` is added for each.
        run_id: by which the run's records are known.
    """
    stored: dict[str, Callable[[], Archive]] = {}
    shown: dict[str, str] = {}
    for tenant in namespaces.tenants:
        mine = {**values, "tenant": tenant}
        stored[tenant] = partial(make_part, ARCHIVES, namespaces.reads, expanded(namespaces.reads, mine))
        if namespaces.shows:
            shown[tenant] = expand(namespaces.shows, mine)
    return TenantsReader(stored, shown, run_id)
