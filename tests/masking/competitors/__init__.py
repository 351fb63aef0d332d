"""Other tools on the same lines: detect-secrets and CredSweeper, in an environment of their own.

Both are given each record as a file of its own with their default settings, which is what finds most:
detect-secrets reads such a file a second time as YAML or INI when the first reading found nothing,
CredSweeper's model judges each candidate by its line. CredSweeper weighs 400 MB with onnxruntime and pandas,
so it never enters `dev`.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.masking.judge import Span, Spans

REQUIREMENTS = ("detect-secrets==1.5.0", "credsweeper==1.19.5")
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "logquake" / "secret-scanners-1"
INSTALL_SECONDS_MAX, SCAN_SECONDS_MAX = 900, 600
CHUNK_TEXTS = 1_000
"""So many texts a process: it takes three seconds to start one, and its answer is kept."""


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


def spans_of(
    competitor: Competitor,
    texts: Sequence[str],
    told: Callable[[str], None],
    *,
    scan: Callable[[Competitor, Sequence[str]], str] | None = None,
    kept: Path = CACHE / "answers",
) -> Spans:
    """The tool as a masker of these texts; it is given a thousand at once.

    Args:
        competitor: The tool.
        texts: All that the masker will be asked.
        told: Told how far it is.
        scan: Answers for some texts, as the competitor's script does.
        kept: Folder of earlier answers, so that a run that was ended goes on where it was.

    Raises:
        CannotScanError: It cannot be installed, fails, or answers for another number of texts.
    """
    by_text: dict[str, list[Span]] = {}
    for start in range(0, len(texts), CHUNK_TEXTS):
        chunk = texts[start : start + CHUNK_TEXTS]
        by_text.update(zip(chunk, answered(competitor, chunk, scan or scanned, kept), strict=True))
        told(f"{competitor.name}: {start + len(chunk)} of {len(texts)} lines")
    return lambda text: by_text[text]


def scanned(competitor: Competitor, texts: Sequence[str]) -> str:
    """What a competitor's script prints for some texts."""
    script = Path(__file__).with_name(competitor.script)
    return ran([environment(), str(script)], SCAN_SECONDS_MAX, json.dumps(list(texts)))


def answered(
    competitor: Competitor,
    texts: Sequence[str],
    scan: Callable[[Competitor, Sequence[str]], str],
    kept: Path,
) -> Iterator[list[Span]]:
    """What a tool finds in each text, now or in an earlier run of the same script on the same texts."""
    script = Path(__file__).with_name(competitor.script).read_text(encoding="utf-8")
    told = json.dumps([competitor.name, script, *texts])
    answer = kept / f"{hashlib.sha256(told.encode()).hexdigest()}.json"
    if not answer.exists():
        printed = scan(competitor, texts)
        if (count := len(json.loads(printed))) != len(texts):
            raise CannotScanError(f"{competitor.name} answered for {count} of {len(texts)} texts")
        kept.mkdir(parents=True, exist_ok=True)
        written = answer.with_suffix(f".{os.getpid()}")
        written.write_text(printed, encoding="utf-8")
        written.rename(answer)
    for found in json.loads(answer.read_text(encoding="utf-8")):
        yield [Span(start, end, rule) for start, end, rule in found]
