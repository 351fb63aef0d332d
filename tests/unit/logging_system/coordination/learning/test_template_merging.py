"""What is learned survives restarts, and is put together in any order."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logging_system.coordination.learning.miner import TemplateMiner

_NAMES = st.sampled_from(
    ["ann", "ben", "cid", "dee", "eli", "fay", "gus", "hal", "ida", "jim", "kay", "lee", "moe", "ned", "5"]
)
_LINES = st.one_of(
    st.builds("login of {} from {}".format, _NAMES, st.sampled_from(["here", "there"])),
    st.builds("{} stops {} now".format, _NAMES, _NAMES),
    st.builds("{} {} {}".format, _NAMES, _NAMES, _NAMES),
    st.builds("a {} ,b".format, _NAMES),
    _NAMES,
)
_FREE_TEXTS = st.lists(
    st.one_of(
        st.builds("{} of the house {} {} {}".format, st.sampled_from(["5", "owner"]), _NAMES, _NAMES, _NAMES),
        st.builds("owner of the house, {} {} {} {}".format, _NAMES, _NAMES, _NAMES, _NAMES),
        st.builds("owner of the house {} {} {} 5".format, _NAMES, _NAMES, _NAMES),
    ),
    min_size=15,
    max_size=40,
)
_STREAMS = st.lists(_LINES, max_size=40)


def learned(lines: list[str]) -> TemplateMiner:
    miner = TemplateMiner()
    for line in lines:
        miner.learn(line)
    return miner


def known(miner: TemplateMiner) -> str:
    return json.dumps(miner.content(), sort_keys=True)


@settings(max_examples=25)
@given(_STREAMS, _STREAMS, _STREAMS)
def test_three_miners_give_the_same_in_every_order(one: list[str], two: list[str], three: list[str]) -> None:
    """Merging is commutative and associative, and no line is lost."""
    a, b, c = learned(one), learned(two), learned(three)

    results = {
        known(a.merged(b).merged(c)),
        known(a.merged(b.merged(c))),
        known(c.merged(a).merged(b)),
        known(b.merged(c).merged(a)),
    }

    assert len(results) == 1
    assert sum(it.count for it in a.merged(b).merged(c).templates()) == len(one) + len(two) + len(three)


@settings(max_examples=10)
@given(_FREE_TEXTS, _FREE_TEXTS, _FREE_TEXTS)
def test_three_that_saw_free_text_give_the_same_in_every_order(
    one: list[str], two: list[str], three: list[str]
) -> None:
    a, b, c = learned(one), learned(two), learned(three)

    merged = a.merged(b).merged(c)

    assert known(merged) == known(a.merged(b.merged(c))) == known(c.merged(b.merged(a)))
    assert known(TemplateMiner.restored(json.loads(known(merged)))) == known(merged)
    for line in [*one, *two, *three]:
        matched = merged.match(line)
        assert matched is not None
        assert len(merged.parameters(matched, line)) == matched.values


@settings(max_examples=25)
@given(_STREAMS)
def test_a_restart_loses_nothing(lines: list[str]) -> None:
    miner = learned(lines)

    restored = TemplateMiner.restored(json.loads(known(miner)))

    assert known(restored) == known(miner)
    for line in lines:
        before, after = miner.match(line), restored.match(line)
        assert before is not None
        assert after is not None
        assert after.template_id == before.template_id
        assert restored.parameters(after, line) == miner.parameters(before, line)


@settings(max_examples=25)
@given(_STREAMS)
def test_the_same_lines_teach_the_same(lines: list[str]) -> None:
    assert known(learned(lines)) == known(learned(lines))


def test_processes_that_hash_strings_differently_learn_the_same() -> None:
    """Python salts the hashes of strings, which variations are made of, anew in each process."""
    program = (
        "import json\n"
        "from logging_system.coordination.learning.miner import TemplateMiner\n"
        "miner = TemplateMiner(templates_max=40)\n"
        "for number in range(400):\n"
        "    miner.learn(f'seat {number % 7} of ' + chr(97 + number % 26) * 3 + ' is ' + 'xyz'[number % 3])\n"
        "    miner.learn(chr(97 + number * 7 % 26) * (number % 5 + 1) + ' odd ' + chr(97 + number % 11))\n"
        "print(json.dumps(miner.content()))\n"
    )

    contents = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }

    (content,) = contents
    assert json.loads(content)["beyond"]["templates_given_up"] > 0


@settings(max_examples=25)
@given(_STREAMS, _STREAMS)
def test_what_each_knew_is_found_in_both(one: list[str], two: list[str]) -> None:
    a, b = learned(one), learned(two)

    both = a.merged(b)

    for template in [*a.templates(), *b.templates()]:
        found = both.current(template.template_id)
        assert found is not None
        assert found.count >= template.count
    for line in [*one, *two]:
        matched = both.match(line)
        assert matched is not None
        assert len(both.parameters(matched, line)) == matched.values


def test_half_of_the_words_here_and_half_there_make_a_value() -> None:
    names = ["ann", "ben", "cid", "dee", "eli", "fay"]
    a = learned([f"granted a seat to {name} at once" for name in names[:3]])
    b = learned([f"granted a seat to {name} at once" for name in names[3:]])

    assert [(it.text, it.count) for it in a.merged(b).templates()] == [("granted a seat to <*> at once", 6)]
    assert len(a.templates()) == len(b.templates()) == 3


def test_too_much_for_one_gives_up_what_came_least_in_either_order() -> None:
    a, b = TemplateMiner(templates_max=4), TemplateMiner(templates_max=4)
    for count, word in enumerate(["ann", "ben", "cid", "dee"]):
        for _ in range(count + 1):
            a.learn(word)
            b.learn(word * 2)

    both = a.merged(b)

    assert known(both) == known(b.merged(a))
    assert [it.count for it in both.templates()] == [4, 4, 3, 3]
    assert (both.beyond.templates_given_up, both.beyond.lines_of_given_up) == (4, 6)


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"form": 2},
        {"form": 1, "templates_max": 5, "beyond": {}, "templates": [{"count": 1}]},
        {"form": 1, "templates_max": 5, "beyond": {"x": 1}, "templates": []},
        {"form": 1, "templates_max": 5, "beyond": {}, "templates": [{"count": 1, "shapes": [[[1], "0"]]}]},
        {
            "form": 1,
            "templates_max": 5,
            "beyond": {},
            "templates": [{"count": 1, "shapes": [[["a"] * 999, "0"]]}],
        },
        {"form": 1, "templates_max": 0, "beyond": {}, "templates": []},
        {"form": 1, "templates_max": "5", "beyond": {}, "templates": []},
        {
            "form": 1,
            "templates_max": 5,
            "beyond": {},
            "templates": [{"count": "1", "shapes": [[["a"], "0"]]}],
        },
        {"form": 1, "templates_max": 5, "beyond": {}, "templates": [{"count": 1, "shapes": [[["a"], 0]]}]},
        {"form": 1, "templates_max": 5, "beyond": {}, "templates": [{"count": 1, "shapes": [[["a"], "x"]]}]},
    ],
)
def test_what_is_no_content_is_refused(content: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="templates"):
        TemplateMiner.restored(content)


def test_a_line_of_very_many_words_is_kept_by_every_reader_of_json() -> None:
    miner = TemplateMiner()
    line = " ".join(f"word{chr(97 + place % 26)}" for place in range(120))
    miner.learn(line)
    content = orjson.loads(orjson.dumps(miner.content()))

    assert TemplateMiner.restored(content).content() == miner.content()
    assert TemplateMiner.restored(content).templates()[0].text == miner.templates()[0].text
