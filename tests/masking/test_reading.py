"""What others wrote is labelled as they meant it; a verdict is told without rounding anything away."""

from __future__ import annotations

import json

import pytest

from tests.masking.competitors import CHUNK_TEXTS, COMPETITORS, DETECT_SECRETS, CannotScanError, spans_of
from tests.masking.competitors.detect_secrets_spans import places
from tests.masking.foreign import gitleaks, loghub, presidio
from tests.masking.judge import Score, Span, judge
from tests.masking.labelled import KINDS, Line, Secret
from tests.masking.maskers import between
from tests.masking.report import comparison, missed, ratio, strayed, table

LINE = Line("password=hunter2 for anna", (Secret(9, 16, "password", 0, 16),), "literal")


def test_a_true_example_of_gitleaks_is_labelled_by_what_its_rule_takes(tmp_path):
    examples = tmp_path / "examples.jsonl"
    examples.write_text(
        json.dumps({"rule": "github-pat", "text": 'x = "ghp_abc"', "true": True, "secrets": ["ghp_abc"]})
        + "\n"
        + json.dumps({"rule": "github-pat", "text": "ghp_xxx", "true": False, "secrets": None}),
        encoding="utf-8",
    )

    true, false = gitleaks.examples(examples)

    assert [(it.start, it.end, it.kind) for it in true.secrets] == [(5, 12, "github_token")]
    assert (false.secrets, false.resembles) == ((), "github_token")
    assert gitleaks.kind(true) == gitleaks.kind(false) == "github_token"


@pytest.mark.parametrize(
    ("rule", "text", "secret", "sensitive"),
    [
        ("sidekiq-sensitive-url", "http://user:pass1@host", "user:pass1", "pass1"),
        ("curl-auth-user", "curl -u me:hunter2 x", "me:hunter2", "hunter2"),
        ("curl-auth-user", "curl -u me:'hunter2' x", "me:'hunter2'", "hunter2"),
        ("curl-auth-user", "curl -u \":hunter2\" x", ":hunter2\"", "hunter2"),
        ("hashicorp-tf-password", 'password = "hunter2"', '"hunter2"', "hunter2"),
        ("gitlab-session-cookie", "_gitlab_session=abc", "_gitlab_session=abc", "abc"),
        ("slack-webhook-url", "http://hooks.slack.com/T", "http://hooks.slack.com/T", "T"),
        ("some-service-key", "key=abc", "abc", "abc"),
    ],
)  # fmt: skip
def test_what_tells_nothing_is_left_out_of_a_label(rule, text, secret, sensitive):
    (label,) = gitleaks.labelled(rule, text, [secret]).secrets

    assert text[label.start : label.end] == sensitive
    assert label.reach_start <= text.find(secret)


def test_every_rule_of_gitleaks_that_is_claimed_stands_for_a_kind_of_ours():
    assert set(gitleaks.RULES.values()) <= set(KINDS)


def test_every_kind_that_a_competitor_claims_is_one_of_ours():
    assert all(set(it.claims) <= set(KINDS) for it in COMPETITORS)


def test_a_reported_value_is_located_wherever_it_stands():
    assert places("a+b a+b", "a+b", "Rule") == [(0, 3, "Rule"), (4, 7, "Rule")]


def test_presidio_labels_our_kinds_and_leaves_persons_innocent(tmp_path):
    (tmp_path / "set.json").write_text(
        json.dumps(
            [
                {
                    "full_text": "Ana: a@b.org",
                    "spans": [
                        {"entity_type": "PERSON", "start_position": 0, "end_position": 3},
                        {"entity_type": "EMAIL_ADDRESS", "start_position": 5, "end_position": 12},
                    ],
                }
            ]
        ),
        encoding="utf-8",
    )

    (line,) = presidio.texts(tmp_path)

    assert [(it.start, it.end, it.kind) for it in line.secrets] == [(5, 12, "email")]


def test_a_changed_line_of_a_real_log_is_a_stray_of_its_set(tmp_path):
    (tmp_path / "HDFS.log").write_text("one line\nanother\n", encoding="utf-8")

    verdict = judge(loghub.lines(tmp_path), lambda text: [Span(0, 3, "rule")] if text == "another" else [])

    assert (verdict.scores["HDFS"].innocent, verdict.scores["HDFS"].strayed) == (2, 1)


def test_masks_in_a_text_are_read_back_as_spans():
    assert between("a=1234 b=77", "a=[masked:one] b=[masked:two:77]") == [
        Span(2, 6, "one"),
        Span(9, 11, "two"),
    ]
    assert between("a=1234", "a=[masked:one:error]") == [Span(2, 6, "one")]
    assert between("a=1234", "b=[masked:one]") is None


def test_a_ratio_is_cut_and_never_rounded_up_to_one():
    assert ratio(0.99999) == "0.9999"
    assert ratio(None) == "-"
    assert ratio(1.0) == "1.0000"


def test_f1_counts_misses_and_strays_alike():
    score = Score(planted=10, found=8, strayed=2)

    assert score.precision() == 0.8
    assert score.recall() == 0.8
    assert score.f1() == 0.8


def test_a_report_names_the_counts_the_missed_and_the_strayed():
    verdict = judge([LINE], lambda text: [Span(9, 15, "half"), Span(21, 25, "name")])

    told = "\n".join([*table("half", verdict), *missed(verdict, 1), *strayed(verdict, 1)])

    assert "half: 1 lines" in told
    assert "missed password: 1\n  left '2' in password=hunter2 for anna" in told
    assert "strayed password: 1\n  took 'anna' as half, name in password=hunter2 for anna" in told


def test_a_comparison_credits_a_detector_for_what_it_touches():
    verdict = judge([LINE], lambda text: [Span(9, 15, "half")])

    table = list(comparison({"strict": (verdict, False), "detecting": (verdict, True)}, ("password",)))

    assert table == [
        "| kind | secrets | strict | detecting |",
        "| --- | ---: | ---: | ---: |",
        "| password | 1 | 0.0000 | 1.0000 |",
        "| all kinds | 1 | 0.0000 | 1.0000 |",
    ]


def test_a_tool_is_given_many_texts_at_once_and_none_twice(tmp_path):
    texts = [f"password=hunter{number}" for number in range(CHUNK_TEXTS + 1)]
    scanned: list[int] = []
    told: list[str] = []

    def scan(competitor, some):
        scanned.append(len(some))
        return json.dumps([[[9, len(text), competitor.name]] for text in some])

    first = spans_of(DETECT_SECRETS, texts, told.append, scan=scan, kept=tmp_path)
    again = spans_of(DETECT_SECRETS, [*texts, "x"], told.append, scan=scan, kept=tmp_path)

    assert first(texts[0]) == again(texts[0]) == [Span(9, 16, DETECT_SECRETS.name)]
    assert scanned == [CHUNK_TEXTS, 1, 2]  # the second time only what is new
    assert told[:2] == [f"detect-secrets 1.5.0: {CHUNK_TEXTS} of {CHUNK_TEXTS + 1} lines", told[1]]
    assert len(told) == 4


def test_a_tool_that_answers_for_another_number_of_texts_is_not_believed(tmp_path):
    with pytest.raises(CannotScanError, match="answered for 0 of 1 texts"):
        spans_of(DETECT_SECRETS, ["x"], lambda _done: None, scan=lambda _tool, _texts: "[]", kept=tmp_path)
