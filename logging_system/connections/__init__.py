"""Connections to servers over HTTP: bounded in time and size, and whom they trust."""
