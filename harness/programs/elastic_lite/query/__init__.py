"""Which documents a query matches, and in which order."""
