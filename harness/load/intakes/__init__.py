"""Ways records enter a stack, one file a kind, and the application process that hosts them."""

from harness.model.registry import Family, Kind

INTAKES = Family(
    "intake",
    {
        "http": Kind("harness.load.intakes.http:Http", "a POST for one record or several; 2xx acknowledges"),
        "python_logging": Kind(
            "harness.load.intakes.python_logging:PythonLogging", "any logging.Handler, by dotted path"
        ),
    },
)
