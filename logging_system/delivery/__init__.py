"""Decides what to send, to send again and to give up: no thread, socket, file or clock in here."""
