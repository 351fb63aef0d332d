import logging

from opentelemetry.sdk import _logs as otel

logging.getLogger().addHandler(otel.LoggingHandler(level=logging.INFO))
