"""The user's own code is tried before anything starts; what is wrong with it is one line with its remedy."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness.config.own_code import require_startable
from harness.config.yaml_source import read_yaml
from harness.model.errors import ScenarioError

STACK = """\
version: 1
name: mine
intake: {kind: python_logging, handler: "HANDLER"}
"""


def stack(folder: Path, module: str = "", *, handler: str = "mine:H", more: str = "") -> Path:
    path = folder / "mine.yaml"
    path.write_text(STACK.replace("HANDLER", handler) + more)
    if module:
        (folder / "mine.py").write_text(module)
    return path


def complaint(path: Path, *folders: Path, seconds_max: float = 20.0) -> str:
    with pytest.raises(ScenarioError) as caught:
        require_startable([read_yaml(path)], (), folders or (path.parent,), seconds_max)
    return str(caught.value).removeprefix(f"{path}:")


@pytest.mark.parametrize(
    ("module", "said"),
    [
        (
            "raise RuntimeError('no\\nconfiguration')",
            'importing "mine" fails: RuntimeError: no configuration (',
        ),
        ("import sys\nsys.exit(3)", 'importing "mine" ends the program (SystemExit: 3).'),
        ("import os\nos._exit(5)", 'importing "mine" ends the process with exit code 5.'),
        (
            "import os\nos.kill(os.getpid(), 11)",
            'importing "mine" ends the process with signal SIGSEGV.',
        ),
        ("raise KeyboardInterrupt", 'importing "mine" fails: KeyboardInterrupt'),
        ("import not_there_at_all", 'importing "mine" fails: it needs the module "not_there_at_all".'),
        ("x = (", "importing \"mine\" fails: SyntaxError: '(' was never closed (mine.py, line 1)."),
        ("class HH: pass", 'has no "H". Did you mean "HH"?'),
        ("class H: pass", '"mine:H" is not a logging.Handler.'),
        ("H = 3", '"mine:H" is not a logging.Handler.'),
        (
            "import logging\nclass H(logging.Handler):\n  def __init__(self, url): ...",
            "takes (url): missing a required argument: 'url'.",
        ),
    ],
)
def test_a_module_that_cannot_be_used_is_one_line_with_file_line_and_key(tmp_path, module, said):
    told = complaint(stack(tmp_path, module))

    assert told.startswith("3 intake.handler: ")
    assert said in told
    assert "\n" not in told


def test_a_module_that_is_nowhere_is_named_with_the_folders_that_were_looked_in(tmp_path):
    told = complaint(stack(tmp_path))

    assert f'no module "mine" is installed, and none lies in {tmp_path}. Put its file beside' in told


@pytest.mark.parametrize(
    ("parameters", "given", "remedy"),
    [
        ("url, index", "url: u, indx: i", 'argument: \'index\'. Did you mean "index" by "indx"?'),
        ("url, index='a'", "url: u, indx: i", 'argument \'indx\'. Did you mean "index" by "indx"?'),
        ("url", "url: u, colour: red", "argument 'colour'. Remove colour."),
        ("url, index", "url: u", "argument: 'index'. Write beside it: index."),
    ],
)
def test_what_a_handler_is_given_and_does_not_take_is_told_with_what_was_meant(
    tmp_path, parameters, given, remedy
):
    module = f"import logging\nclass H(logging.Handler):\n  def __init__(self, {parameters}): ..."

    assert complaint(
        stack(tmp_path, module, handler=f'mine:H", {given}, beside: "logging:NullHandler')
    ).endswith(remedy)


def project_of_src(folder: Path) -> Path:
    package = folder / "src" / "src_shop"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "logs.py").write_text("import logging\nclass H(logging.Handler): pass")
    return stack(folder, handler="src_shop.log:H")


def test_of_a_package_that_can_be_imported_only_the_modules_name_is_called_wrong(tmp_path):
    path = project_of_src(tmp_path)
    # As an editable installation puts it on the path.
    told = complaint(path, tmp_path, tmp_path / "src")

    assert '"src_shop" (' in told
    assert 'has no module "log". Did you mean "src_shop.logs"?' in told
    assert "pip install" not in told


def test_a_package_that_lies_in_src_and_cannot_be_imported_is_to_be_installed(tmp_path):
    told = complaint(project_of_src(tmp_path), tmp_path)

    assert 'no module "src_shop" is installed; it lies in src. Install the project' in told


def test_an_import_that_hangs_is_ended_in_its_time(tmp_path):
    began = time.monotonic()
    told = complaint(stack(tmp_path, "import time\ntime.sleep(60)"), seconds_max=1.0)

    assert 'importing "mine" takes longer than 1 s.' in told
    assert time.monotonic() - began < 30


def test_what_an_import_has_started_ends_with_the_trial(tmp_path):
    pid = tmp_path / "pid"
    module = (
        "import logging, pathlib, subprocess\n"
        "started = subprocess.Popen(['sleep', '600'])\n"
        f"pathlib.Path({str(pid)!r}).write_text(str(started.pid))\n"
        "class H(logging.Handler): pass\n"
    )
    require_startable([read_yaml(stack(tmp_path, module))], (), (tmp_path,))
    until = time.monotonic() + 5
    while (gone := not _runs(int(pid.read_text()))) is False and time.monotonic() < until:
        time.sleep(0.02)

    assert gone


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_module_beside_the_stack_file_is_found_before_one_in_the_current_folder(tmp_path):
    beside, here = tmp_path / "beside", tmp_path / "here"
    beside.mkdir()
    here.mkdir()
    (here / "mine.py").write_text("raise RuntimeError")
    path = stack(beside, "import logging\nclass H(logging.Handler): pass")

    require_startable([read_yaml(path)], (), (beside, here))
    assert "fails: RuntimeError" in complaint(path, here, beside)


def test_a_module_named_as_one_of_pythons_own_shadows_nothing_and_the_message_names_both(tmp_path):
    (tmp_path / "queue.py").write_text("raise RuntimeError('shadowed')")
    module = "import logging.handlers, queue\nqueue.Queue\nclass H(logging.Handler): pass"
    require_startable([read_yaml(stack(tmp_path, module))], (), (tmp_path,))
    told = complaint(stack(tmp_path, handler="queue:H"))

    assert "queue.py, which comes before your" in told
    assert "Give your module another name." in told


def test_offered_folders_come_last_on_the_path_and_once(tmp_path):
    code = (
        "import sys; from pathlib import Path; from harness.config.own_code import offer_code\n"
        f"before = list(sys.path); folder = Path({str(tmp_path)!r})\n"
        "offer_code([folder, folder]); offer_code([folder])\n"
        "assert sys.path == [*before, str(folder)]"
    )
    finished = subprocess.run([sys.executable, "-c", code], check=False, timeout=30)

    assert finished.returncode == 0


def test_faults_checks_and_the_option_check_are_tried_too_and_told_by_their_places(tmp_path):
    scenario = tmp_path / "cut.yaml"
    scenario.write_text(
        "steps:\n  - {fault: 'mine:Fault'}\nchecks:\n  - mine:Check\n  - {check: 'mine:Other', limit: 3}\n"
    )
    (tmp_path / "mine.py").write_text("")
    with pytest.raises(ScenarioError) as caught:
        require_startable([read_yaml(scenario)], ("mine:Added", "duplicated"), (tmp_path,))
    lines = str(caught.value).splitlines()

    assert [line.partition(": module")[0] for line in lines] == [
        f"{scenario}:2 steps[0].fault",
        f"{scenario}:4 checks[0]",
        f"{scenario}:5 checks[1].check",
        "--check mine:Added",
    ]


PROCESSES = "processes:\n  shipper:\n    command: [{command}, x]\n    environment: {{PATH: '{path}'}}\n"


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("no-such-program", 'no program "no-such-program" is in PATH.'),
        ("syslog-ng", "Install it (logquake servers install syslog-ng), or write its whole path."),
        ("./shipper", "is looked for in the run's own folder"),
        ('"{stack.folder}/nothing"', "is there. Install it, or mend the path."),
        ('"{stack.folder}/plain"', "cannot be executed."),
        ('"{stack.folder}"', "cannot be executed."),
    ],
)
def test_a_command_without_a_program_is_told_before_anything_starts(tmp_path, command, said):
    (tmp_path / "plain").write_text("#!/bin/sh\n")
    more = PROCESSES.format(command=command, path="/usr/bin:/bin")
    told = complaint(stack(tmp_path, handler="logging:NullHandler", more=more))

    assert told.startswith("6 processes.shipper.command[0]: ")
    assert said in told


@pytest.mark.parametrize(
    "command", ["sh", '"{python}"', '"{run.folder}/made-later"', "own-program", "rsyslogd"]
)
def test_a_program_that_is_there_or_may_be_there_in_the_run_is_no_mistake(tmp_path, command, monkeypatch):
    monkeypatch.setenv("LOGQUAKE_CACHE", str(tmp_path / "cache"))
    for own in (tmp_path / "own-program", tmp_path / "cache" / "rsyslog" / "bin" / "rsyslogd"):
        own.parent.mkdir(parents=True, exist_ok=True)
        own.write_text("#!/bin/sh\n")
        own.chmod(0o755)
    path = "/bin:/usr/bin:{stack.folder}:{cache.folder}/rsyslog/bin"
    more = PROCESSES.format(command=command, path=path)

    require_startable([read_yaml(stack(tmp_path, handler="logging:NullHandler", more=more))], (), (tmp_path,))


@pytest.mark.parametrize(
    ("module", "said"),
    [
        ("class G: pass", 'module "mine" ('),
        ("class H: pass", '"mine:H" is not a logging.Handler. Name one.'),
        (
            "import logging\nclass H(logging.Handler):\n  def __init__(self, word): ...",
            "missing a required argument: 'word'",
        ),
    ],
)
def test_a_handler_beside_another_is_tried_without_arguments(tmp_path, module, said):
    told = complaint(stack(tmp_path, module, handler='logging:NullHandler", beside: "mine:H'))

    assert told.startswith("3 intake.beside: ")
    assert said in told


def test_a_handler_beside_another_is_no_argument_of_it(tmp_path):
    path = stack(tmp_path, handler='logging:NullHandler", beside: "logging:StreamHandler')

    require_startable([read_yaml(path)], (), (tmp_path,))


def test_a_decoder_is_looked_for_as_well(tmp_path):
    more = "archive: {kind: file, path: x, decode: [no-such-decoder]}\n"
    told = complaint(stack(tmp_path, handler="logging:NullHandler", more=more))

    assert told.startswith('4 archive.decode[0]: no program "no-such-decoder"')
