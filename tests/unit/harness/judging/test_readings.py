import pytest

from harness.judging.readings import level_read, scale_of, time_text, times_read_ns

AT_NS = 1_764_452_356_789_000_000
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


@pytest.mark.parametrize(
    "value",
    [
        "2025-11-29T21:39:16.789Z",
        "2025-11-29T21:39:16.789+00:00",
        "2025-11-29 22:39:16,789+01:00",
        "2025-11-29T21:39:16.789000000Z",
        1_764_452_356.789,
        "1764452356.789",
        1_764_452_356_789,
        "1764452356789",
        1_764_452_356_789_000,
        "1764452356789000000",
    ],
)
def test_a_time_is_read_in_the_forms_that_stacks_write(value):
    (at_ns,) = times_read_ns(value)

    assert abs(at_ns - AT_NS) < 1_000
    assert time_text(at_ns) == "2025-11-29T21:39:16.789Z"


def test_nanoseconds_as_text_are_read_exactly():
    assert times_read_ns("1764452356789123457") == (1_764_452_356_789_123_457,)


def test_a_time_without_its_zone_may_be_utc():
    assert AT_NS in times_read_ns("2025-11-29T21:39:16.789")


@pytest.mark.parametrize("value", ["yesterday", "", None, True, "12:30", "1e999"])
def test_what_is_no_time_is_none(value):
    assert times_read_ns(value) == ()


@pytest.mark.parametrize(
    "words",
    [
        LEVELS,
        ("debug", "info", "warn", "error", "fatal"),
        ("dbg", "INF", "wrn", "ERR", "crit"),
        ("SEVERITY_NUMBER_DEBUG", "INFORMATION", "WARN2", "SEVERITY_NUMBER_ERROR", "FATAL"),
        (10, 20, 30, 40, 50),
        ("10", "20", "30", "40", "50"),
        (5, 9, 13, 17, 21),
        (7, 6, 4, 3, 2),
        (20, 30, 40, 50, 60),
    ],
)
def test_a_level_is_read_in_the_forms_that_stacks_write(words):
    scale = scale_of(zip(LEVELS, words, strict=True))

    assert tuple(level_read(word, scale) for word in words) == LEVELS


def test_numbers_are_read_on_one_scale_only():
    # 10 is DEBUG to Python and INFO to OpenTelemetry: a stack that writes it for all is never right for both.
    scale = scale_of((level, 10) for level in LEVELS)

    assert [level_read(10, scale) == level for level in LEVELS].count(True) == 1


@pytest.mark.parametrize("value", ["loud", "", None, False, 99, 12.5])
def test_what_is_no_level_is_none(value):
    assert level_read(value, "Python") is None
