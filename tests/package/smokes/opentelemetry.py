"""Writes the pipeline's own spans of a record that was logged in a span."""

import subprocess
import sys
from pathlib import Path

SCRIPT = """
import contextlib, logging, logging_system
handle = logging_system.install(
    service="shop", spool="spool", shipper="none", traces_file="spans.jsonl", traces_sampled=1.0
)
try:
    from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, use_span
    current = use_span(NonRecordingSpan(SpanContext(1, 1, False, TraceFlags(TraceFlags.SAMPLED))))
except ImportError:
    current = contextlib.nullcontext()
with current:
    logging.getLogger("shop").warning("a record")
handle.flush()
handle.close()
"""
done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True)
if "logquake[" in done.stderr:
    sys.exit(done.stderr)
assert done.returncode == 0, done.stderr
assert Path("spans.jsonl").stat().st_size > 0, done.stderr
