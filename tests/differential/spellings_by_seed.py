"""Stories of odd spellings: numbers, texts, dates and names as JSON allows them, sent byte for byte."""

from __future__ import annotations

import random
from typing import Any

from tests.differential.asked import Asked

Json = dict[str, Any]
# Each a piece of JSON, so that `1.50` and `1e3` reach both stores as they stand here.
WORDS = (
    "1.0", "1.50", "1e3", "1E+3", "-0", "-0.0", "0.10", "123456789012345678901", "1e22", "true", "null", "[]",
    '"a"', '"A"', '"\\ud83d\\ude00"', '"x\\ud83d\\ude00y"', '"\\u0000"', '"a\\u0000b"', '"\\ud800"', '" "',
    '"é"', '"e\\u0301"', '"\\u0130"', '"\\u01c5"', '"ß"', '"\\u017f"', '"K"', '"Σας"', '""', '["b","a","b"]',
    '["a",null]', '[["a"],["c"]]', '{"x":1}', '"' + "v" * 300 + '"', '"a*b"', '"a?b"', '"a\\\\b"', '"true"',
    '"1.0"',
    '"\\uffff"', '"\\ufb01"', '"\\u00a0"', '"\\t"', '"a\\udc00b"', '"?"', '"a?b"', '"\\ufffd"',
)  # fmt: skip
SENTENCES = (
    '"foo_bar-baz"', '"a.b.c"', '"1,000.5"', '"192.168.1.1"', '"https://x.y/z?a=b"', '"x\\u00ady"',
    '"a\\u200bb"', '"日本語テスト"', '"한국어 text"', '"\\ufb01 \\ufb02"', '"don\\u2019t"', '"l\'été"',
    '"C++ #tag"',
    '"\\u0130stanbul"', '"12:30:45"', '"0x1F a1b2 1a"', '"___ x__y _"', '"e\\u0301te\\u0301"', '"a:b;c,d"',
    '"1.a a.1 1,a"', '"x" ', '""', '" "', '"عربي نص"', '"ΣΑΣ ς"', '"naïve-café"', '"a\\u0000b"',
    '"a\\nb\\tc"',
    '"cut \\ud83d"', '"two\\udc00words"',
    '"1;000 1\'000"', '"3.14.15"', '"a..b"', '"@user"', '"½ x² n°"', '"℃ ™"', '1.50', 'true',
    '["one two","three"]',
    '"' + "w" * 300 + '"', '"$5.00 50%"', '"A\\u030a"', '"x/y\\\\z"', '"१२३"', '"\\u200dx"', '"a\\ufeffb"',
)  # fmt: skip
WHOLE = (
    "1", "1.0", "1.9", "-1.9", "1e3", '"1e3"', '" 7 "', '"+7"', '"0x10"', "-0.0", "9223372036854775807",
    "9223372036854775808", '"9223372036854775807"', '"9223372036854775808"', "9.3e18", "1e-5", '"1_000"',
    '"\\u0663"', '""', '" "', "[]", "[[1]]", "{}", "true", '"1L"', '"1.5d"', '"NaN"', '"Infinity"', "127",
    "128",
    "-129", "32768", "2147483648", '"12.0"', '"12.9"', "null", "[1,null,2]", '"1.0e2"', '"-0"', '".5"',
    '"5."',
    "1.0E+2", "123456789.0", "16777217", "9007199254740993", "9007199254740993.0",
)  # fmt: skip
FRACTIONS = (
    "0.1", "-0.0", "0", "1e400", '"1e400"', "1e-400", '"NaN"', '"Infinity"', '"-Infinity"', '"1d"', '"1.5f"',
    '"0x1p3"', "3.4e38", "3.5e38", "65504", "65520", "1e-8", "16777217", "0.30000000000000004", "123456789",
    '" 2.5 "', '"2,5"', "true", '""', "1.0", "1.50", "2.5", "1e10", "100000000000000000000", "[0.1,0.2]",
    "null",
    '"1_0"', '"+.5"', '"5."', "5e-324", "1.7976931348623157e308",
)  # fmt: skip
DATES = (
    '"2024-01-01"', '"2024-02-30"', '"2024-1-1"', '"2024-01-01T24:00:00"', '"2024-01-01T10"',
    '"2024-01-01T10:00Z"', '"2024-01-01T10:00:00,5"', '"2024-01-01T10:00:00.1234567891"', '"-2024-01-01"',
    '"+12024-01-01"', '"10000-01-01"', "1704067200000.5", '"1704067200000.5"', "1e12", '"1e12"',
    '" 2024-01-01"',
    '"2024-01-01T10:00:00+01"', '"2024-01-01T10:00:00+0130"', '"2024-01-01T10:00:00+01:30:15"',
    '"2024-01-01T10:00:00UTC"', '"2024-01-01T10:00:00[Europe/Paris]"', '"2024-W01"', '"2024-001"', "true",
    '"\\u0662\\u0660\\u0662\\u0664-01-01"', "-1", '"-1"', '"0001-01-01"', '"9999-12-31T23:59:59.999Z"', '""',
    "0",
    '"2024-01-01t10:00:00z"', '"2024-01-01 10:00:00"', '"20240101"', '"2024-01-01T"', '"2024-01-01Z"',
    '"2024"',
    '"2024-06"', '"2016-12-31T23:59:60Z"', '"2024-01-01T10:00:00.Z"', '"2024-01-01T10:00:00.5Z"',
    "1704067200",
    '"1969-12-31T23:59:59.999Z"', '"2262-04-12"', "null", "[1704067200000,\"2024-03-01\"]", "{}", '"now"',
    '"2024-01-01||/d"', "99999999999999999", '"2024-01-01T10:00:00-00:00"', '"2024-01-01T10:00:00+18:00"',
    '"2024-01-01T10:00:00+19:00"', '"0000-01-01"', '"99999"', '"1e3"', "1.7e12", '"2024-01-01T1:00"',
    "1704067200000",
)  # fmt: skip
FLAGS = (
    "true",
    "false",
    '"true"',
    '"false"',
    '"TRUE"',
    "1",
    "0",
    '""',
    '"on"',
    "null",
    "[true,false]",
    '" true"',
)
ADDRESSES = (
    '"10.0.0.1"', '"::ffff:1.2.3.4"', '"1.2.3.4/32"', '"fe80::1%eth0"', '"010.0.0.1"', '"1.2.3"', '"::"',
    '"0:0:0:0:0:0:0:1"', '"FE80::1"', '"[::1]"', "1", '" 1.2.3.4"', '"::1.2.3.4"', '"1::2::3"', '"256.1.1.1"',
    '"2001:db8::"', '["10.0.0.2","::1"]', "null", '""', '"1.2.3.4."', "true", '"0.0.0.0"', '"::ffff:0:0"',
    '"64:ff9b::1.2.3.4"', '"1:2:3:4:5:6:7:8"', '"01:2:3:4:5:6:7:8"', '"00001::"',
)  # fmt: skip
FLATTENED = (
    "{}", '{"a":1.0}', '{"a":1.50}', '{"a":{"b":true}}', '{"a.b":"x"}', '{"a":[1,[2,null]]}',
    '[{"a":"b"},{"a":"c"}]',
    "null", '"x"', '{"":1}', '{"a":null}', '{"a":1e3}', '{"a":"\\ud83d\\ude00"}', "[]", "1", '{"a":{}}',
    '{"a":""}',
    '{"a":"y","b":"y"}', '{"a":"y\\ud800"}', '{"a":"y\\ufffd"}', '{"a\\ud800":"y"}', '{"a.":"y"}',
)  # fmt: skip
OBJECTS = (
    '{"p":1}', "5", "[1]", "null", "[]", '{"p":{"z":1}}', '{"p":[1,2]}', '{"new":1.5}',
    '[{"p":1},null,{"q":"a"}]',
    '{"p":"3"}', '{"p":1,"p":2}', '{"q.r":1}', "{}", '"x"', "true", '{"q":{"r":"s"}}',
)  # fmt: skip
FIELDS: dict[str, tuple[str, ...]] = {
    "k": WORDS, "ka": WORDS, "t": SENTENCES, "n": WHOLE, "f": FRACTIONS, "d": DATES, "dn": DATES, "b": FLAGS,
    "ip": ADDRESSES, "fl": FLATTENED, "o": OBJECTS,
    "new": (*WORDS[:20], *WHOLE[:10], *DATES[:10], *SENTENCES[:4]),
}  # fmt: skip
# Whole documents whose shape itself is odd.
SHAPES = (
    '{"u":1,"u":2}', '{"":1}', '{" ":1}', '{".a":1}', '{"a.":1}', '{"a..b":1}', '{"_id":"x"}',
    '{"_source":1}',
    '{"_foo":1}', '{"o.p":5}', '{"o.p.z":5}', '{"k":"a","k":"b"}', "{}", "[]", "1", '"x"', "", "{",
    '{"u":01}',
    '{"u":+1}', '{"u":.5}', '{"u":1.}', '{"u":NaN}', '{"f":Infinity}', "{'u':1}", "{u:1}", '{"u":1,}',
    '{"u":1} x',
    '{"u":1}{"u":2}', '{"u":1 /* why */}', '{"u":1}\n', '\ufeff{"u":1}', '{"k":"\t"}', '{"k":"\\x"}', "null",
    '{"x.y.z":1,"x":{"y":2}}', '{"x":{"y":1},"x.y":2}', '{"_version":1}', '{"_index":"a"}', '{"t.raw":"x"}',
    '{"al":"x"}', '{"s.raw":"x"}', '{"a":{"b":{"c":{"d":{"e":1}}}}}', '{"new":[1,"a"]}', '{"new":["a",1]}',
    '{"new":[1.5,1]}', '{"new":[1,1.5]}', '{"new":[{"a":1},2]}', '{"new":["2024-01-01","x"]}', '{"new":[[]]}',
    '{"new":[true,"x"]}', '{"new":{"a":null}}', '{"new":""}', '{"new":"2024-01-01"}', '{"new":"2024/01/01"}',
    '{"new":"2024-01-01T00:00:00.123456789Z"}', '{"new":"2024"}', '{"new":"12"}',
    '{"new":12345678901234567890}',
    '{"new":1e300}', '{"new":"2024-01-01T10:00:00+02:00"}', '{"new":"2024/01/01 10:00:00"}', '{"new":"1.5"}',
)  # fmt: skip
KINDS = ("term", "match", "match_phrase", "prefix", "wildcard")


def spelled_story(rng: random.Random, index: str, length: int = 40) -> list[Asked]:
    """A story of single documents, each with one or two odd values, and queries with odd values."""
    asked = [Asked("PUT", f"/{index}", created(rng), True)]
    for number in range(length):
        asked.append(wrote(rng, index, number))
        if rng.random() < 0.2:
            asked.append(Asked("GET", f"/{index}/_source/{number}"))
    asked.append(Asked("POST", f"/{index}/_refresh", None, True))
    asked.append(Asked("GET", f"/{index}/_mapping"))
    asked += [Asked("POST", f"/{index}/_search", question(rng)) for _ in range(length * 2)]
    return [*asked, Asked("DELETE", f"/{index}", None, True)]


def created(rng: random.Random) -> Json:
    """The index."""
    properties: Json = {
        "u": {"type": "integer"},
        "k": {"type": "keyword"},
        "ka": {"type": "keyword", "ignore_above": 3},
        "t": {"type": "text"},
        "s": {"type": "text", "fields": {"raw": {"type": "keyword"}}},
        "n": {"type": rng.choice(["long", "integer", "short", "byte"])},
        "f": {"type": rng.choice(["double", "float", "half_float"])},
        "d": {"type": "date"},
        "dn": {"type": "date_nanos"},
        "b": {"type": "boolean"},
        "ip": {"type": "ip"},
        "fl": {"type": "flattened"},
        "o": {"properties": {"p": {"type": "long"}, "q": {"type": "keyword"}}},
        "al": {"type": "alias", "path": "k"},
    }
    for name in ("n", "f", "d", "dn", "ip", "b"):
        if rng.random() < 0.4:
            properties[name]["ignore_malformed"] = True
    if rng.random() < 0.3:
        properties["d"]["format"] = rng.choice(
            ["strict_date_optional_time", "epoch_millis", "epoch_second", "yyyy/MM/dd||epoch_second"]
        )
    mappings: Json = {"properties": properties}
    if rng.random() < 0.3:
        mappings["numeric_detection"] = True
    return {"settings": {"number_of_replicas": 0, "refresh_interval": "-1"}, "mappings": mappings}


def wrote(rng: random.Random, index: str, number: int) -> Asked:
    """One document with odd values."""
    if rng.random() < 0.2:
        return Asked("PUT", f"/{index}/_doc/{number}", rng.choice(SHAPES), may_fail=True)
    parts = [f'"u":{number}']
    for name in rng.sample(sorted(FIELDS), 2):
        parts.append(f'"{name}":{rng.choice(FIELDS[name])}')
    return Asked("PUT", f"/{index}/_doc/{number}", "{" + ",".join(parts) + "}", may_fail=True)


def question(rng: random.Random) -> str:
    """A search for an odd value, or with an odd order or count of a field's values."""
    name = rng.choice([*FIELDS, "al", "s", "s.raw", "fl.a", "o.p", "o.q"])
    values = FIELDS.get(name) or WORDS
    order = f'"sort":[{{"u":"{rng.choice(["asc", "desc"])}"}}],"size":60'
    draw = rng.random()
    if draw < 0.15:
        options = rng.choice(['"asc"', '"desc"', '{"order":"asc","missing":"_first"}', '{"mode":"max"}'])
        return f'{{"sort":[{{"{name}":{options}}},{{"u":"asc"}}],"size":60}}'
    if draw < 0.3:
        kind = rng.choice(["terms", "value_count", "cardinality", "stats", "min", "max"])
        size = ',"size":60' if kind == "terms" else ""
        return f'{{"size":0,"aggs":{{"a":{{"{kind}":{{"field":"{name}"{size}}}}}}}}}'
    if draw < 0.5:
        low, high = rng.choice(["gt", "gte"]), rng.choice(["lt", "lte"])
        bounds = [f'"{side}":{rng.choice(values)}' for side in (low, high) if rng.random() < 0.7]
        return f'{{"query":{{"range":{{"{name}":{{{",".join(bounds)}}}}}}},{order}}}'
    if draw < 0.6:
        listed = ",".join(rng.choice(values) for _ in range(rng.randrange(1, 4)))
        return f'{{"query":{{"terms":{{"{name}":[{listed}]}}}},{order}}}'
    kind = rng.choice(KINDS)
    return f'{{"query":{{"{kind}":{{"{name}":{rng.choice(values)}}}}},{order}}}'
