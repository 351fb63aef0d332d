"""Forms of a result for people and machines, one file a form."""

from harness.family import Family, Kind

REPORTS = Family(
    "report",
    {
        "result_json": Kind("harness.reporting.result_json:ResultJson", "everything, for machines"),
        "html": Kind("harness.reporting.html:Scorecard", "the scorecard, one file, works offline"),
        "terminal": Kind("harness.reporting.terminal:TerminalReport", "the scorecard as text"),
    },
)
