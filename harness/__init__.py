"""Tests logging stacks under failure: what was lost, duplicated or changed, and how long callers waited."""

__version__ = "0.1.0"
