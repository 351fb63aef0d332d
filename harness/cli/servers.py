"""`logquake servers`: the real Elasticsearch and Toxiproxy on this machine."""

from __future__ import annotations

import click

from harness.deployments.installed import SERVERS, cache_folder, find
from harness.deployments.installer import install as install_servers


@click.group()
def servers() -> None:
    """Install or list the real Elasticsearch and Toxiproxy, which the backend `local` runs."""


@servers.command(name="install")
@click.argument("names", nargs=-1, type=click.Choice(sorted(SERVERS)))
def install(names: tuple[str, ...]) -> None:
    """Install the servers into the cache folder and start each once to check it.

    Elasticsearch needs Maven and a JDK of at least 17, Toxiproxy needs Go.
    """
    install_servers(click.echo, names or None)


@servers.command(name="list")
def list_servers() -> None:
    """List the servers and where they are installed."""
    click.echo(f"cache folder: {cache_folder()}")
    for name, kind in SERVERS.items():
        server = find(name)
        click.echo(f"{name} {kind.version}: {'not installed' if server is None else server.path}")
