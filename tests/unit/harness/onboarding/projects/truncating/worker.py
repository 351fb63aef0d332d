import logging

logging.basicConfig(filename="worker.log", filemode="w", level=logging.INFO)
