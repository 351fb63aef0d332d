import logging_system

logging_system.install("http://localhost:9200", service="checkout", durability="write", shipper="thread")
