"""Texts of templates that findings name are kept, and of very many the oldest are given up."""

from __future__ import annotations

from logging_system.coordination.detection.template_texts import TEXTS_MAX, TemplateTexts
from logging_system.coordination.detection.templates import MaskedTemplates


def test_a_text_that_its_learner_has_forgotten_is_still_known() -> None:
    texts = TemplateTexts()
    texts.note(["a"], {"a": "payment <*>"}.get)
    texts.note(["a", "b"], lambda _template_id: None)

    assert (texts.text("a"), texts.text("b")) == ("payment <*>", None)


def test_of_more_texts_than_fit_the_oldest_is_given_up() -> None:
    texts = TemplateTexts()
    texts.note(map(str, range(TEXTS_MAX)), str)
    texts.note(["0", "new"], str)

    assert (texts.text("0"), texts.text("1"), texts.text("new")) == ("0", None, "new")
    assert len(texts.content()) == TEXTS_MAX


def test_the_text_of_a_line_that_goes_on_fits_what_follows_it() -> None:
    learner = MaskedTemplates()
    alone, cut = learner.learn("job 7 failed"), learner.learn("job 8 failed\nfor a reason")

    assert alone.template_id == cut.template_id
    assert learner.text(alone.template_id) == "job <*> failed<*>"
