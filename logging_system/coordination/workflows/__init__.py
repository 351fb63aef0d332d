"""Workflows: what they declare, how one runs, and what is kept of it."""
