"""The Elasticsearch HTTP API on SQLite: a program for runs without Elasticsearch, driven over HTTP only."""
