"""The family of targets: a new parser is one file here and one line below."""

from __future__ import annotations

from collections.abc import Mapping

from tests.fuzz.target import Target
from tests.fuzz.targets.archive_file import ARCHIVE_FILE
from tests.fuzz.targets.bulk_answer import BULK_ANSWER
from tests.fuzz.targets.bulk_request import BULK_REQUEST
from tests.fuzz.targets.ndjson import NDJSON
from tests.fuzz.targets.otlp_json import OTLP_JSON
from tests.fuzz.targets.otlp_neighbours import OTLP_JSON_NEIGHBOURS, OTLP_PROTOBUF_NEIGHBOURS
from tests.fuzz.targets.otlp_protobuf import OTLP_PROTOBUF
from tests.fuzz.targets.packed_body import DEFLATE_BODY, GZIP_BODY, ZSTD_BODY
from tests.fuzz.targets.record_edits import RECORD_EDITS
from tests.fuzz.targets.sealed import SEALED
from tests.fuzz.targets.settings_sources import SETTINGS_ENVIRONMENT, SETTINGS_FILE
from tests.fuzz.targets.spool_files import SPOOL_CHECKPOINT, SPOOL_FOLDER, SPOOL_FRAME

TARGETS: Mapping[str, Target] = {
    target.name: target
    for target in (
        BULK_ANSWER,
        NDJSON,
        RECORD_EDITS,
        OTLP_JSON,
        OTLP_PROTOBUF,
        OTLP_JSON_NEIGHBOURS,
        OTLP_PROTOBUF_NEIGHBOURS,
        GZIP_BODY,
        DEFLATE_BODY,
        ZSTD_BODY,
        BULK_REQUEST,
        ARCHIVE_FILE,
        SPOOL_FRAME,
        SPOOL_FOLDER,
        SPOOL_CHECKPOINT,
        SETTINGS_FILE,
        SETTINGS_ENVIRONMENT,
        SEALED,
    )
}
