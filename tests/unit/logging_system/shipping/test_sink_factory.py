from __future__ import annotations

import inspect
from contextlib import closing
from importlib import import_module
from pathlib import Path

import pytest

from logging_system.config.settings import Settings
from logging_system.monitoring.event_words import log_in_words
from logging_system.shipping.sink_factory import SINKS, SinkKind, sink_opener
from logging_system.sinks import Sink
from logging_system.sinks.elasticsearch.sink import ElasticsearchSink
from logging_system.sinks.fallback import FallbackSink
from logging_system.sinks.file import FileSink


def settings(**given: object) -> Settings:
    return Settings.model_validate({"service": "shop", **given})


def opened(**given: object) -> Sink:
    sink = sink_opener(settings(**given), log_in_words)()
    sink.close()
    return sink


@pytest.mark.parametrize("kind", SINKS, ids=lambda kind: kind.class_name)
def test_each_sink_takes_what_its_line_names_and_the_settings_have_it(kind: SinkKind) -> None:
    sink = getattr(import_module(kind.module), kind.class_name)
    parameters = inspect.signature(sink).parameters

    assert set(kind.parameters) <= set(parameters)
    assert all(hasattr(Settings, name) or name in Settings.model_fields for name in kind.parameters.values())
    assert kind.setting in kind.parameters.values()


def test_the_store_that_is_named_is_used_and_a_file_goes_before_elasticsearch(tmp_path: Path) -> None:
    nodes = ["http://127.0.0.1:1"]

    assert type(opened(elasticsearch=nodes)) is ElasticsearchSink
    assert type(opened(file=tmp_path / "app.ndjson")) is FileSink
    assert type(opened(file=tmp_path / "app.ndjson", elasticsearch=nodes)) is FileSink
    assert type(opened(elasticsearch=nodes, fallback_file=tmp_path / "f.ndjson")) is FallbackSink


def test_without_a_store_opening_says_that_none_is_named() -> None:
    with pytest.raises(ValueError, match="at least one URL"):
        opened()


def test_a_sink_has_the_values_of_its_settings(tmp_path: Path) -> None:
    path = tmp_path / "app.ndjson"
    sink = sink_opener(settings(file=path, file_rotate_bytes=5_000, file_rotate_files=2), log_in_words)()
    with closing(sink):
        assert isinstance(sink, FileSink)
        assert (sink._path, sink._rotate_bytes, sink._rotate_files) == (path, 5_000, 2)


def test_a_secret_reaches_the_sink_as_it_is() -> None:
    sink = sink_opener(
        settings(elasticsearch=["http://127.0.0.1:1"], api_key="b3BlbjpzZXNhbWU="), log_in_words
    )()
    with closing(sink):
        assert isinstance(sink, ElasticsearchSink)
        assert sink._credentials.header == "ApiKey b3BlbjpzZXNhbWU="
