"""Canaries are looked for while a run is on, in what is stored, and in what is left when all has stopped."""

from random import Random

from harness.evidence.lines import GeneratedLines
from harness.evidence.secrets.kinds import KINDS
from harness.evidence.secrets.needles import Needles
from harness.evidence.secrets.planting import PlantedLines
from harness.evidence.secrets.sweep import Place, Sweep
from harness.evidence.secrets.watch import SecretWatch
from harness.load.intakes import INTAKES
from harness.model.declarations import Part
from harness.model.facts import SecretSeen, SecretsSought
from harness.model.protocols import ARGUMENT, EXCEPTION, EXTRA, MESSAGE, URL
from harness.runs.secrets import secret_paths, secret_watch
from harness.selftest.stacks import HONEST, Case
from tests.unit.harness.runs.stage import RUN

CANARY = KINDS["cookie"](Random(1))
NEEDLES = Needles({("cookie", MESSAGE): CANARY})


def test_a_file_that_is_written_when_the_stack_is_told_to_end_is_searched(stage, tmp_path):
    folder = tmp_path / "stack"
    folder.mkdir()
    stage.secrets = SecretWatch(NEEDLES, Sweep(NEEDLES, (Place("stack", folder),)))
    stop = stage.stack.stop
    stage.stack.stop = lambda: (stop(), (folder / "last.log").write_text(CANARY.text))[0]
    stage.run()

    (seen,) = stage.facts(SecretSeen)
    (sought,) = stage.facts(SecretsSought)
    assert (seen.kind, seen.place) == ("cookie", "stack/last.log")
    assert sought.files == 1


def test_an_archive_that_shows_no_stored_documents_is_told_as_unread(stage, tmp_path):
    stage.secrets = SecretWatch(NEEDLES, Sweep(NEEDLES, (Place("stack", tmp_path / "stack"),)))
    stage.run()

    (sought,) = stage.facts(SecretsSought)
    assert sought.unread == "the archive: this kind of archive shows no documents as they are stored"


def test_a_log_file_that_the_load_writes_and_a_link_that_it_uses_are_not_searched(tmp_path):
    stack = Case("honest", "none", HONEST, "no_fault").stack()
    lines = PlantedLines(GeneratedLines(1), 1, RUN, ("cookie",), (MESSAGE,))
    folders = {name: tmp_path / name for name in ("stack", "load", "wire")}
    for folder in folders.values():
        folder.mkdir()
    intake = Part("log_file", {"path": str(folders["stack"] / "app.log")})
    for name in ("app.log", "app.log.1", "spool.log"):
        (folders["stack"] / name).write_text(lines.canaries["cookie", MESSAGE].text)
    (folders["load"] / "application.log").write_text(lines.canaries["cookie", MESSAGE].text)
    (folders["load"] / "application.json").write_text(lines.canaries["cookie", MESSAGE].text)
    watch = secret_watch(stack, lines, folders, {"elasticsearch": "http://127.0.0.1:9200"}, intake)

    seen = [fact for fact in watch.facts(0) if isinstance(fact, SecretSeen)]
    assert {fact.place for fact in seen} == {"stack/spool.log", "application/application.log"}


def test_each_intake_tells_its_paths_and_one_of_the_users_has_its_line():
    assert secret_paths(Part("python_logging", {})) == (MESSAGE, ARGUMENT, EXTRA, EXCEPTION, URL)
    assert secret_paths(Part("http", {"template": "{}"})) == (MESSAGE, URL)
    assert secret_paths(Part("pathlib:Path", {})) == (MESSAGE, URL)
    assert set(INTAKES.kinds) == {"http", "log_file", "python_logging", "syslog"}
