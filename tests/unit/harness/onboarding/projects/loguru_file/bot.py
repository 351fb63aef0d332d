import sys

from loguru import logger

logger.add(sys.stderr, level="WARNING")
logger.add("bot.log", rotation="10 MB", enqueue=True, format="{time} {message}", level="INFO")
