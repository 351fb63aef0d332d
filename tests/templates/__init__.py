"""Judges template mining on labelled log sets, and times it, beside others on the same lines."""
