"""Shakes a logging stack and proves what it lost, how late, and who could read it."""

__version__ = "0.1.0"
