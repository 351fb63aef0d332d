"""What a checker measures, and how that is said in a verdict."""

from __future__ import annotations

from dataclasses import dataclass

from harness.model.protocols import Status, Verdict

_DECIMALS = 3


def given_limit(name: str, given: float | None) -> float | None:
    """Return the limit that a scenario gives a check as an argument; None where it gives none.

    Args:
        name: the argument's, for the error.
        given: the limit, in the unit of the check.

    Raises:
        ValueError: it is not above zero.
    """
    if given is not None and given <= 0:
        raise ValueError(f"{name} must be more than 0, not {given:g}.")
    return given


@dataclass(frozen=True, slots=True)
class Measure:
    """One objective's scale: its unit, and the limit that it is held to, None where there is none."""

    objective: str
    dimension: str
    unit: str
    limit: float | None

    def verdict(
        self,
        status: Status,
        value: float | None,
        summary: str,
        evidence: tuple[str, ...] = (),
        counterexample: tuple[str, ...] = (),
        vetoes: tuple[str, ...] = (),
        samples: int | None = None,
    ) -> Verdict:
        """Return a verdict on this scale; a value is rounded to three decimals.

        Args:
            status: what was decided.
            value: what was measured, in the scale's unit; None where nothing could be.
            summary: the decision and its reason in one sentence.
            evidence: lines that show how it was come by.
            counterexample: lines that tell the first breach as a story; of a FAIL.
            vetoes: promises that are broken whatever the score is; none as a rule.
            samples: how many observations the value rests on; None where it is a count of the whole.
        """
        return Verdict(
            self.objective,
            self.dimension,
            status,
            summary,
            None if value is None else round(value, _DECIMALS),
            self.unit,
            self.limit,
            evidence,
            counterexample,
            vetoes,
            samples,
        )
