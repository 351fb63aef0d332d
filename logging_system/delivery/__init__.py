"""Decides what to send and what an answer proves: no thread, socket, file or clock in here."""
