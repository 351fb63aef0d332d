"""A stack file's promise of findings: what it becomes, and which mistakes are named with their remedy."""

import pytest

from harness.config.stack import load_stack
from harness.model.declarations import Findings
from harness.model.errors import ScenarioError

WHOLE = """\
version: 1
name: mine
needs: [elasticsearch]
links: {to_store: elasticsearch}
processes: {watch: {command: [watch]}}
intake: {kind: python_logging, handler: "my.package:Handler"}
acknowledged_by: return
archive: {kind: elasticsearch, index: "logs-{run.id}", url: "{elasticsearch.url}"}
findings:
  files: "{run.folder}/findings.jsonl"
  causes: {backend: [store_down, network]}
  watcher: watch
"""


def loaded(folder, text):
    path = folder / "mine.yaml"
    path.write_text(text)
    return load_stack(path)


def test_a_promise_becomes_what_is_judged(tmp_path):
    assert loaded(tmp_path, WHOLE).findings == Findings(
        "{run.folder}/findings.jsonl", causes={"backend": ("store_down", "network")}, watcher="watch"
    )


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("watcher: watch", "watcher: wacth", 'findings.watcher: "processes" has no process "wacth". Did you'),
        ("store_down, ", "store_dwn, ", 'findings.causes.backend[0]: no cause "store_dwn". Did you mean'),
        ('"{run.folder}/findings.jsonl"', '"{run.foler}/f"', "findings.files: "),
        ('  files: "{run.folder}/findings.jsonl"\n', "", "findings.files: is missing. Add the pattern"),
        ("causes: {backend: [store_down, network]}", "causes: {}", "findings.causes: "),
    ],
)
def test_a_mistake_is_named_with_its_remedy(tmp_path, old, new, said):
    with pytest.raises(ScenarioError) as caught:
        loaded(tmp_path, WHOLE.replace(old, new))
    assert said in str(caught.value)
