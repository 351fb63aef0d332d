import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from harness.evidence.counters.json_file import JsonFileCounters
from harness.evidence.counters.prometheus import PrometheusCounters, sums
from harness.model.errors import ScenarioError, StackError

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

    assert sums(PAGE, keys) == {
        "records_total": 15,
        'records_total{state="dropped"}': 3,
        "queue": 15,
        "up": 1,
    }


def test_a_page_is_read_over_http():
    class Page(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(PAGE.encode())

        def log_message(self, *arguments):
            pass

    server = HTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.handle_request)
    thread.start()
    try:
        counters = PrometheusCounters(f"http://127.0.0.1:{server.server_port}/metrics", 5.0)

        assert counters.read(["queue"]) == {"queue": 15}
    finally:
        thread.join(5)
        server.server_close()


def test_a_page_that_is_not_there_is_an_error():
    with pytest.raises(StackError, match="cannot be read"):
        PrometheusCounters("http://127.0.0.1:9/metrics").read(["a"])


def test_a_url_that_is_none_is_refused():
    with pytest.raises(ScenarioError, match="not an http or https URL"):
        PrometheusCounters("file:///etc/passwd")
