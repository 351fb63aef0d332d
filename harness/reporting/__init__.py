"""Forms of a result for people and machines, one file a form."""

from harness.model.registry import Family, Kind

REPORTS = Family(
    "report",
    {
        "json": Kind("harness.reporting.result_json:ResultJson", "everything, for machines"),
        "html": Kind("harness.reporting.html:Scorecard", "the scorecard, one file, works offline"),
        "markdown": Kind("harness.reporting.markdown:MarkdownReport", "the scorecard, for a step summary"),
        "junit": Kind("harness.reporting.junit:JUnitReport", "the verdicts, for viewers of test results"),
        "ctrf": Kind("harness.reporting.ctrf:CtrfReport", "the verdicts as Common Test Report Format"),
        "comment": Kind("harness.reporting.comment:CommentReport", "a short comment for a pull request"),
        "badge": Kind("harness.reporting.badge:BadgeReport", "the score as a badge (shields endpoint)"),
        "prometheus": Kind("harness.reporting.prometheus:PrometheusReport", "the numbers, for Prometheus"),
        "terminal": Kind("harness.reporting.terminal:TerminalReport", "the scorecard as text"),
    },
)
