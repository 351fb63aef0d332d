import logging

from cmreslogging.handlers import CMRESHandler

handler = CMRESHandler(hosts=[{"host": "localhost", "port": 9200}], es_index_name="service")
logging.getLogger().addHandler(handler)
