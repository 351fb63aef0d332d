"""Images of the real servers, made on this machine where no image registry can be reached.

The base is a small Debian by debootstrap; on it come the servers that `logquake servers install` has fetched.
Nothing is downloaded but Debian's packages, from where apt is configured to get them. The images trust the
certificate authorities that this machine trusts.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Collection
from contextlib import closing
from pathlib import Path
from typing import Any

from harness.deployments.container_images import IMAGES, ImageKind
from harness.deployments.installed import InstalledServer, require
from harness.model.errors import UnavailableError
from harness.processes import docker_daemon

Report = Callable[[str], None]

BASE_IMAGE = "logquake-base:bookworm"
"""Debian with a Java runtime, Python and curl, on which every image that is made here rests."""

_SUITE = "bookworm"
_PACKAGES = ("ca-certificates", "curl", "openjdk-17-jre-headless", "python3", "python3-pip", "python3-venv")
_DEBOOTSTRAP_SECONDS_MAX = 900.0
_APT_SECONDS_MAX = 30.0
_BUILD_SECONDS_MAX = 300.0
_LINES_SHOWN = 5
_TRUST = Path("/etc/ssl/certs/ca-certificates.crt")
_LEFT_OUT = ("./var/cache/apt", "./var/lib/apt/lists", "./usr/share/doc", "./usr/share/man")

_START_ELASTICSEARCH = """#!/bin/bash
# As in the published image, variables with a dot in their names are settings. A shell drops such variables
# but still finds them in its own /proc entry.
settings=()
while IFS='=' read -r -d '' name value; do
  case "$name" in
    # The distribution without modules refuses to start with a setting that it does not know.
    ingest.geoip.*) if [ -d modules/ingest-geoip ]; then settings+=("-E$name=$value"); fi ;;
    *.*) settings+=("-E$name=$value") ;;
  esac
done </proc/self/environ
exec bin/elasticsearch "${settings[@]}" "$@"
"""

_DOCKERFILES = {
    "elasticsearch": """FROM {base}
WORKDIR /usr/share/elasticsearch
ENV ES_JAVA_HOME=/usr/lib/jvm/java-17-openjdk-amd64 LANG=C.UTF-8
COPY --chown=1000:0 server/ ./
COPY --chown=1000:0 start ./bin/start
RUN mkdir -p data logs && chown 1000:0 . data logs config && chmod 0755 bin/start \\
 && printf 'network.host: 0.0.0.0\\n' > config/elasticsearch.yml && chown 1000:0 config/elasticsearch.yml
USER 1000:0
EXPOSE 9200
ENTRYPOINT ["/usr/share/elasticsearch/bin/start"]
""",
    "toxiproxy": """FROM {base}
COPY server/{program} /toxiproxy
USER 65534:65534
EXPOSE 8474
ENTRYPOINT ["/toxiproxy"]
CMD ["-host=0.0.0.0"]
""",
    "mailpit": """FROM {base}
COPY server/{program} /mailpit
USER 65534:65534
EXPOSE 1025 8025
ENTRYPOINT ["/mailpit"]
""",
}


def make_images(report: Report, names: Collection[str]) -> None:
    """Make the images that the daemon lacks, the base first.

    Args:
        report: takes one line of progress at a time.
        names: of `IMAGES`.

    Raises:
        UnavailableError: the daemon, debootstrap or a server is missing, or a step fails; with what to do.
    """
    servers = {name: require(name) for name in names}
    make_base(report)
    for name, server in servers.items():
        kind = IMAGES[name]
        if docker_daemon.has_image(kind.made_here):
            report(f"{kind.made_here}: already there")
            continue
        report(f"{kind.made_here}: building")
        build_image(kind, server)


def make_base(report: Report) -> None:
    """Make the base image where the daemon lacks it.

    Raises:
        UnavailableError: debootstrap is missing, this is not root, or Debian's packages cannot be had.
    """
    if docker_daemon.has_image(BASE_IMAGE):
        report(f"{BASE_IMAGE}: already there")
        return
    program = shutil.which("debootstrap")
    if program is None or os.geteuid() != 0:
        raise UnavailableError(
            f"{BASE_IMAGE}: it is made by debootstrap as root; install debootstrap (Debian: apt-get install "
            f"debootstrap) and run this as root, or tag an image of Debian {_SUITE} as {BASE_IMAGE}"
        )
    with tempfile.TemporaryDirectory(prefix="logquake-base-", dir=_roomy()) as folder:
        root = Path(folder) / "root"
        report(f"{BASE_IMAGE}: fetching Debian's packages")
        _run(
            (program, "--variant=minbase", f"--include={','.join(_PACKAGES)}", _SUITE, str(root), _mirror()),
            _DEBOOTSTRAP_SECONDS_MAX,
            "check that Debian's packages can be reached as apt is configured",
        )
        if _TRUST.exists():
            # A network that signs with a certificate authority of its own is that of builds on this base too.
            shutil.copyfile(_TRUST, root / _TRUST.relative_to("/"))
        report(f"{BASE_IMAGE}: importing it")
        archive = Path(folder) / "root.tar"
        with tarfile.open(archive, "w") as tar:
            tar.add(root, ".", filter=_kept)
        repository, tag = BASE_IMAGE.split(":")
        path = "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        with docker_daemon.connected(_BUILD_SECONDS_MAX) as client, archive.open("rb") as data:
            client.import_image_from_stream(data, repository=repository, tag=tag, changes=[path])
    if not docker_daemon.has_image(BASE_IMAGE):
        raise UnavailableError(f"{BASE_IMAGE}: docker did not import it; see the daemon's log")


def _roomy() -> str:
    """Return a folder for a gigabyte: /tmp may be in memory, or allow no devices."""
    return "/var/tmp"  # noqa: S108 - a folder of random name is made in it


def _kept(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    return None if entry.name.startswith(_LEFT_OUT) else entry


def _mirror() -> str:
    """Return where apt gets Debian's packages from on this machine."""
    found = _run(
        ("apt-get", "indextargets", "--format", "$(SITE)", "Created-By: Packages", f"Codename: {_SUITE}"),
        _APT_SECONDS_MAX,
        "apt must be configured",
    ).split()
    if not found:
        raise UnavailableError(
            f"{BASE_IMAGE}: apt knows no packages of Debian {_SUITE} here; run `apt-get update`, or tag an "
            f"image of Debian {_SUITE} as {BASE_IMAGE}"
        )
    return found[0]


def _run(command: tuple[str, ...], timeout_seconds: float, remedy: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_seconds, check=False)
    except subprocess.TimeoutExpired as error:
        raise UnavailableError(f"{command[0]}: not done after {timeout_seconds:g} s; {remedy}") from error
    except OSError as error:
        raise UnavailableError(f"{command[0]}: {error.strerror}; {remedy}") from error
    if done.returncode:
        said = " ".join((done.stderr or done.stdout).splitlines()[-_LINES_SHOWN:])
        raise UnavailableError(f"{command[0]}: exit code {done.returncode}: {said}; {remedy}")
    return done.stdout


def build_image(kind: ImageKind, server: InstalledServer) -> None:
    """Put an installed server on the base image; raises UnavailableError where Docker does not do it."""
    dockerfile = _DOCKERFILES[kind.server].format(base=BASE_IMAGE, program=server.path.name)
    with tempfile.TemporaryFile(dir=_roomy()) as context:
        with closing(tarfile.open(fileobj=context, mode="w")) as tar:
            _add_text(tar, "Dockerfile", dockerfile)
            _add_text(tar, "start", _START_ELASTICSEARCH)
            tar.add(server.folder, "server")
        context.seek(0)
        with docker_daemon.connected(_BUILD_SECONDS_MAX) as client:
            said = client.build(
                fileobj=context, custom_context=True, tag=kind.made_here, rm=True, forcerm=True, decode=True
            )
            _require_built(kind, said)


def _require_built(kind: ImageKind, said: Any) -> None:
    for line in said:
        if "error" in line:
            raise UnavailableError(f"{kind.made_here}: docker does not build it: {str(line['error'])[:300]}")


def _add_text(tar: tarfile.TarFile, name: str, text: str) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(text.encode())
    tar.addfile(entry, io.BytesIO(text.encode()))
