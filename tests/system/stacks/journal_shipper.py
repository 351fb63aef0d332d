"""Ships a journal into an archive file: `journal_shipper.py FOLDER skip|give-up` says what damage does to it.

`skip` leaves out the damaged line and goes on behind it; `give-up` leaves out all that is there by then.
"""

import json
import sys
import time
import zlib
from pathlib import Path

folder, habit = Path(sys.argv[1]), sys.argv[2]
journal, archive = folder / "journal.log", folder / "archive.ndjson"
progress = folder / "progress.json"
at = json.loads(progress.read_text()) if progress.exists() else {"offset": 0, "destroyed": 0}

while True:
    if journal.exists():
        with journal.open("rb") as source, archive.open("ab") as sink:
            source.seek(at["offset"])
            while (line := source.readline()).endswith(b"\n"):
                checksum, _, text = line.rstrip(b"\n").partition(b" ")
                at["offset"] = source.tell()
                if checksum == b"%08x" % zlib.crc32(text):
                    sink.write(text + b"\n")
                    continue
                at["destroyed"] += 1
                if habit == "give-up":
                    at["offset"] = source.seek(0, 2)
    fresh = folder / "progress.new"
    fresh.write_text(json.dumps(at))
    fresh.replace(progress)
    time.sleep(0.05)
