"""Undoing what a run did to this machine, also after its death."""
