"""Learns which workflow shortens recovery for which class of cause, from measured recovery times."""
