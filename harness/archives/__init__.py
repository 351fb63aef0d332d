"""Places where records end up, one file a kind."""

from harness.family import Family, Kind

ARCHIVES = Family(
    "archive",
    {
        "elasticsearch": Kind(
            "harness.archives.elasticsearch:ElasticsearchArchive", "an index or data stream, read whole"
        ),
        "file": Kind("harness.archives.file:FileArchive", "files of lines or NDJSON, gzipped ones too"),
    },
)
