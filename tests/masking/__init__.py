"""Judges how well secrets are masked: labelled lines, a score by kind, other tools on the same lines."""
