"""Places where records end up, one file a kind."""

from harness.model.registry import Family, Kind

ARCHIVES = Family(
    "archive",
    {
        "elasticsearch": Kind(
            "harness.evidence.archives.elasticsearch:ElasticsearchArchive",
            "an index or data stream, read whole",
        ),
        "file": Kind(
            "harness.evidence.archives.file:FileArchive", "files of lines or NDJSON, gzipped ones too"
        ),
    },
)
