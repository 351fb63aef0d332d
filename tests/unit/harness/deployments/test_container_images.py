"""Which image a server is started from."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.deployments.container_images import ELASTICSEARCH, IMAGES, TOXIPROXY, image_for
from harness.model.errors import UnavailableError
from harness.model.protocols import Clock
from harness.processes.clock import SystemClock


class Daemon:
    """Some images that are there, and some that can be pulled."""

    def __init__(self, there: set[str], remote: set[str] | None = None) -> None:
        self.there, self._remote = there, remote or set()
        self.pulled: list[str] = []

    def has(self, name: str) -> bool:
        return name in self.there

    def pull(self, name: str, timeout_seconds: float, clock: Clock) -> None:
        if name not in self._remote:
            raise UnavailableError(f"docker: {name} cannot be had: no route to host")
        self.pulled.append(name)


@pytest.fixture(autouse=True)
def _no_images_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in IMAGES.values():
        monkeypatch.delenv(kind.variable, raising=False)


def chosen(kind: object, daemon: Daemon) -> str:
    function: Callable[..., str] = image_for
    return function(kind, SystemClock(), daemon.has, daemon.pull)


def test_an_image_that_is_there_is_used_and_nothing_is_pulled() -> None:
    daemon = Daemon({ELASTICSEARCH.made_here}, remote={ELASTICSEARCH.published})

    assert chosen(ELASTICSEARCH, daemon) == ELASTICSEARCH.made_here
    assert daemon.pulled == []


def test_the_published_image_comes_before_the_one_made_here() -> None:
    daemon = Daemon({ELASTICSEARCH.made_here, ELASTICSEARCH.published})

    assert chosen(ELASTICSEARCH, daemon) == "elasticsearch:8.19.0"


def test_the_environment_names_another_image(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGQUAKE_IMAGE_ELASTICSEARCH", "ours/elasticsearch:8.19.3")
    daemon = Daemon({ELASTICSEARCH.published}, remote={"ours/elasticsearch:8.19.3"})

    assert chosen(ELASTICSEARCH, daemon) == "ours/elasticsearch:8.19.3"
    assert daemon.pulled == ["ours/elasticsearch:8.19.3"]


def test_where_no_registry_answers_the_error_says_how_to_make_the_image() -> None:
    with pytest.raises(UnavailableError) as caught:
        chosen(ELASTICSEARCH, Daemon(set()))

    told = str(caught.value)
    assert told.startswith("elasticsearch: docker: elasticsearch:8.19.0 cannot be had: no route to host")
    assert "logquake servers images" in told
    assert "LOGQUAKE_IMAGE_ELASTICSEARCH" in told


def test_an_image_that_nobody_publishes_is_never_pulled() -> None:
    """Somebody could publish another program under its name."""
    daemon = Daemon(set(), remote={TOXIPROXY.made_here})

    with pytest.raises(UnavailableError, match=r"no image logquake-toxiproxy:2\.12\.0; make it"):
        chosen(TOXIPROXY, daemon)

    assert daemon.pulled == []


def test_no_image_of_ours_has_an_owner_that_a_registry_would_serve() -> None:
    assert [kind.made_here for kind in IMAGES.values() if "/" in kind.made_here] == []
