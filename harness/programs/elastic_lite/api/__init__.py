"""Requests in, answers out: one module an area of the HTTP API."""
