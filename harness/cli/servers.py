"""`logquake servers`: Elasticsearch, Toxiproxy and Mailpit for this machine, Debian's daemons, images."""

from __future__ import annotations

import click

from harness.deployments.container_images import IMAGES
from harness.deployments.debian_packages import DAEMONS, find_daemon, install_daemons
from harness.deployments.image_builds import make_images
from harness.deployments.installed import MAIL_SERVERS, SERVERS, cache_folder, find
from harness.deployments.installer import install as install_servers
from harness.model.errors import UnavailableError


@click.group()
def servers() -> None:
    """Install or list the real servers of the backend `local`, and the daemons that stacks run."""


@servers.command(name="install")
@click.argument("names", nargs=-1, type=click.Choice(sorted({*SERVERS, *MAIL_SERVERS, *DAEMONS})))
def install(names: tuple[str, ...]) -> None:
    """Install servers into the cache folder and check each; without names, those of the backend `local`.

    Elasticsearch needs Maven and a JDK of at least 17, Toxiproxy and Mailpit need Go. Mailpit receives the
    mail of stacks that send alerts; without names, it is left out where it cannot be had. The log daemons
    rsyslog and syslog-ng and the balancer haproxy are unpacked from Debian's packages, which needs apt-get,
    and are not installed on this machine.
    """
    chosen = tuple(name for name in names if name in SERVERS or name in MAIL_SERVERS)
    if chosen or not names:
        install_servers(click.echo, chosen or None)
    if not names:
        try:
            install_servers(click.echo, MAIL_SERVERS)
        except UnavailableError as error:
            click.echo(f"left out, needed by stacks alone that send mail: {error}")
    install_daemons(click.echo, [name for name in dict.fromkeys(names) if name in DAEMONS])


@servers.command(name="images")
@click.argument("names", nargs=-1, type=click.Choice(sorted(IMAGES)))
def images(names: tuple[str, ...]) -> None:
    """Make images of the installed servers on this machine, for the backend `containers`.

    Only needed where Docker can fetch no published images. Needs a Docker daemon, the servers (`logquake
    servers install`), and, for the base image, debootstrap as root. Without names, all servers that are
    installed.
    """
    make_images(click.echo, names or tuple(name for name in IMAGES if find(name) is not None))


@servers.command(name="list")
def list_servers() -> None:
    """List the servers and where they are installed."""
    click.echo(f"cache folder: {cache_folder()}")
    for name, kind in (SERVERS | MAIL_SERVERS).items():
        server = find(name)
        click.echo(f"{name} {kind.version}: {'not installed' if server is None else server.path}")
    for name in DAEMONS:
        click.echo(f"{name}: {find_daemon(name) or 'not installed'}")
