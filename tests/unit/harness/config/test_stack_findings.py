"""A stack file's promises of findings, answers and actions: what they become, what is a mistake."""

import pytest

from harness.config.stack import load_stack
from harness.model.declarations import Actions, Answers, Findings
from harness.model.errors import ScenarioError

WHOLE = """\
version: 1
name: mine
needs: [elasticsearch, webhook_receiver]
links: {to_store: elasticsearch, to_webhook: webhook_receiver}
processes: {watch: {command: [watch]}}
intake: {kind: python_logging, handler: "my.package:Handler"}
acknowledged_by: return
archive: {kind: elasticsearch, index: "logs-{run.id}", url: "{elasticsearch.url}"}
findings:
  files: "{run.folder}/findings.jsonl"
  causes: {backend: [store_down, network]}
  watcher: watch
answers: {files: "{run.folder}/answers.jsonl", namespace: who, own_namespace: mine, asker: watch}
actions: {link: to_webhook, key: header key, about: json finding.id, causes: [disk], engines: [watch]}
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


def test_a_promise_of_actions_becomes_what_is_judged(tmp_path):
    actions = loaded(tmp_path, WHOLE).actions
    assert actions == Actions(
        *("to_webhook", "webhook_receiver", "header key", "json finding.id"), ("disk",), ("watch",)
    )
    assert actions.on_the_way == {"watch", "to_webhook", "webhook_receiver"}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("watcher: watch", "watcher: wacth", 'findings.watcher: "processes" has no process "wacth". Did you'),
        ("store_down, ", "store_dwn, ", 'findings.causes.backend[0]: no cause "store_dwn". Did you mean'),
        ('"{run.folder}/findings.jsonl"', '"{run.foler}/f"', "findings.files: "),
        ('  files: "{run.folder}/findings.jsonl"\n', "", "findings.files: is missing. Add the pattern"),
        ("asker: watch", "asker: wotch", 'answers.asker: "processes" has no process "wotch". Did you mean'),
        ("causes: [disk]", "causes: [disc]", 'actions.causes[0]: no cause "disc". Did you mean "disk"?'),
        (
            "causes: [disk]",
            "causes: [disk], causes_after_healing: [dsk]",
            'actions.causes_after_healing[0]: no cause "dsk". Did you mean "disk"?',
        ),
        ("engines: [watch]", "engines: [w]", 'actions.engines[0]: "processes" has no process "w".'),
        (
            "link: to_webhook",
            "link: to_webhok",
            'actions.link: "links" has no link "to_webhok". Did you mean',
        ),
        ("link: to_webhook", "link: to_store", "receives no actions. Name one to webhook_receiver."),
        ("key: header key", "key: key", 'actions.key: must be "header NAME", "header NAME PATTERN"'),
        ("causes: {backend: [store_down, network]}", "causes: {}", "findings.causes: "),
    ],
)
def test_a_mistake_is_named_with_its_remedy(tmp_path, old, new, said):
    with pytest.raises(ScenarioError) as caught:
        loaded(tmp_path, WHOLE.replace(old, new))
    assert said in str(caught.value)
