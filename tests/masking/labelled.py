"""The nouns of the judge: a line of a log, and the secrets that stand in it."""

from __future__ import annotations

from dataclasses import dataclass

KINDS = (
    "card",
    "iban",
    "email",
    "jwt",
    "aws_access_key",
    "aws_secret_key",
    "gcp_api_key",
    "azure_key",
    "github_token",
    "gitlab_token",
    "slack_token",
    "stripe_key",
    "npm_token",
    "pypi_token",
    "sendgrid_key",
    "api_key",
    "password",
    "url_password",
    "dsn_password",
    "private_key",
    "basic_auth",
    "bearer_auth",
    "cookie",
)


@dataclass(frozen=True, slots=True)
class Secret:
    """One secret in a line, at `text[start:end]`.

    Attributes:
        start: First character that must vanish; a public prefix such as `ghp_` stands before it.
        end: One past the last character that must vanish.
        kind: One of KINDS; for examples of others, their own name for it.
        reach_start: Masking may begin here without taking innocent text: the secret's name, its scheme.
        reach_end: Masking may go on to here, exclusively.
    """

    start: int
    end: int
    kind: str
    reach_start: int
    reach_end: int


@dataclass(frozen=True, slots=True)
class Line:
    """One record's text, with line breaks where it is a traceback or a key block.

    Attributes:
        text: What a masker is given.
        secrets: What must vanish, in order; nothing else may.
        shape: Which template or which file it came from.
        resembles: For a line without secrets, the kind that it could be mistaken for.
    """

    text: str
    secrets: tuple[Secret, ...]
    shape: str
    resembles: str | None = None
