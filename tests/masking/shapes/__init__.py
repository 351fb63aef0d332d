"""Templates of log lines: `<kind>` is a secret, `{word}` innocent matter, `«…»` what may go with a secret.

A template without a secret stands under the kind that it could be mistaken for. See `tests.masking.filling`.
"""

from __future__ import annotations

from tests.masking.shapes import anywhere, by_kind, innocent, near_misses

# Kinds that are known by their look, wherever they stand.
ANYWHERE_KINDS = (
    "jwt",
    "aws_access_key",
    "gcp_api_key",
    "github_token",
    "gitlab_token",
    "slack_token",
    "stripe_key",
    "npm_token",
    "pypi_token",
    "sendgrid_key",
)

SHAPES: dict[str, tuple[str, ...]] = {
    **{
        kind: tuple(shape.replace("<it>", f"<{kind}>") for shape in anywhere.SHAPES)
        for kind in ANYWHERE_KINDS
    },
    **by_kind.SHAPES,
}
SHAPES = {kind: shapes + by_kind.MORE.get(kind, ()) for kind, shapes in SHAPES.items()}
NEAR_MISSES = near_misses.NEAR_MISSES
INNOCENT = innocent.INNOCENT

__all__ = ["ANYWHERE_KINDS", "INNOCENT", "NEAR_MISSES", "SHAPES"]
