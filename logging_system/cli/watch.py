"""`watch`: looks at every record of a spool folder and tells alerts, until it is told to stop."""

from __future__ import annotations

import argparse
import logging
import os
import signal
from typing import TYPE_CHECKING

from logging_system.cli.flags import PRECEDENCE, add_flags, settings_asked_for
from logging_system.cli.parser import EXIT_DONE, Parser, fail, say_ready

if TYPE_CHECKING:
    from logging_system.cli.parser import Subcommands
    from logging_system.config.settings import Settings
    from logging_system.coordination.workflows.declaration import Workflows

LOG = logging.getLogger("logging_system.coordination")
_NAME = "watch"


def add(subcommands: Subcommands) -> None:
    """Add the subcommand and its flags."""
    parser = subcommands.add_parser(
        _NAME,
        help="look at every record of a spool folder and send alerts",
        description="Tells alerts, by the rules and channels of --alerts, from what is logged; also while "
        "Elasticsearch is down. Without a file: 10 errors within 60 s (the environment variable "
        "ALERT_THRESHOLD_ERRORS), on standard error. With --workflows it runs workflows for findings too; "
        "steps that reach beyond this machine need --elasticsearch. Changes nothing that ships or keeps the "
        "records. Prints one JSON line when it is ready. Of several on one folder, one watches and the "
        "others stand by. "
        "SIGTERM stops it within 5 seconds. " + PRECEDENCE,
        epilog="Exit codes: 0 stopped, 1 the folder cannot be used, 4 a mistake in arguments, settings or "
        "rules.",
    )
    add_flags(parser, "watch")
    parser.set_defaults(run=lambda options: _run(options, parser))


def _run(options: argparse.Namespace, parser: Parser) -> int:
    from logging_system.alerting.loading import load_alerts
    from logging_system.alerting.state_file import StateVersionError
    from logging_system.alerting.watch_loop import WatchLoop, masking_for
    from logging_system.config.settings import protection_of
    from logging_system.coordinating import coordinating
    from logging_system.coordination.workflows.loading import load_workflows
    from logging_system.coordination.workflows.state_file import StateDamagedError

    settings = settings_asked_for(options, parser).settings
    try:
        alerts = load_alerts(settings.alerts, os.environ)
        masked = masking_for(alerts, settings)
        protection = protection_of(settings)
        if settings.workflows is not None:
            _say_what_waits(load_workflows(settings.workflows), settings)
    except ValueError as error:
        parser.error(str(error))
    loop = WatchLoop(
        *(settings.spool_folder, alerts, masked, protection),
        ready=_say_ready,
        acting=lambda template_text: coordinating(settings, template_text),
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: loop.stop())
    try:
        loop.run()
    except OSError as error:
        return fail(_NAME, f"{error.filename or settings.spool_folder}: {error.strerror or error}")
    except (StateDamagedError, StateVersionError, ValueError) as error:
        return fail(_NAME, str(error))
    return EXIT_DONE


def _say_what_waits(workflows: Workflows, settings: Settings) -> None:
    """Say at once which workflows cannot come to their end without a store."""
    shared = [each.name for each in workflows.workflows if not all(step.is_local for step in each.steps)]
    if shared and not settings.elasticsearch:
        LOG.warning(
            "%s: shared steps of %s wait until a store is named; give --elasticsearch",
            settings.workflows,
            ", ".join(shared),
        )


def _say_ready(is_standby: bool) -> None:
    say_ready(pid=os.getpid(), **({"standby": True} if is_standby else {}))
