"""Stacks of other makers under our suites, and what each must be found to do: `make prove-foreign`."""
