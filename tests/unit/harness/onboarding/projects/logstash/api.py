import logging

from logstash_async.handler import AsynchronousLogstashHandler as Handler

HOST = "logstash.internal"
logging.getLogger().addHandler(Handler(HOST, 5044, database_path="queue.db", ssl_enable=False))
