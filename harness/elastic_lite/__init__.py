"""The Elasticsearch HTTP API on SQLite: a program of its own for runs without Elasticsearch, driven over HTTP only."""
