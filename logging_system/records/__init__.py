"""From a log record to a bounded document."""
