"""Keeps what is known of the pipeline at this moment in a file, for whoever looks later."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import orjson
from pydantic import Field

from logging_system.coordination.finding_content import content_of
from logging_system.coordination.findings import Finding
from logging_system.coordination.workflows.steps.declared import DeclaredStep, EffectError, Occasion
from logging_system.keys.durable_files import make_folder, read_file, replace_file

FOLDER_NAME = "snapshots"
_STATUS_BYTES_MAX = 256 * 1024
_STATUS_FILES_MAX = 50
_KEPT_MAX = 100


class SnapshotDiagnostics(DeclaredStep):
    """Writes the finding, and the status files of handlers, gateways, shipper and `watch`, into one file.

    The newest 100 are kept. There is nothing to undo.
    """

    kind: Literal["snapshot_diagnostics"] = Field("snapshot_diagnostics", description="The kind.")

    def says(self, finding: Finding) -> str:
        """Say what is kept."""
        del finding
        return "keep the finding and all status files in a snapshot"

    def do(self, occasion: Occasion) -> None:
        """Write the file; for the same run and second it takes the place of the one before.

        Raises:
            EffectError: The disk refused; the file may be there all the same.
        """
        disk, folder = occasion.disk, occasion.folder / FOLDER_NAME
        try:
            make_folder(folder, disk)
            content = {
                "time": occasion.now_seconds,
                "run": occasion.run_id,
                "finding": content_of(occasion.finding),
                "status": self._status(occasion),
            }
            name = f"{int(occasion.now_seconds):012d}-{occasion.run_id}.json"
            replace_file(folder / name, orjson.dumps(content), disk)
            names = sorted(each for each in disk.list_names(folder) if each.endswith(".json"))
            for old in names[:-_KEPT_MAX]:
                disk.unlink(folder / old)
        except OSError as error:
            raise EffectError(f"{folder}: {error.strerror or error}", may_have_happened=True) from error

    def _status(self, occasion: Occasion) -> dict[str, Any]:
        names = sorted(
            each
            for each in occasion.disk.list_names(occasion.spool)
            if each.startswith("status-") and each.endswith(".json")
        )
        return {name: _read(occasion.spool / name, occasion) for name in names[:_STATUS_FILES_MAX]}


def _read(path: Path, occasion: Occasion) -> object:
    try:
        return orjson.loads(read_file(path, _STATUS_BYTES_MAX, occasion.disk))
    except (OSError, ValueError) as error:
        return {"trouble": str(error)}
