from __future__ import annotations

from logging_system.analytics.cache.keys import Scope, canonical, identity_of, question_key

BODY = {"size": 0, "query": {"term": {"level": "error"}}}
SCOPE = Scope("shop", identity_of("token a"))


def test_the_order_of_keys_makes_no_other_question() -> None:
    assert canonical({"a": 1, "b": {"c": 2, "d": 3}}) == canonical({"b": {"d": 3, "c": 2}, "a": 1})


def test_the_order_of_a_sort_makes_another_question() -> None:
    assert canonical({"sort": {"a": "asc", "b": "asc"}}) != canonical({"sort": {"b": "asc", "a": "asc"}})


def test_another_identity_namespace_target_or_body_is_another_question() -> None:
    keys = {
        question_key(SCOPE, "logs-a-shop", BODY),
        question_key(Scope("shop", identity_of("token b")), "logs-a-shop", BODY),
        question_key(Scope("bank", SCOPE.identity), "logs-a-shop", BODY),
        question_key(SCOPE, "logs-b-shop", BODY),
        question_key(SCOPE, "logs-a-shop", {**BODY, "size": 1}),
    }

    assert len(keys) == 5


def test_parts_do_not_run_together() -> None:
    assert question_key(Scope("a", "bc"), "t", BODY) != question_key(Scope("ab", "c"), "t", BODY)


def test_an_identity_does_not_tell_the_token() -> None:
    assert "secret" not in identity_of("secret")
    assert identity_of("secret") == identity_of("secret") != identity_of("other")
