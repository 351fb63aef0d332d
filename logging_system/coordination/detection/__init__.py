"""Detects what changed: judgements of the stream and of the pipeline itself, findings and incidents."""
