"""The caller's side: the handler, its queue, and the worker that writes the spool."""

from logging_system.handler.handler import SpoolHandler

__all__ = ["SpoolHandler"]
