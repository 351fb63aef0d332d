"""Which versions the running services say they are, asked over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from harness import http_client
from harness.deployments.service_set import PROXY
from harness.model.declarations import service_kind

_SECONDS = 5.0
_ANSWER_BYTES_MAX = 1 << 20
_CHARACTERS_MAX = 80


def _elasticsearch(answer: Any) -> str:
    (node,) = answer["nodes"].values()
    kind = node.get("build_type", "")
    return f"{node['version']} ({kind})" if kind else str(node["version"])


def _proxy(answer: Any) -> str:
    return str(answer["version"])


# Elasticsearch's nodes info API, and Toxiproxy's version endpoint.
_QUESTIONS: Mapping[str, tuple[str, Callable[[Any], str]]] = {
    "elasticsearch": (
        "/_nodes/_local?filter_path=nodes.*.version,nodes.*.build_type",
        _elasticsearch,
    ),
    PROXY: ("/version", _proxy),
}


def service_versions(urls: Mapping[str, str]) -> Mapping[str, str]:
    """Return what each service says of its version, by `<name> service`; one that cannot be asked says why.

    Args:
        urls: where each service answers, by its name.
    """
    return {
        f"{name} service": _asked(url, *_QUESTIONS[kind])
        for name, url in urls.items()
        if (kind := service_kind(name)) in _QUESTIONS
    }


def _asked(url: str, path: str, told: Callable[[Any], str]) -> str:
    try:
        answer = http_client.call(
            "GET", f"{url}{path}", timeout_seconds=_SECONDS, answer_bytes_max=_ANSWER_BYTES_MAX
        )
        if answer.status != 200:
            return f"not told (status {answer.status})"
        return told(orjson.loads(answer.body))[:_CHARACTERS_MAX]
    except (http_client.HttpError, ValueError, KeyError, TypeError, AttributeError) as error:
        return f"not told ({type(error).__name__})"
