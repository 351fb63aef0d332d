"""The Elasticsearch sink: requests, nodes, credentials, index setup."""
