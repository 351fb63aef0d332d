"""Sealing: blocks of the spool, lines of files beside it, and single fields; and reading them back."""
