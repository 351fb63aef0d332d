"""Judges detection where the truth is known: BGL's labelled lines, NAB's labelled series."""
