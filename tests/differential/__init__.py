"""Two stores, one question: the embedded store answers as the real Elasticsearch does, or refuses."""
