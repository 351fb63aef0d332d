"""Ways records enter a stack, one file a kind, and the application process that hosts them."""

from harness.model.registry import Family, Kind

INTAKES = Family(
    "intake",
    {
        "http": Kind("harness.load.intakes.http:Http", "a POST for one record or several; 2xx acknowledges"),
        "log_file": Kind(
            "harness.load.intakes.log_file:LogFile", "lines appended to a file, which may be rotated"
        ),
        "python_logging": Kind(
            "harness.load.intakes.python_logging:PythonLogging", "any logging.Handler, by dotted path"
        ),
        "syslog": Kind(
            "harness.load.intakes.syslog:Syslog", "syslog messages over UDP, TCP, TLS or a Unix socket"
        ),
    },
)
