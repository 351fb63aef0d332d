"""The files of a first run: stack, scenario, gate and a workflow for what runs the builds."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import PurePosixPath

from harness.onboarding.drafts.draft import Draft, FirstFault
from harness.onboarding.seen import Ci

SCENARIO = "first_check"
STACKS_FOLDER = PurePosixPath("scenarios/stacks")
GATE = PurePosixPath("gate.yaml")
WHEELS = PurePosixPath("wheels")


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file to write: its path as seen from the project's folder, its text, and what it is for."""

    path: PurePosixPath
    text: str
    purpose: str


@dataclass(frozen=True, slots=True)
class Requirement:
    """What builds install logquake from.

    Attributes:
        text: as pip takes it.
        origin: where that comes from, for a comment.
        command: what puts it into the project; empty where pip finds it by itself.
    """

    text: str
    origin: str
    command: str = ""


def requirement_of(version: str, source: str) -> Requirement:
    """Return what builds are to install logquake from, by where this one was installed from.

    A name that no index has would be installed from whoever takes it.

    Args:
        version: logquake's own.
        source: the path or URL that pip installed it from; empty where that was an index.
    """
    if not source:
        return Requirement(f"logquake=={version}", "or the path of a wheel in this repository")
    wheel = f"{WHEELS}/logquake-{version}-py3-none-any.whl"
    make = f"pip wheel --no-deps --wheel-dir {WHEELS} {shlex.quote(source)}"
    return Requirement(f"./{wheel}", "the wheel beside your own files: see `logquake help install`", make)


_STORE = """\
# Written by `logquake init`. For three seconds, connections to the store are reset once a request is sent.
version: 1
name: first_check
title: Connections to the store are reset
hypothesis: A reset costs a retry, never an accepted record.
why: Load balancers reset connections whenever they are restarted. What is sent meanwhile must be sent again.
schedule: {kind: steady, rate_per_second: 20}
producers: 4
sending_seconds: 8.5
steps:
  - {fault: connection_reset, target: to_store, at_seconds: 3, for_seconds: 3, acknowledged_min: 10}
# How fast log calls and recovery are is judged by the default suite, on a machine that does nothing else.
checks: [acknowledged_lost, duplicated, corrupted, fresh_record_seconds, unacknowledged_percent]
"""
_APPLICATION = """\
# Written by `logquake init`. The application is killed during a log call, and started again after 2 s.
version: 1
name: first_check
title: The application is killed and started again
hypothesis: What was accepted before the kill is still there, once, and the new process overwrites nothing.
why: The records just before a crash are the most important ones.
schedule: {kind: steady, rate_per_second: 20}
producers: 4
sending_seconds: 9
steps:
  - {fault: killed, target: application, at_seconds: 3, for_seconds: 2, acknowledged_min: 0}
# How fast log calls and recovery are is judged by the default suite, on a machine that does nothing else.
checks: [acknowledged_lost, duplicated, corrupted, fresh_record_seconds, unacknowledged_percent]
"""
_SCENARIOS = {FirstFault.STORE: _STORE, FirstFault.APPLICATION: _APPLICATION}
_GATE = """\
# Written by `logquake init`: when a run passes. Without this file: score at least 98, no veto, no FAIL.
# Every key: `logquake help files`, "Gate".
version: 1
score: {min: 98}
on_inconclusive: inconclusive  # too little evidence is exit code 6, neither a pass nor a fail
# A limit of your own:       objectives: {response_p99_ms: {fail: ">50"}}
# A failure accepted for now: waivers: [{id: duplicated, until: 2027-01-31, reason: "…"}]
"""
_GITHUB = """\
# Written by `logquake init`.
name: logquake
on: [pull_request]
permissions:
  contents: read
jobs:
  shake:
    runs-on: ubuntu-latest
    timeout-minutes: 20
    env:
      LOGQUAKE: {requirement}  # {origin}
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with: {{python-version: "{python}"}}
      - run: pip install "$LOGQUAKE"
{install}      - run: {command}
      - uses: actions/upload-artifact@v4
        if: always()
        with:
          name: logquake
          path: |
            reports/*/*/scorecard.html
            reports/*/*/result.json
"""
_GITLAB = """\
# Written by `logquake init`. Add this to .gitlab-ci.yml:   include: [{{local: "{path}"}}]
shake:
  image: python:{python}
  timeout: 20 minutes
  variables: {{LOGQUAKE: "{requirement}"}}  # {origin}
  script:
    - pip install "$LOGQUAKE"
{install}    - {command}
  artifacts:
    when: always
    paths: [reports/*/*/scorecard.html, reports/*/*/result.json]
    reports: {{junit: reports/*/*/junit.xml}}
"""
_JENKINS = """\
// Written by `logquake init`: a pipeline of its own, or a stage for your Jenkinsfile.
pipeline {{
  agent any
  options {{ timeout(time: 20, unit: 'MINUTES') }}
  environment {{ LOGQUAKE = '{requirement}' }} // {origin}
  stages {{
    stage('shake') {{
      steps {{
        deleteDir()
        checkout scm
        sh '''
          python3 -m venv venv
          . venv/bin/activate
          pip install "$LOGQUAKE"
{install}          {command}
        '''
      }}
    }}
  }}
  post {{
    always {{
      junit allowEmptyResults: true, testResults: 'reports/*/*/junit.xml'
      archiveArtifacts artifacts: 'reports/*/*/scorecard.html', allowEmptyArchive: true
    }}
  }}
}}
"""
_WORKFLOWS = {
    Ci.GITHUB: (".github/workflows/logquake.yml", _GITHUB, "      - run: {}\n"),
    Ci.GITLAB: (".gitlab/logquake.yml", _GITLAB, "    - {}\n"),
    Ci.JENKINS: ("Jenkinsfile.logquake", _JENKINS, "          {}\n"),
}


NAMES = {Ci.GITHUB: "GitHub Actions", Ci.GITLAB: "GitLab", Ci.JENKINS: "Jenkins"}
"""What people call what runs their builds."""


def stack_path(name: str) -> PurePosixPath:
    """Return the path of a stack file, as seen from the project's folder.

    Args:
        name: the stack's.
    """
    return STACKS_FOLDER / f"{name}.yaml"


def command(name: str) -> str:
    """Return the command that runs the first check.

    Args:
        name: the stack's.
    """
    return f"logquake run {SCENARIO} --stack {name} --gate {GATE}"


def files(
    name: str, draft: Draft, ci: Ci | None, install: str, requirement: Requirement, python: str
) -> tuple[NewFile, ...]:
    """Return the files of a first run.

    Args:
        name: the stack's.
        draft: its draft.
        ci: what runs the builds; None for no workflow.
        install: the shell line that installs the project; "" for none.
        requirement: what the workflow installs logquake from.
        python: the version of Python that the workflow uses, e.g. `3.12`.
    """
    stack = NewFile(stack_path(name), draft.stack, "the stack under test")
    beside = [
        NewFile(STACKS_FOLDER / path, text, "what the stack file names")
        for path, text in draft.beside.items()
    ]
    scenario = NewFile(
        PurePosixPath(f"scenarios/{SCENARIO}.yaml"), _SCENARIOS[draft.fault], "the first scenario"
    )
    return (
        stack,
        *beside,
        scenario,
        NewFile(GATE, _GATE, "when a run passes"),
        *_workflow(name, ci, install, requirement, python),
    )


def _workflow(
    name: str, ci: Ci | None, install: str, requirement: Requirement, python: str
) -> tuple[NewFile, ...]:
    if ci is None:
        return ()
    path, text, step = _WORKFLOWS[ci]
    filled = text.format(
        path=path,
        requirement=requirement.text,
        origin=requirement.origin,
        python=python,
        install=step.format(install) if install else "",
        command=f"{command(name)} --max-minutes 15",
    )
    return (NewFile(PurePosixPath(path), filled, f"the check in {NAMES[ci]}"),)
