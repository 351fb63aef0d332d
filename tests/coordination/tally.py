"""What results say of findings: faults that were owed one, found, in time, by their name; and false ones."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

QUIET = "no fault"


@dataclass(frozen=True, slots=True)
class Row:
    """What one scenario, or all of one kind of fault, came to.

    Attributes:
        fault: The kinds of faults, joined; `QUIET` where there are none.
        runs: How often it ran.
        owed: Faults that had to be found.
        found: Of these, those that were.
        in_time: Of these, those found in time.
        named: Of those found, those whose cause was right.
        false: Findings that nothing explains.
        undecided: Runs of which not all is known.
        slowest_seconds: How long the slowest one took to be found.
        said: What the checks say of what was missed, late, misnamed or false.
    """

    fault: str
    runs: int = 0
    owed: int = 0
    found: int = 0
    in_time: int = 0
    named: int = 0
    false: int = 0
    undecided: int = 0
    slowest_seconds: float = 0.0
    said: tuple[str, ...] = ()

    def content(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return asdict(self)


def row_of(content: Mapping[str, Any]) -> Row:
    """Return the row that `Row.content` made content of."""
    return Row(**{**content, "said": tuple(content["said"])})


def row_from(scenario: Mapping[str, Any]) -> Row:
    """Return what the result of a scenario says of findings."""
    verdicts = {each["objective"]: each for each in scenario["verdicts"]}
    missed, late, misnamed, false = (
        verdicts.get(f"findings_{name}") for name in ("missed", "late", "misnamed", "false")
    )
    # Without what was to be found, `findings_missed` is inconclusive and has no samples, or is not planned.
    owed = int((missed or {}).get("samples") or 0)
    found = owed - int((missed or {}).get("value") or 0)
    is_known = false is not None and false["value"] is not None
    return Row(
        fault=" + ".join(sorted({step["fault"] for step in scenario["scenario"]["steps"]})) or QUIET,
        runs=1,
        owed=owed,
        found=found,
        in_time=found - (len(late["counterexample"]) if owed and late else 0),
        named=found - int((misnamed or {}).get("value") or 0) if owed else 0,
        false=int(false["value"]) if is_known and false else 0,
        undecided=int(not is_known or (missed is not None and _is_undecided(missed))),
        slowest_seconds=float((late or {}).get("value") or 0.0) if owed else 0.0,
        said=tuple(
            f"{scenario['scenario']['name']}: {line}"
            for verdict in (missed, late, misnamed, false)
            if verdict is not None
            for line in verdict["counterexample"]
        ),
    )


def _is_undecided(missed: Mapping[str, Any]) -> bool:
    return missed["status"] == "INCONCLUSIVE" and not missed["summary"].startswith("No fault that must be")


def is_worth_repeating(row: Row) -> bool:
    """Return whether nothing was decided: what was missed, late, misnamed or false is never tried again."""
    is_flawless = row.named == row.in_time == row.found == row.owed and not row.false
    return bool(row.undecided) and is_flawless


def judges_findings(checks: Collection[str]) -> bool:
    """Return whether a scenario judges findings, by the checks that it names; of none, it judges all."""
    return not checks or any(each.startswith("findings_") for each in checks)


def by_fault(rows: Iterable[Row]) -> list[Row]:
    """Return one row for each kind of fault, in the order of the alphabet."""
    summed: dict[str, Row] = {}
    for row in rows:
        before = summed.get(row.fault, Row(row.fault))
        counts = {
            name: getattr(before, name) + getattr(row, name)
            for name in ("runs", "owed", "found", "in_time", "named", "false", "undecided")
        }
        slowest_seconds = max(before.slowest_seconds, row.slowest_seconds)
        said = (*before.said, *row.said)
        summed[row.fault] = replace(before, **counts, slowest_seconds=slowest_seconds, said=said)
    return [summed[fault] for fault in sorted(summed)]


def table(rows: Iterable[Row]) -> list[str]:
    """Return the table of docs/reference/proofs.md, with a last line that sums it up."""
    each = by_fault(rows)
    names = ("runs", "owed", "found", "in_time", "named", "false", "undecided")
    total = {name: sum(getattr(row, name) for row in each) for name in names}
    lines = [
        "| fault | runs | owed | found | within 10 s | cause right | slowest, s | false | undecided |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {row.fault} | {row.runs} | {row.owed} | {row.found} | {row.in_time} | {row.named} | "
        f"{f'{row.slowest_seconds:.1f}' if row.found else 'none'} | {row.false} | {row.undecided} |"
        for row in each
    ]
    slowest_seconds = max((row.slowest_seconds for row in each), default=0.0)
    return [
        *lines,
        f"| all | {total['runs']} | {total['owed']} | {total['found']} | {total['in_time']} | "
        f"{total['named']} | {slowest_seconds:.1f} | {total['false']} | {total['undecided']} |",
    ]


def is_as_promised(rows: Iterable[Row]) -> bool:
    """Return whether 95 % were found in time, 90 % by their name, and nothing was false or undecided."""
    (total,) = by_fault(replace(row, fault="all") for row in rows) or [Row("all")]
    return (
        total.in_time >= 0.95 * total.owed
        and total.named >= 0.9 * total.found
        and not total.false
        and not total.undecided
    )
