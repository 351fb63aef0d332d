import logging
import logging.handlers as lh

logging.getLogger().addHandler(lh.SysLogHandler(address=("127.0.0.1", 1514)))
