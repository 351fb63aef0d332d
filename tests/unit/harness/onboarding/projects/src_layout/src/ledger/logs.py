import logging
from logging import handlers


class Daily(handlers.TimedRotatingFileHandler):
    """One file a day."""


def set_up(where):
    logging.getLogger().addHandler(Daily(where, when="midnight"))
