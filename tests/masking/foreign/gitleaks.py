"""gitleaks' own examples of each rule, true and false, printed by its generator of rules.

The examples exist only as calls in Go. The published module is copied into a cache, two of its files are
replaced by ours in `go/` (one prints the examples, one makes random text repeatable), its own generator
is built and run.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.masking.filling import reach
from tests.masking.labelled import Line, Secret

MODULE, VERSION = "github.com/zricethezav/gitleaks/v8", "v8.30.1"
CACHE = (
    Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "logquake" / f"gitleaks-{VERSION}-1"
)
EXAMPLES = CACHE / "examples.jsonl"
SECONDS_MAX = 1200
OURS = {
    "validate.go": Path("cmd", "generate", "config", "utils", "validate.go"),
    "regen.go": Path("cmd", "generate", "secrets", "regen.go"),
}

# Which of our kinds a rule of theirs stands for. Other rules keep their own name, and nobody claims them.
RULES: dict[str, str] = {
    "aws-access-token": "aws_access_key",
    "azure-ad-client-secret": "azure_key",
    "curl-auth-header": "bearer_auth",
    "curl-auth-user": "password",
    "gcp-api-key": "gcp_api_key",
    "generic-api-key": "api_key",
    "github-app-token": "github_token",
    "github-fine-grained-pat": "github_token",
    "github-oauth": "github_token",
    "github-pat": "github_token",
    "github-refresh-token": "github_token",
    "gitlab-cicd-job-token": "gitlab_token",
    "gitlab-deploy-token": "gitlab_token",
    "gitlab-pat": "gitlab_token",
    "gitlab-pat-routable": "gitlab_token",
    "gitlab-ptt": "gitlab_token",
    "gitlab-runner-authentication-token": "gitlab_token",
    "gitlab-runner-authentication-token-routable": "gitlab_token",
    "gitlab-session-cookie": "cookie",
    "hashicorp-tf-password": "password",
    "jwt": "jwt",
    "npm-access-token": "npm_token",
    "private-key": "private_key",
    "pypi-upload-token": "pypi_token",
    "sendgrid-api-token": "sendgrid_key",
    "sidekiq-sensitive-url": "url_password",
    "slack-app-token": "slack_token",
    "slack-bot-token": "slack_token",
    "slack-user-token": "slack_token",
    "slack-webhook-url": "slack_token",
    "stripe-access-token": "stripe_key",
}

# What their rules take with a secret and tells nothing: a scheme and host, a user, a cookie's name.
PUBLIC: dict[str, re.Pattern[str]] = {
    "cookie": re.compile(r"_gitlab_session="),
    "password": re.compile(r"[^:]*:[\"']?(?=.)"),
    "slack_token": re.compile(r"https?://(?:hooks\.slack\.com/)?"),
    "url_password": re.compile(r"[^:]*:(?=.)"),
}


class CannotBuildError(Exception):
    """What is missing, in words for whoever asked for the examples."""


def ran(command: Sequence[str], folder: Path) -> str:
    """What a command prints.

    Raises:
        CannotBuildError: It failed, or took too long.
    """
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=SECONDS_MAX, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise CannotBuildError(f"`{' '.join(command)}` took more than {SECONDS_MAX} s") from error
    if done.returncode:
        raise CannotBuildError(f"`{' '.join(command)}` failed: {(done.stderr or done.stdout)[-2000:]}")
    return done.stdout


def build() -> Path:
    """The file of all examples, made unless it is there.

    Raises:
        CannotBuildError: Go is missing, or the module cannot be downloaded or built.
    """
    if EXAMPLES.exists():
        return EXAMPLES
    go = shutil.which("go") or shutil.which("/usr/local/go/bin/go")
    if go is None:
        raise CannotBuildError("go is not installed")
    CACHE.mkdir(parents=True, exist_ok=True)
    module: dict[str, Any] = json.loads(ran([go, "mod", "download", "-json", f"{MODULE}@{VERSION}"], CACHE))
    source = CACHE / "source"
    shutil.rmtree(source, ignore_errors=True)
    shutil.copytree(module["Dir"], source, copy_function=shutil.copyfile)
    for folder in [source, *(path for path in source.rglob("*") if path.is_dir())]:
        folder.chmod(0o755)
    for ours, theirs in OURS.items():
        shutil.copyfile(Path(__file__).parent / "go" / ours, source / theirs)
    generator = source / "cmd" / "generate" / "config"
    ran([go, "build", "-o", str(CACHE / "generator"), "."], generator)
    printed = ran([str(CACHE / "generator"), str(CACHE / "rules.toml")], generator)
    written = EXAMPLES.with_suffix(".new")
    written.write_text("".join(sorted(set(printed.splitlines(keepends=True)))), encoding="utf-8")
    written.rename(EXAMPLES)
    return EXAMPLES


def labelled(rule: str, text: str, secrets: Sequence[str]) -> Line:
    """One true example: every place of what gitleaks' own rule took out of it.

    Some of its rules take the quotation marks along, or only one of them; these are no secret.
    """
    kind = RULES.get(rule, rule)
    planted = []
    for value in dict.fromkeys(secret.strip("\"'") for secret in secrets):
        start = text.find(value)
        if value and start >= 0:
            end = start + len(value)
            public = PUBLIC[kind].match(value) if kind in PUBLIC else None
            sensitive = start + (public.end() if public else 0)
            planted.append(Secret(sensitive, end, kind, *reach(text, start, end)))
    return Line(text, tuple(sorted(planted, key=lambda secret: secret.start)), f"gitleaks {rule}")


def kind(line: Line) -> str:
    """Of which kind a line is an example; one of ours where we claim it."""
    rule = line.shape.removeprefix("gitleaks ")
    return RULES.get(rule, rule)


def examples(path: Path) -> Iterator[Line]:
    """The examples of a file that `build` made; a false one resembles the kind of its rule."""
    for printed in path.read_text(encoding="utf-8").splitlines():
        one = json.loads(printed)
        rule, text = one["rule"], one["text"]
        if one["true"]:
            yield labelled(rule, text, one["secrets"])
        else:
            yield Line(text, (), f"gitleaks {rule}", resembles=RULES.get(rule, rule))
