"""Two stores, one question: the real Elasticsearch and the embedded one give the same answer, or ours refuses."""
