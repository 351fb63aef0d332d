"""The table of known-bad stacks: what each does, what it is examined with, and which check must catch it.

A primary catch is fixed for each. Consequences are objectives that may fail as well, because the same habit
breaks them too; any other failure, or a missing primary catch, fails the self-test.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.protocols import Level, Part, Promises, Stack

LOST = "delivery.acknowledged_lost"
DUPLICATED = "integrity.duplicated"
CORRUPTED = "integrity.corrupted"
ORDER = "integrity.reordered"
LATENCY = "caller.response_p99_ms"
LIVENESS = "recovery.fresh_record_seconds"


@dataclass(frozen=True, slots=True)
class Case:
    """One known-bad stack; `catch` is empty for the honest twin, which must pass."""

    name: str
    habit: str
    shipper: str
    scenario: str
    catch: str
    consequences: frozenset[str] = frozenset()
    acknowledged_by: str = "return"

    def stack(self) -> Stack:
        """Return the stack under test: one handler in the application, no process of its own."""
        return Stack(
            name=self.name,
            needs=("elasticsearch",),
            links={"to_store": "elasticsearch"},
            processes=(),
            intake=Part(
                "python_logging",
                {
                    "handler": self.shipper,
                    "url": "{to_store.url}",
                    "index": "logs-selftest-{run.id}",
                    "folder": "{run.folder}/shipper",
                },
            ),
            acknowledged_by=self.acknowledged_by,
            archive=Part("elasticsearch", {"index": "logs-selftest-{run.id}", "url": "{elasticsearch.url}"}),
            promises=Promises(durability=Level.MEMORY),
        )
