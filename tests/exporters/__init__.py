"""Exporters of other languages, as they are published, against a real gateway: `make prove-exporters`."""
