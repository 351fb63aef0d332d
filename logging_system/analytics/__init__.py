"""Answers about what is stored: rates, latencies, errors, templates by namespace; and their cache."""
