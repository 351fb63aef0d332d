"""`metrics`: prints a spool folder's metrics, and the Prometheus rules and Grafana dashboard for them."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from logging_system.cli.parser import EXIT_DONE, fail

if TYPE_CHECKING:
    from logging_system.cli.parser import Subcommands

_NAME = "metrics"


def add(subcommands: Subcommands) -> None:
    """Add the subcommand and what it prints."""
    parser = subcommands.add_parser(
        _NAME,
        help="print metrics, Prometheus rules or a Grafana dashboard",
        description="Prints what `ship --status-port` serves, without a server, or what goes with it; see "
        "docs/how-to/watch-with-prometheus.md.",
        epilog="Exit codes: 0 printed, 1 there is no such folder, 4 a mistake in arguments.",
    )
    printed = parser.add_subparsers(dest="printed", required=True)
    show = printed.add_parser("show", help="the metrics of a spool folder, as Prometheus reads them")
    show.add_argument("--spool", required=True, metavar="FOLDER", type=Path, help="the spool folder")
    show.add_argument(
        "--status", metavar="FILE", type=Path, help="file of the shipper's counters, where it is another one"
    )
    show.set_defaults(run=_show)
    rules = printed.add_parser("rules", help="Prometheus recording and alert rules")
    rules.set_defaults(run=lambda _options: _print_shipped("prometheus_rules.yaml"))
    dashboard = printed.add_parser("dashboard", help="a Grafana dashboard")
    dashboard.set_defaults(run=lambda _options: _print_shipped("grafana_dashboard.json"))


def _show(options: argparse.Namespace) -> int:
    from logging_system.monitoring.prometheus import SpoolCollector, exposition
    from logging_system.shipping.shipper import STATUS_NAME

    folder: Path = options.spool
    if not folder.is_dir():
        return fail(_NAME, f"--spool {folder}: no such folder; name the one that the application writes to")
    page, _ = exposition(SpoolCollector(folder, options.status or folder / STATUS_NAME))
    sys.stdout.write(page.decode())
    return EXIT_DONE


def _print_shipped(name: str) -> int:
    from importlib.resources import files

    sys.stdout.write((files("logging_system.monitoring") / "shipped" / name).read_text())
    return EXIT_DONE
