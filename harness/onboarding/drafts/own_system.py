"""The logging system that comes with logquake, as one call installs it."""

from __future__ import annotations

from harness.onboarding.drafts.draft import Draft, FirstFault, left_out, literal, opening, taken_over
from harness.onboarding.seen import Outlet

# Each of them is the run's own, or how the stack is judged.
_OURS = {
    "elasticsearch",
    "stream",
    "spool",
    "service",
    "level",
    "shipper",
    "on_durable",
    "durability",
    "settings",
    "file",
}


def draft_own_system(name: str, outlet: Outlet) -> Draft:
    """Return the draft for `logging_system.install` and `installed_handler`.

    Args:
        name: the stack's.
        outlet: the call.
    """
    durability = str(outlet.arguments.get("durability", "fsync"))
    others = taken_over(outlet, _OURS)
    given = "".join(f"  {key}: {literal(value)}\n" for key, value in others.items())
    not_taken = left_out(outlet, {*_OURS, *others})
    if "settings" in outlet.arguments:
        not_taken += (
            f"  # settings: what {outlet.arguments['settings']} says is not taken over; write it here\n"
        )
    return Draft(
        opening(name, outlet)
        + "needs: [elasticsearch]\nlinks: {to_store: elasticsearch}\n"
        + "intake:\n  kind: python_logging\n  handler: logging_system:installed_handler\n"
        + '  elasticsearch: "{to_store.url}"  # the link, which faults can hit\n'
        + f"  stream: logs-{name.replace('_', '-')}-{{run.id}}\n"
        + '  spool: "{run.folder}/spool"\n'
        + f"  service: {name}\n  durability: {durability}\n"
        + "  level: DEBUG  # records of all levels are sent, and each is owed\n"
        + given
        + not_taken
        + "acknowledged_by: callback\n"
        + "archive:\n  kind: elasticsearch\n"
        + f"  index: logs-{name.replace('_', '-')}-{{run.id}}\n"
        + '  url: "{elasticsearch.url}"  # read past the link: no fault may hit the evidence\n'
        + "  field: message\n"
        + 'fields: {time: "@timestamp", level: log.level, logger: log.logger, sequence: labels.sequence}\n'
        + "dead_letters:\n  kind: file\n"
        + '  path: "{run.folder}/spool/dead-letters.ndjson"\n'
        + "  field: document.message\n  reason_field: reason\n"
        + f"promises: {{durability: {durability}, copies_max: 1, response_p99_ms: 100}}\n",
        FirstFault.STORE,
    )
