"""When records are due, one file a kind."""

from harness.model.registry import Family, Kind

SCHEDULES = Family(
    "schedule",
    {
        "bursts": Kind(
            "harness.load.schedules.bursts:Bursts",
            "a constant rate, and bursts of a multiple of it at irregular moments",
        ),
        "error_burst": Kind(
            "harness.load.schedules.error_burst:ErrorBurst",
            "a constant rate with a few errors, and bursts of errors at planned moments",
        ),
        "ramp": Kind("harness.load.schedules.ramp:Ramp", "a rate that rises or falls evenly"),
        "soak": Kind(
            "harness.load.schedules.soak:Soak", "a constant rate for long, with a gentle beginning and end"
        ),
        "spike": Kind(
            "harness.load.schedules.spike:Spike", "a constant rate, and for a while a multiple of it"
        ),
        "steady": Kind("harness.load.schedules.steady:Steady", "a constant rate"),
        "step": Kind("harness.load.schedules.step:Step", "a rate that rises by steps"),
        "template_flood": Kind(
            "harness.load.schedules.template_flood:TemplateFlood",
            "a constant rate, floods of lines none of which is like another, and a new error among them",
        ),
    },
)
