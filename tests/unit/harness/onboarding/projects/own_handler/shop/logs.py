"""A shop's logging: each line goes to Elasticsearch at once, and what fails is forgotten."""

import json
import logging
import os
import urllib.request


class ElasticHandler(logging.Handler):
    def __init__(self, url="http://localhost:9200", index="shop-logs", timeout_seconds=2):
        super().__init__()
        self.url = f"{url}/{index}/_doc"
        self.timeout_seconds = timeout_seconds

    def emit(self, record):
        body = json.dumps({"message": record.getMessage()}).encode()
        request = urllib.request.Request(self.url, body, {"Content-Type": "application/json"})
        try:
            urllib.request.urlopen(request, timeout=self.timeout_seconds).read()
        except OSError:
            pass  # logging must never break the shop


def set_up():
    logging.getLogger().addHandler(ElasticHandler(os.environ.get("STORE", "http://localhost:9200")))
