"""The servers that several contract modules share: each is started once a session."""

from __future__ import annotations

# A fixture imported by each module would be one fixture, and one server, for each of them.
from tests.contract.elasticsearch_fixture import (
    elastic_lite_url,
    elasticsearch_url,
    interceptor_client,
    interceptor_url,
    real_elasticsearch_url,
    store,
)

__all__ = [
    "elastic_lite_url",
    "elasticsearch_url",
    "interceptor_client",
    "interceptor_url",
    "real_elasticsearch_url",
    "store",
]
