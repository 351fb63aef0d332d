"""Forms of a result for people and machines, one file a form."""

from harness.model.registry import Family, Kind

REPORTS = Family(
    "report",
    {
        "json": Kind("harness.reporting.result_json:ResultJson", "everything, for machines"),
        "html": Kind("harness.reporting.html:Scorecard", "the scorecard, one file, works offline"),
        "markdown": Kind("harness.reporting.markdown:MarkdownReport", "the scorecard, for a step summary"),
        "junit": Kind("harness.reporting.junit:JUnitReport", "the verdicts, for viewers of test results"),
        "terminal": Kind("harness.reporting.terminal:TerminalReport", "the scorecard as text"),
    },
)
