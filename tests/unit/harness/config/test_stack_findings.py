"""A stack file's promises of findings and answers: what they become, which mistakes are told."""

import pytest

from harness.config.stack import load_stack
from harness.model.declarations import Answers, Findings
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
answers: {files: "{run.folder}/answers.jsonl", namespace: who, own_namespace: mine, asker: watch}
"""


def loaded(folder, text):
    path = folder / "mine.yaml"
    path.write_text(text)
    return load_stack(path)


def test_a_promise_becomes_what_is_judged(tmp_path):
    assert loaded(tmp_path, WHOLE).findings == Findings(
        "{run.folder}/findings.jsonl", causes={"backend": ("store_down", "network")}, watcher="watch"
    )


def test_a_promise_of_answers_becomes_what_is_judged(tmp_path):
    assert loaded(tmp_path, WHOLE).answers == Answers(
        "{run.folder}/answers.jsonl", namespace="who", own_namespace="mine", asker="watch"
    )


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("watcher: watch", "watcher: wacth", 'findings.watcher: "processes" has no process "wacth". Did you'),
        ("store_down, ", "store_dwn, ", 'findings.causes.backend[0]: no cause "store_dwn". Did you mean'),
        ('"{run.folder}/findings.jsonl"', '"{run.foler}/f"', "findings.files: "),
        ('  files: "{run.folder}/findings.jsonl"\n', "", "findings.files: is missing. Add the pattern"),
        ("asker: watch", "asker: wotch", 'answers.asker: "processes" has no process "wotch". Did you mean'),
        ("causes: {backend: [store_down, network]}", "causes: {}", "findings.causes: "),
    ],
)
def test_a_mistake_is_named_with_its_remedy(tmp_path, old, new, said):
    with pytest.raises(ScenarioError) as caught:
        loaded(tmp_path, WHOLE.replace(old, new))
    assert said in str(caught.value)
