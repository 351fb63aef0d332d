import logging
import urllib.request


class Poster(logging.Handler):
    def emit(self, record):
        urllib.request.urlopen("http://logs.internal:9200/orders/_doc", self.format(record).encode())


logging.getLogger("orders").addHandler(Poster())
