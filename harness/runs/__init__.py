"""A run's story: what was asked, planned, run, and judged."""
