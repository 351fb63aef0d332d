"""Other tools on the same lines: detect-secrets and CredSweeper, in an environment of their own.

Both are given each record as a file of its own with their default settings, which is what finds most:
detect-secrets reads such a file a second time as YAML or INI when the first reading found nothing,
CredSweeper's model judges each candidate by its line. CredSweeper weighs 400 MB with onnxruntime and pandas,
so it never enters `dev`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.masking.judge import Span, Spans

REQUIREMENTS = ("detect-secrets==1.5.0", "credsweeper==1.19.5")
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "logquake" / "secret-scanners-1"
INSTALL_SECONDS_MAX, SCAN_SECONDS_MAX = 900, 1800


class CannotScanError(Exception):
    """What is missing, in words for whoever asked for the comparison."""


@dataclass(frozen=True, slots=True)
class Competitor:
    """A tool and the script that drives it.

    Attributes:
        name: What the tool calls itself.
        script: A file here; texts as JSON on its input, [start, end, rule] for each text on its output.
        claims: The tool's own kinds for each of ours; a kind that is not in it the tool does not look for.
    """

    name: str
    script: str
    claims: dict[str, tuple[str, ...]]


DETECT_SECRETS = Competitor(
    "detect-secrets 1.5.0",
    "detect_secrets_spans.py",
    {
        "jwt": ("JSON Web Token",),
        "aws_access_key": ("AWS Access Key",),
        "aws_secret_key": ("AWS Access Key", "Secret Keyword", "Base64 High Entropy String"),
        "azure_key": ("Azure Storage Account access key", "Secret Keyword"),
        "github_token": ("GitHub Token",),
        "gitlab_token": ("GitLab Token",),
        "slack_token": ("Slack Token",),
        "stripe_key": ("Stripe Access Key",),
        "npm_token": ("NPM tokens",),
        "pypi_token": ("PyPI Token",),
        "sendgrid_key": ("SendGrid API Key",),
        "api_key": ("Secret Keyword", "Base64 High Entropy String", "Hex High Entropy String"),
        "password": ("Secret Keyword",),
        "url_password": ("Basic Auth Credentials",),
        "dsn_password": ("Secret Keyword",),
        "private_key": ("Private Key",),
    },
)
CREDSWEEPER = Competitor(
    "CredSweeper 1.19.5",
    "credsweeper_spans.py",
    {
        "jwt": ("JSON Web Token",),
        "aws_access_key": ("AWS Client ID", "AWS Multi"),
        "aws_secret_key": ("AWS Multi", "Key", "Secret"),
        "gcp_api_key": ("Google API Key",),
        "azure_key": (
            "Azure Access Token",
            "Azure Secret Value",
            "Azure Storage Account Key",
            "Key",
            "Secret",
        ),
        "github_token": (
            "Github Classic Token",
            "Github Fine-granted Token",
            "Github App Installation Token",
        ),
        "gitlab_token": ("Gitlab Prefix Token",),
        "slack_token": ("Slack Token", "Slack Webhook"),
        "stripe_key": ("Stripe Credentials",),
        "npm_token": ("NPM Token",),
        "pypi_token": ("PyPi API Token",),
        "sendgrid_key": ("SendGrid API Key",),
        "api_key": ("API", "Key", "Secret", "Token", "Auth", "Credential", "UUID"),
        "password": ("Password", "SQL Password", "CMD Password", "CURL User Password"),
        "url_password": ("URL Credentials",),
        "dsn_password": ("Password", "URL Credentials"),
        "private_key": ("PEM Private Key", "BASE64 encoded PEM Private Key"),
        "basic_auth": ("Basic Authorization",),
        "bearer_auth": ("Bearer Authorization",),
        "cookie": ("Auth", "Token"),
    },
)
COMPETITORS = (DETECT_SECRETS, CREDSWEEPER)


def ran(command: Sequence[str], seconds_max: int, text: str = "") -> str:
    """What a command prints.

    Raises:
        CannotScanError: It failed, or took too long.
    """
    try:
        done = subprocess.run(
            command, input=text, capture_output=True, text=True, timeout=seconds_max, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise CannotScanError(f"`{' '.join(command)}` took more than {seconds_max} s") from error
    if done.returncode:
        raise CannotScanError(f"`{' '.join(command)}` failed: {done.stderr[-2000:]}")
    return done.stdout


def environment() -> str:
    """The Python that has both tools; made unless it is there.

    Raises:
        CannotScanError: They cannot be installed.
    """
    python = CACHE / "bin" / "python"
    complete = CACHE / "complete"
    if not complete.exists():
        ran([sys.executable, "-m", "venv", "--clear", str(CACHE)], INSTALL_SECONDS_MAX)
        install = [
            str(python),
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-compile",
            "--disable-pip-version-check",
        ]
        ran([*install, *REQUIREMENTS], INSTALL_SECONDS_MAX)
        complete.touch()
    return str(python)


def spans_of(competitor: Competitor, texts: Sequence[str]) -> Spans:
    """The tool as a masker of these texts, which it is given all at once.

    Raises:
        CannotScanError: It cannot be installed, fails, or answers for another number of texts.
    """
    script = Path(__file__).with_name(competitor.script)
    answers = json.loads(ran([environment(), str(script)], SCAN_SECONDS_MAX, json.dumps(list(texts))))
    if len(answers) != len(texts):
        raise CannotScanError(f"{competitor.name} answered for {len(answers)} of {len(texts)} texts")
    by_text = {
        text: [Span(start, end, rule) for start, end, rule in answer]
        for text, answer in zip(texts, answers, strict=True)
    }
    return lambda text: by_text[text]
