from pathlib import Path

import pytest

from harness.config.stack import load_stack
from harness.model.declarations import (
    CounterSource,
    DeadLetterOutlet,
    Fields,
    Level,
    Part,
    Promises,
    Ready,
    StackProcess,
)
from harness.model.errors import ScenarioError

WHOLE = """\
version: 1
name: mine
needs: [elasticsearch]
links: {to_store: elasticsearch}
processes:
  shipper:
    command: ["{python}", -m, shipper, "{to_store.url}", "{run.folder}/spool"]
    environment: {SEED: "{run.seed}"}
    ready: {output: '{"ready": true}', timeout_seconds: 10}
intake: {kind: python_logging, handler: "my.package:Handler", spool: "{run.folder}/spool", size: 5}
acknowledged_by: callback
archive: {kind: elasticsearch, index: "logs-{run.id}", url: "{elasticsearch.url}"}
promises: {durability: fsync, copies_max: 2, response_p99_ms: 50}
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def mistakes(folder: Path, old: str, new: str) -> list[str]:
    assert old in WHOLE
    path = write(folder, WHOLE.replace(old, new))
    with pytest.raises(ScenarioError) as caught:
        load_stack(path)
    return [line.removeprefix(f"{folder}/mine.yaml:") for line in str(caught.value).splitlines()]


def test_a_whole_file_becomes_a_stack(tmp_path):
    stack = load_stack(write(tmp_path, WHOLE))

    assert stack.needs == ("elasticsearch",)
    assert stack.links == {"to_store": "elasticsearch"}
    assert stack.processes == (
        StackProcess(
            "shipper",
            ("{python}", "-m", "shipper", "{to_store.url}", "{run.folder}/spool"),
            {"SEED": "{run.seed}"},
            Ready(output='{"ready": true}', timeout_seconds=10),
        ),
    )
    assert stack.intake == Part(
        "python_logging", {"handler": "my.package:Handler", "spool": "{run.folder}/spool", "size": 5}
    )
    assert stack.archive == Part("elasticsearch", {"index": "logs-{run.id}", "url": "{elasticsearch.url}"})
    assert stack.acknowledged_by == "callback"
    assert stack.promises == Promises(Level.FSYNC, 2, 50)


def test_a_stack_without_promises_promises_memory(tmp_path):
    text = WHOLE.replace("promises: {durability: fsync, copies_max: 2, response_p99_ms: 50}\n", "")

    assert load_stack(write(tmp_path, text)).promises == Promises(Level.MEMORY, 1, 100.0)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            '"{to_store.url}"',
            '"{to_stor.url}"',
            '7 processes.shipper.command[3]: no placeholder "to_stor.url". Did you mean "to_store.url"?',
        ),
        (
            '"{run.seed}"',
            '"{run.sed}"',
            '8 processes.shipper.environment.SEED: no placeholder "run.sed". Did you mean "run.seed"?',
        ),
        (
            '"{elasticsearch.url}"',
            '"{elastic.url}"',
            '12 archive.url: no placeholder "elastic.url". Did you mean',
        ),
        (
            '"{run.folder}/spool", size',
            '"{run.folder/spool", size',
            '10 intake.spool: a "{" or "}" stands alone.',
        ),
        ("size: 5", "size: [5]", "10 intake.size: must be text, a number, or true/false, not a list."),
        (
            '"my.package:Handler"',
            "my.Handler",
            '10 intake.handler: must be package.module:Class, not "my.Handler".',
        ),
        (
            '"my.package:Handler"',
            '"my.package:Handler", beside: monitor',
            '10 intake.beside: must be package.module:Class, not "monitor".',
        ),
        (
            'handler: "my.package:Handler", ',
            "",
            '10 intake.handler: is missing; intake "python_logging" cannot do',
        ),
        (
            "handler:",
            "handlr:",
            '10 intake.handlr: did you mean "handler"? intake "python_logging" cannot do without it.',
        ),
        ("kind: python_logging", "knd: python_logging", '10 intake.knd: no key "knd". Did you mean "kind"?'),
        (
            "kind: python_logging",
            "kind: python_loging",
            '10 intake.kind: no intake "python_loging". Did you mean',
        ),
        ("kind: elasticsearch", "kind: elastic", '12 archive.kind: no archive "elastic". '),
        (
            "index:",
            "feld: a, index:",
            '12 archive.feld: archive "elasticsearch" has no argument "feld". Did you mean',
        ),
        ('"logs-{run.id}"', '"logs-prod"', '12 archive.index: must contain "{run.id}"'),
        ('"logs-{run.id}"', '"logs-{{run.id}}"', '12 archive.index: must contain "{run.id}"'),
        (
            "acknowledged_by: callback",
            "acknowledged_by: callbak",
            '11 acknowledged_by: no value "callbak". Did you mean "callback"?',
        ),
        (
            "acknowledged_by: callback",
            "acknowledged_by: http_2xx",
            '11 acknowledged_by: "http_2xx" needs an intake over HTTP.',
        ),
        (
            "durability: fsync",
            "durability: fsink",
            '13 promises.durability: no value "fsink". Did you mean "fsync"?',
        ),
        ("copies_max: 2", "copies_max: 0", "13 promises.copies_max: must be at least 1, not 0."),
        (
            "copies_max: 2",
            "corruption_blast_records: -1",
            "13 promises.corruption_blast_records: must be at least 0, not -1.",
        ),
        ("copies_max: 2", "exit_seconds: 60", "13 promises.exit_seconds: must be at most 10, not 60."),
        ("copies_max: 2", "order_by: number", "13 promises.order_by: must be a list"),
        (
            "name: mine",
            "name: mine\ndead_letters: {kind: fil, path: x}",
            '3 dead_letters.kind: no archive "fil". Did you mean "file"?',
        ),
        (
            "name: mine",
            "name: mine\ndead_letters: {kind: file, path: '{run.folder}/{run.foldr}'}",
            '3 dead_letters.path: no placeholder "run.foldr". Did you mean "run.folder"?',
        ),
        (
            "name: mine",
            "name: mine\ndead_letters: {kind: elasticsearch, index: dead, url: x}",
            '3 dead_letters.index: must contain "{run.id}"',
        ),
        (
            "name: mine",
            "name: mine\ncounters: {kind: json_file, files: x, names: {deliverd: a}}",
            '3 counters.names.deliverd: no value "deliverd". Did you mean "delivered"?',
        ),
        (
            "name: mine",
            "name: mine\ncounters: {kind: json_file, names: {held: a}}",
            '3 counters.files: is missing; counters "json_file" cannot do without it. Add it.',
        ),
        (
            "name: mine",
            "name: mine\ncounters: {kind: json_file, files: x}",
            "3 counters.names: is missing. Map ours",
        ),
        (
            "links: {to_store: elasticsearch}",
            "links: {to_store: elastic}",
            '4 links.to_store: "needs" lists no service',
        ),
        (
            "needs: [elasticsearch]",
            "needs: [elasticsearch, to_store]",
            '4 links.to_store: "to_store" names another',
        ),
        (
            "needs: [elasticsearch]",
            "needs: [elasticsearch, run]",
            '3 needs[1]: "run" is a word of logquake\'s own.',
        ),
        (
            "needs: [elasticsearch]",
            "needs: [elasticsearch, No]",
            "3 needs[1]: must begin with a letter and hold",
        ),
        (
            "{SEED:",
            "{SE-ED:",
            "8 processes.shipper.environment.SE-ED: is not a name of an environment variable.",
        ),
        ('{SEED: "{run.seed}"}', "{SEED: 5}", "8 processes.shipper.environment.SEED: must be text, not 5."),
        (
            "ready: {output",
            "ready: {http: x, output",
            '9 processes.shipper.ready: names both "http" and "output".',
        ),
        ("-m, shipper", "-m, 5", "7 processes.shipper.command[2]: must be text, not 5. Put it in quotes."),
        ("name: mine", "name: yours", '2 name: must be "mine" as the file is called, not "yours".'),
        (
            "name: mine",
            "name: mine\ntransforms: [escape_controls]",
            '3 transforms[0]: no transform "escape_controls". Did you mean "escape_control"?',
        ),
        (
            "name: mine",
            "name: mine\ntransforms: [mask]",
            '3 transforms[0]: "mask" lets nothing change, since promises.secrets is empty.',
        ),
        (
            "name: mine",
            "name: mine\nkeys: {rotate: [x], status: [x], provider: [/etc/key]}",
            '3 keys.provider[0]: must begin with "{run.folder}/" and not lead out of it',
        ),
        (
            "name: mine",
            "name: mine\nkeys: {rotate: [x]}",
            "3 keys.status: is missing.",
        ),
        (
            "name: mine",
            "name: mine\nkeys: {rotate: [x], status: [x], provider_link: to_stor}",
            '3 keys.provider_link: "links" has no link "to_stor". Did you mean "to_store"?',
        ),
        (
            "name: mine",
            "name: mine\nkeys: {rotate: [x], status: [x], provider_link: to_store, "
            "provider: ['{run.folder}/k']}",
            '3 keys.provider_link: stands beside "provider". Keep one',
        ),
        (
            "name: mine",
            "name: mine\nenvironment: {SE-ED: x}",
            "3 environment.SE-ED: is not a name of an environment variable.",
        ),
        (
            "name: mine",
            "name: mine\nenvironment: {SEED: '{run.sed}'}",
            '3 environment.SEED: no placeholder "run.sed". Did you mean "run.seed"?',
        ),
        (
            "name: mine",
            "name: mine\ntransforms: [mask]\nmasks: {patterns: ['a(']}",
            '4 masks.patterns[0]: "a(" is no regular expression: ',
        ),
        (
            "name: mine",
            "name: mine\ntransforms: [mask]\nmasks: {patterns: ['a*']}",
            '4 masks.patterns[0]: "a*" matches the empty text.',
        ),
        (
            "name: mine",
            "name: mine\nmasks: {patterns: ['abc']}",
            '3 masks: has no effect unless "transforms" holds "mask".',
        ),
        (
            "promises: {",
            "promises: {secrets: [cards], ",
            '13 promises.secrets[0]: no kind of secret "cards". Did you mean "card"?',
        ),
        (
            "promises: {",
            "promises: {secrets: [card, card], ",
            '13 promises.secrets[1]: "card" stands here twice.',
        ),
        (
            "name: mine",
            "name: mine\ntransforms: [escape_control, escape_control]",
            '3 transforms[1]: "escape_control" stands here twice.',
        ),
        (
            "name: mine",
            "name: mine\nfiles: {spool: ['/var/spool/*']}",
            '3 files.spool[0]: must begin with "{run.folder}/" and not lead out of it, not "/var/spool/*"',
        ),
        (
            "name: mine",
            "name: mine\nfiles: {spool: ['{run.folder}/../x']}",
            '3 files.spool[0]: must begin with "{run.folder}/"',
        ),
        (
            "name: mine",
            "name: mine\nfiles: {spool: ['{run.folder}/{run.idd}']}",
            '3 files.spool[0]: no placeholder "run.idd". Did you mean "run.id"?',
        ),
        (
            "name: mine",
            "name: mine\nfiles: {shipper: ['{run.folder}/x']}",
            '3 files.shipper: "shipper" names another part already.',
        ),
        (
            "kind: elasticsearch, index:",
            "kind: elasticsearch, decode: [], index:",
            "12 archive.decode: must hold at least 1, not 0.",
        ),
        (
            'index: "logs-{run.id}", url: "{elasticsearch.url}"',
            'decode: ["{pyton}"], index: "logs-{run.id}", url: "{elasticsearch.url}"',
            '12 archive.decode[0]: no placeholder "pyton". Did you mean "python"?',
        ),
        (
            'kind: elasticsearch, index: "logs-{run.id}", url: "{elasticsearch.url}"',
            "kind: file, path: /var/log/app.log",
            '12 archive.path: must contain "{run.id}" or "{run.folder}": a run reads it whole',
        ),
        (
            'kind: python_logging, handler: "my.package:Handler", spool: "{run.folder}/spool", size: 5',
            'kind: http, url: "{shipper.url}"',
            '11 acknowledged_by: intake "http" knows no "callback". Use "http_2xx".',
        ),
        (
            "name: mine",
            "name: mine\nservices: {elastic: {url: 'http://127.0.0.1:9200'}}",
            '3 services.elastic: "needs" lists no service "elastic". Did you mean "elasticsearch"?',
        ),
        (
            "name: mine",
            "name: mine\nservices: {elasticsearch: {url: 'http://127.0.0.1'}}",
            "3 services.elasticsearch.url: must be scheme, host and port and nothing else",
        ),
        (
            "name: mine",
            "name: mine\nservices: {elasticsearch: {url: 'http://a@127.0.0.1:9200/x'}}",
            "3 services.elasticsearch.url: must be scheme, host and port and nothing else",
        ),
        ("name: mine", "name: mine\nmay_hurt: a.example", '3 may_hurt: must be a list ("- …" on each line'),
        ("promises:", "promisses:", '13 promisses: no key "promisses". Did you mean "promises"?'),
    ],
)
def test_a_mistake_names_its_line_key_and_remedy(tmp_path, old, new, expected):
    found = mistakes(tmp_path, old, new)

    assert len(found) == 1
    assert found[0].startswith(expected)


def test_an_intake_that_takes_any_header_still_notices_a_typo(tmp_path):
    text = WHOLE.replace("acknowledged_by: callback", "acknowledged_by: http_2xx").replace(
        'kind: python_logging, handler: "my.package:Handler", spool: "{run.folder}/spool", size: 5',
        'kind: http, url: "{shipper.url}", header.Authorization: x, headr.B: y',
    )

    with pytest.raises(ScenarioError) as caught:
        load_stack(write(tmp_path, text))

    assert str(caught.value).splitlines() == [
        f'{tmp_path}/mine.yaml:10 intake."headr.B": intake "http" has no argument "headr.B". '
        "Known: content_type, field, kind, record, records_per_request, template, timeout_seconds, url."
    ]


def test_optional_parts_become_nouns(tmp_path):
    more = """\
dead_letters: {kind: file, path: "{run.folder}/dead", field: a.message, reason_field: why}
counters: {kind: json_file, files: "{run.folder}/*.json", names: {dropped: lost + shed, held: "{{x}}"}}
"""
    promises = "promises: {exit_seconds: 5, memory_mib_above_idle: 64, order_by: [a.b, c]}\n"
    text = "".join(line for line in WHOLE.splitlines(keepends=True) if not line.startswith("promises"))
    text = text.replace("callback", "return")

    stack = load_stack(write(tmp_path, text + more + promises))

    assert stack.dead_letters == DeadLetterOutlet(
        Part("file", {"path": "{run.folder}/dead", "field": "a.message"}), "why"
    )
    assert stack.counters == CounterSource(
        Part("json_file", {"files": "{run.folder}/*.json"}), {"dropped": ("lost", "shed"), "held": ("{{x}}",)}
    )
    assert stack.promises == Promises(exit_seconds=5, memory_mib_above_idle=64, order_by=("a.b", "c"))


def test_optional_parts_may_be_left_out(tmp_path):
    stack = load_stack(write(tmp_path, WHOLE))

    assert (stack.dead_letters, stack.counters, stack.promises.order_by) == (None, None, ())


def test_what_an_own_stack_may_say_of_itself_is_read(tmp_path):
    text = WHOLE.replace(
        'url: "{elasticsearch.url}"}', 'url: "{elasticsearch.url}", decode: ["{python}", "x"]}'
    )
    stack = load_stack(
        write(
            tmp_path,
            text + "services: {elasticsearch: {url: 'http://a.example:9200'}}\nmay_hurt: [a.example]\n"
            "delete_run_index: true\n",
        )
    )

    assert stack.decode == ("{python}", "x")
    assert "decode" not in stack.archive.arguments
    assert stack.services == {"elasticsearch": "http://a.example:9200"}
    assert stack.may_hurt == ("a.example",)
    assert stack.delete_run_index


def test_a_stack_file_that_says_nothing_may_hurt_nothing_and_deletes_nothing(tmp_path):
    stack = load_stack(write(tmp_path, WHOLE))

    assert (stack.may_hurt, stack.delete_run_index, stack.services, stack.decode) == ((), False, {}, ())


def test_return_may_promise_memory(tmp_path):
    text = WHOLE.replace("acknowledged_by: callback", "acknowledged_by: return").replace("fsync", "memory")

    assert load_stack(write(tmp_path, text)).acknowledged_by == "return"


def test_the_text_that_shows_readiness_is_no_place_for_placeholders(tmp_path):
    text = WHOLE.replace('{"ready": true}', '{"ready": "{nothing}"}')

    assert load_stack(write(tmp_path, text)).processes[0].ready.output == '{"ready": "{nothing}"}'


@pytest.mark.parametrize(
    "line", ["needs: {a: 1}", "links: [a]", "processes: [a]", "intake: a", "archive: [a]", "promises: 5"]
)
def test_parts_of_a_wrong_shape_are_mistakes_and_no_traceback(tmp_path, line):
    key = line.partition(":")[0]
    kept = "".join(text for text in WHOLE.splitlines(keepends=True) if not text.startswith((key, " ")))

    with pytest.raises(ScenarioError, match=key):
        load_stack(write(tmp_path, f"{kept}{line}\n"))


@pytest.mark.parametrize("durability", ["memory", "write", "fsync"])
def test_a_call_that_returned_may_promise_any_durability(tmp_path, durability):
    """A synchronous handler returns after write(2) or fsync(2); whether it keeps its word, scenarios tell."""
    text = WHOLE.replace("acknowledged_by: callback", "acknowledged_by: return").replace("fsync", durability)

    assert load_stack(write(tmp_path, text)).promises.durability is Level[durability.upper()]


def test_fields_are_paths_and_a_tolerance(tmp_path):
    declared = 'fields: {time: "@timestamp", level: log.level, time_tolerance_seconds: 0.5}\n'

    assert load_stack(write(tmp_path, WHOLE + declared)).fields == Fields(
        {"time": "@timestamp", "level": "log.level"}, 0.5
    )


def over_http(intake):
    """Return the whole file with another intake, which is posted to."""
    lines = [f"intake: {intake}" if line.startswith("intake:") else line for line in WHOLE.splitlines()]
    return "\n".join([*lines, ""]).replace("acknowledged_by: callback", "acknowledged_by: http_2xx")


@pytest.mark.parametrize(
    ("intake", "fields", "said"),
    [
        ("", "logger: l", 'the intake\'s own document sends no logger. Write a template with "$logger".'),
        (', template: \'{{"m": "$line"}}\'', "level: l", 'template sends no level. Add "$level" to it.'),
        (', template: \'{{"m": "$line"}}\'', "time: t", 'template sends no time. Add "$time" to it.'),
    ],
)
def test_a_field_that_the_intake_does_not_send_is_a_mistake(tmp_path, intake, fields, said):
    text = over_http(f'{{kind: http, url: "{{shipper.url}}/"{intake}}}\nfields: {{{fields}}}')

    with pytest.raises(ScenarioError) as caught:
        load_stack(write(tmp_path, text))

    (line,) = str(caught.value).splitlines()
    assert "fields." in line
    assert line.endswith(said)


TRACED = {
    "promises": "traces: true",
    "fields": "fields: {trace: t, span: s}",
    "spans": "spans: '{run.folder}/s'",
}


def with_traces(promises="", **lines):
    """Return the whole file with what is said of traces."""
    text = WHOLE.replace("response_p99_ms: 50", f"response_p99_ms: 50, {promises}") if promises else WHOLE
    return text + "".join(f"{line}\n" for line in lines.values())


def test_traces_are_promised_with_the_fields_that_hold_their_ids(tmp_path):
    stack = load_stack(write(tmp_path, with_traces(**TRACED)))

    assert stack.promises.traces
    assert stack.fields.paths == {"trace": "t", "span": "s"}
    assert stack.spans == "{run.folder}/s"


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ({"promises": "traces: true"}, 'promises.traces: "fields" names no trace and no span to compare.'),
        ({"promises": "traces: true", "fields": "fields: {trace: t}"}, '"fields" names no span to compare.'),
        (
            {"fields": TRACED["fields"]},
            'fields.span: is used only with "promises.traces: true". Add it there.',
        ),
        ({"spans": TRACED["spans"]}, 'spans: is used only with "promises.traces: true". Add it there.'),
        ({**TRACED, "spans": "spans: '{run.foldr}/s'"}, 'Did you mean "run.folder"?'),
    ],
)
def test_traces_that_cannot_be_compared_are_a_mistake(tmp_path, lines, said):
    with pytest.raises(ScenarioError) as caught:
        load_stack(write(tmp_path, with_traces(**lines)))

    assert said in str(caught.value)


def test_an_intake_of_bare_lines_sends_no_traces(tmp_path):
    text = with_traces(**TRACED).replace("acknowledged_by: callback", "acknowledged_by: return")
    lines = [
        "intake: " + LOG_FILE + "}" if line.startswith("intake:") else line for line in text.splitlines()
    ]

    with pytest.raises(ScenarioError, match="the intake log_file sends no ids of a trace"):
        load_stack(write(tmp_path, "\n".join(lines)))


SYSLOG = '{kind: syslog, url: "tcp://{shipper.host}:{shipper.port}"'
LOG_FILE = '{kind: log_file, path: "{run.folder}/app.log"'


@pytest.mark.parametrize(
    ("intake", "said"),
    [
        (f"{SYSLOG}}}", ""),
        (f"{SYSLOG}, format: rfc3164}}", 'the intake sends no logger with a bare line. Use "body: json".'),
        (f"{SYSLOG}, format: rfc3164, body: json}}", ""),
        (f"{LOG_FILE}}}", ""),
        (f"{LOG_FILE}, format: plain}}", 'the intake sends no logger with a bare line. Use "format: json".'),
    ],
)
def test_a_field_that_a_bare_line_does_not_bring_is_a_mistake(tmp_path, intake, said):
    text = over_http(intake).replace("acknowledged_by: http_2xx", "acknowledged_by: return")
    path = write(tmp_path, f"{text}fields: {{logger: l}}\n")

    if not said:
        assert load_stack(path).fields.paths == {"logger": "l"}
        return
    with pytest.raises(ScenarioError) as caught:
        load_stack(path)
    assert str(caught.value).endswith(f"fields.logger: {said}")


@pytest.mark.parametrize("intake", [f"{SYSLOG}}}", f"{LOG_FILE}}}"])
def test_syslog_and_files_know_no_acknowledgement_but_the_return_of_the_call(tmp_path, intake):
    with pytest.raises(ScenarioError, match=r'knows no "http_2xx"\. Use "return"\.'):
        load_stack(write(tmp_path, over_http(intake)))


def test_a_template_may_send_the_level_as_a_number(tmp_path):
    template = """'{{"m": "$line", "l": "$severity_number"}}'"""
    text = over_http(f'{{kind: http, url: "{{shipper.url}}/", template: {template}}}')

    assert load_stack(write(tmp_path, f"{text}fields: {{level: l}}\n")).fields.paths == {"level": "l"}
