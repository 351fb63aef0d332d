import json
import math
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.evidence.counters.json_file import JsonFileCounters
from harness.evidence.counters.prometheus import PrometheusCounters, sums
from harness.model.errors import ScenarioError, StackError

WHERE = "http://127.0.0.1:9600/metrics"
PAGE = """\
# HELP records_total What became of records.
# TYPE records_total counter
records_total{state="delivered",host="a b"} 12 1700000000
records_total{state="dropped"} 3
queue 1.5e1
broken NaN
up{text="a } \\" b"} 1
"""


def test_a_key_is_summed_over_the_files_that_have_it(tmp_path):
    (tmp_path / "status-1.json").write_text(json.dumps({"offered": 5, "dropped": {"full": 1, "late": 2}}))
    (tmp_path / "status-2.json").write_text(
        json.dumps({"offered": 7, "inner": {"spooled": 4, "ready": True}})
    )
    counters = JsonFileCounters(str(tmp_path / "status-*.json"))

    found = counters.read(["offered", "dropped", "dropped.late", "inner.spooled", "inner.ready", "none"])

    assert found == {"offered": 12, "dropped": 3, "dropped.late": 2, "inner.spooled": 4}


def test_a_mapping_without_numbers_counts_nothing(tmp_path):
    (tmp_path / "a.json").write_text('{"dropped": {}}')

    assert JsonFileCounters(str(tmp_path / "*.json")).read(["dropped"]) == {"dropped": 0}


def test_no_file_yet_is_no_value(tmp_path):
    assert JsonFileCounters(str(tmp_path / "*.json")).read(["a"]) == {}


@pytest.mark.parametrize("text", ["", "[1]", '{"a"'])
def test_a_file_that_is_no_object_is_an_error_that_names_it(tmp_path, text):
    (tmp_path / "a.json").write_text(text)

    with pytest.raises(StackError, match=r"a\.json"):
        JsonFileCounters(str(tmp_path / "*.json")).read(["a"])


def test_a_page_is_summed_over_labels_or_read_by_one_set_of_them():
    keys = ["records_total", 'records_total{state="dropped"}', "queue", "broken", "up", "none"]

    assert sums(PAGE, keys, WHERE) == {
        "records_total": 15,
        'records_total{state="dropped"}': 3,
        "queue": 15,
        "up": 1,
    }


@pytest.mark.parametrize("name", ["records", "records_total", "records_created"])
def test_a_counter_keeps_the_name_that_the_page_gives_it(name):
    page = f"# HELP {name} Records.\n# TYPE {name} counter\n{name} 4\n"

    assert sums(page, ["records", "records_total", "records_created"], WHERE) == {name: 4}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ('sent_total{a="1",b="2"}', 5),
        ('sent_total{ b="2" , a="1" }', 5),
        ('sent_total{a="1"}', 7),
        ("sent_total", 13),
        ("sent_total{}", 1),
    ],
)
def test_labels_are_compared_as_a_whole_set_in_any_order(key, value):
    page = 'sent_total{a="1",b="2",} 5\nsent_total{a="1"} 7\nsent_total 1\n'

    assert sums(page, [key], WHERE) == {key: value}


def test_the_parts_of_a_histogram_are_samples_of_their_own():
    page = """# TYPE wait_seconds histogram
wait_seconds_bucket{le="0.1"} 2
wait_seconds_bucket{le="+Inf"} 3
wait_seconds_sum 0.75
wait_seconds_count 3
"""
    keys = ['wait_seconds_bucket{le="+Inf"}', "wait_seconds_sum", "wait_seconds_count", "wait_seconds"]

    assert sums(page, keys, WHERE) == dict(zip(keys, (3, 0.75, 3), strict=False))


def test_escapes_in_a_label_are_compared_by_what_they_stand_for():
    page = 'read_total{path="C:\\\\logs",note="a \\"b\\"\\n, c } d"} 2\n'
    key = 'read_total{note="a \\"b\\"\\n, c } d",path="C:\\\\logs"}'

    assert sums(page, [key], WHERE) == {key: 2}


@pytest.mark.parametrize("value", ["NaN", "+Inf", "-Inf", "1e999", "9" * 400])
def test_what_is_no_finite_number_is_left_out(value):
    assert sums(f"queue {value}\nqueue 2 1700000000000\n", ["queue"], WHERE) == {"queue": 2}


@pytest.mark.parametrize(
    "line",
    [
        "<html><body>login</body></html>",
        "queue",
        "queue ten",
        'queue{state="a} 1',
        "queue{state=a} 1",
        'queue{a="1",="2"} 1',
        'queue{a="1",  ="2"} 1',
        'queue{a="1",a="2"} 1',
        "queue{" + "x" * 10_000 + "} 1",
        "queue" + "x" * 20_000 + " 1",
    ],
)
def test_a_line_that_is_no_sample_is_an_error_that_says_where(line):
    with pytest.raises(StackError, match=r"9600/metrics: line 2: .*text format") as refused:
        sums(f"queue 1\n{line}\n", ["queue"], WHERE)

    assert len(str(refused.value)) < 400 + len(WHERE)


@pytest.mark.parametrize("key", ["", "a.b", "two words", 'a{b="c', "a{b=c}"])
def test_a_key_that_names_no_metric_is_a_mistake_of_the_stack_file(key):
    with pytest.raises(ScenarioError, match="Write its name"):
        sums(PAGE, [key], WHERE)


@given(st.text(st.sampled_from('ab_:{}=",\\ \t\r\n#0189.eE+-\u2028é'), max_size=60))
def test_any_page_is_summed_or_refused_as_the_stacks_mistake(page):
    """The parser's own errors never reach the caller."""
    with suppress(StackError):
        assert all(math.isfinite(value) for value in sums(page, ["a", "b"], WHERE).values())


@pytest.mark.timeout(30)
def test_the_longest_lines_are_read_in_time():
    labels = ",".join(f'l{n}="{n}"' for n in range(1_200))

    assert sums(f"a{{{labels}}} 1\n" * 20, ["a"], WHERE) == {"a": 20}


def test_a_page_is_read_over_http():
    class Page(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(PAGE.encode())

        def log_message(self, *arguments):
            pass

    server = HTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        counters = PrometheusCounters(f"http://127.0.0.1:{server.server_port}/metrics", 5.0)

        assert counters.read(["queue"]) == {"queue": 15}
        keys = counters.keys()
        assert "queue" in keys
        assert not any("{" in key for key in keys)
    finally:
        server.shutdown()
        thread.join(5)
        server.server_close()


def test_a_page_that_is_not_there_is_an_error():
    with pytest.raises(StackError, match="cannot be read"):
        PrometheusCounters("http://127.0.0.1:9/metrics").read(["a"])


def test_a_url_that_is_none_is_refused():
    with pytest.raises(ScenarioError, match="not an http or https URL"):
        PrometheusCounters("file:///etc/passwd")
