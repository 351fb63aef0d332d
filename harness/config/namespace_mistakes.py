"""What no single value of a stack file's `namespaces` shows: who would not be told apart, or not be asked."""

from __future__ import annotations

from collections.abc import Mapping

from harness.config.yaml_source import KeyPath, Mistake, mapping_or_empty, texts_in
from harness.deployments.placeholders import placeholder_names
from harness.load.intakes.http import TENANT

TENANT_PLACEHOLDER = "tenant"


def namespace_mistakes(data: Mapping[str, object]) -> list[Mistake]:
    """Return what is wrong with the promise of namespaces in the data of a stack file."""
    intake = mapping_or_empty(data.get("intake"))
    if "namespaces" not in data:
        unused = "tenant_extra" in intake and intake.get("kind") == "python_logging"
        said = 'is used only with "namespaces", which says who the tenants are. Add it.'
        return [Mistake(("intake", "tenant_extra"), said)] if unused else []
    namespaces = mapping_or_empty(data.get("namespaces"))
    return [*_sending_mistakes(intake), *_reading_mistakes(namespaces), *_answer_mistakes(data)]


def _sending_mistakes(intake: Mapping[str, object]) -> list[Mistake]:
    """A record that says nowhere whose it is cannot be kept apart."""
    where: KeyPath = ("intake", "kind")
    kind = intake.get("kind")
    if kind == "python_logging" and not intake.get("tenant_extra"):
        return [Mistake(where, 'sends no tenant. Add e.g. "tenant_extra: namespace".')]
    if kind == "http" and not any(TENANT in text for _, text in texts_in(dict(intake), ())):
        return [Mistake(where, f'sends no tenant. Write "{TENANT}" in a header or in the template.')]
    if kind not in {"python_logging", "http"}:
        return [Mistake(where, "sends no tenant. Use python_logging or http.")]
    return []


def _reading_mistakes(namespaces: Mapping[str, object]) -> list[Mistake]:
    """Every tenant reads something else."""
    reads = mapping_or_empty(namespaces.get("reads"))
    texts = [text for _, text in texts_in(dict(reads), ())]
    mistakes = []
    said = 'names the same for every tenant. Write "{tenant}" where the tenant stands.'
    if reads and not any(TENANT_PLACEHOLDER in placeholder_names(text) for text in texts):
        mistakes.append(Mistake(("namespaces", "reads"), said))
    shows = namespaces.get("shows")
    if isinstance(shows, str) and TENANT_PLACEHOLDER not in placeholder_names(shows):
        mistakes.append(Mistake(("namespaces", "shows"), said))
    return mistakes


def _answer_mistakes(data: Mapping[str, object]) -> list[Mistake]:
    answers = mapping_or_empty(data.get("answers"))
    if not answers:
        return []
    if answers.get("own_namespace"):
        said = 'is for a run whose records are all of one namespace; "namespaces" names several. Remove it.'
        return [Mistake(("answers", "own_namespace"), said)]
    if not answers.get("namespace"):
        return [Mistake(("answers",), 'lacks "namespace": which tenant an answer is about. Add its path.')]
    return []
