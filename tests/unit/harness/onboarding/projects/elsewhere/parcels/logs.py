"""A handler that takes an address and never uses it."""

import logging


class Handler(logging.Handler):
    def __init__(self, url):
        super().__init__()

    def emit(self, record):
        self.format(record)


logging.getLogger().addHandler(Handler(url="http://localhost:9200/parcels"))
