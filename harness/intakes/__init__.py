"""Ways records enter a stack, one file a kind, and the application process that hosts them."""

from harness.family import Family, Kind

INTAKES = Family(
    "intake",
    {
        "http": Kind("harness.intakes.http:Http", "one POST a record; an answer of 2xx acknowledges"),
        "python_logging": Kind(
            "harness.intakes.python_logging:PythonLogging", "any logging.Handler, by dotted path"
        ),
    },
)
