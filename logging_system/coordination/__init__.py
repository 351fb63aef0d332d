"""Learns what a system usually logs, finds what changed, runs workflows, and learns which of them help."""
