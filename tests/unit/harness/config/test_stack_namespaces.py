"""A stack file's promise of namespaces: what it becomes, what is a mistake."""

import pytest

from harness.config.stack import load_stack
from harness.model.declarations import Namespaces, Part
from harness.model.errors import ScenarioError

WHOLE = """\
version: 1
name: mine
needs: [elasticsearch]
links: {to_store: elasticsearch}
processes: {watch: {command: [watch]}}
intake: {kind: python_logging, handler: "my.package:Handler", tenant_extra: tenant}
acknowledged_by: return
archive: {kind: elasticsearch, index: "logs-{run.name}-*", url: "{elasticsearch.url}"}
namespaces:
  tenants: {red: 4, blue: 1}
  reads: {kind: elasticsearch, index: "logs-{run.name}-{tenant}", url: "{elasticsearch.url}"}
  shows: "{run.folder}/shown-{tenant}.txt"
answers: {files: "{run.folder}/answers.jsonl", namespace: who}
"""
HTTP = """\
intake: {kind: http, url: "http://127.0.0.1:1/", header.Authorization: Bearer $tenant}
acknowledged_by: http_2xx
"""
PYTHON = WHOLE[WHOLE.index("intake:") : WHOLE.index("archive:")]


def loaded(folder, text):
    path = folder / "mine.yaml"
    path.write_text(text)
    return load_stack(path)


def test_a_promise_of_namespaces_becomes_what_is_judged(tmp_path):
    assert loaded(tmp_path, WHOLE).namespaces == Namespaces(
        {"red": 4, "blue": 1},
        Part("elasticsearch", {"index": "logs-{run.name}-{tenant}", "url": "{elasticsearch.url}"}),
        "{run.folder}/shown-{tenant}.txt",
    )


def test_a_header_may_say_whose_records_come(tmp_path):
    assert loaded(tmp_path, WHOLE.replace(PYTHON, HTTP)).namespaces is not None


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("tenants: {red: 4, blue: 1}", "tenants: {red: 4}", "namespaces.tenants: "),
        ("blue: 1", "blue: 0", "namespaces.tenants.blue: "),
        ("name}-{tenant}", "name}-red", "namespaces.reads: names the same for every tenant. Write"),
        ("shown-{tenant}", "shown", "namespaces.shows: names the same for every tenant. Write"),
        ("{tenant}.txt", "{tenat}.txt", 'namespaces.shows: no placeholder "tenat". Did you mean "tenant"?'),
        (", tenant_extra: tenant", "", 'intake.kind: sends no tenant. Add e.g. "tenant_extra: namespace".'),
        (PYTHON, HTTP.replace("$tenant", "x"), 'intake.kind: sends no tenant. Write "$tenant" in a header'),
        (", namespace: who", "", 'answers: lacks "namespace": which tenant an answer is about.'),
        ("namespace: who", "namespace: who, own_namespace: red", "answers.own_namespace: is for a run whose"),
        ("  reads: {kind: elasticsearch", "  reads: {kind: elastic", "namespaces.reads.kind: "),
        (WHOLE[WHOLE.index("namespaces:") :], "", 'intake.tenant_extra: is used only with "namespaces"'),
        ("watch]}}", 'watch, "{tenant}"]}}', 'processes.watch.command[1]: no placeholder "tenant"'),
    ],
)
def test_a_mistake_is_named(tmp_path, old, new, said):
    with pytest.raises(ScenarioError) as raised:
        loaded(tmp_path, WHOLE.replace(old, new))

    assert said in str(raised.value)
