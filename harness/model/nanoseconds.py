"""A second and a millisecond in nanoseconds, the unit in which moments are counted."""

SECOND_NS = 1_000_000_000
MS_NS = 1_000_000
