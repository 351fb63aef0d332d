"""What lies around an application: the store its lines end in, what runs its builds, how it is installed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from harness.onboarding.project_files import SourceFile
from harness.onboarding.seen import Ci, Pipeline, Place, Store

_IMAGE = re.compile(
    r"^\s*image:\s*[\"']?\S*?(elasticsearch|opensearch)[\w.-]*(:\S+)?", re.MULTILINE | re.IGNORECASE
)
# The usual port of either, or a name that says so; a page about Elasticsearch has neither.
_URL = re.compile(
    r"https?://[\w.@:${}-]*?(?:(?P<name>elastic|opensearch)[\w.-]*(?::[0-9]+)?|:(?P<port>9200)\b)",
    re.IGNORECASE,
)
_PAGE = re.compile(r"https?://(www|docs|artifacts)\.|github\.com", re.IGNORECASE)
_STORES_MAX = 5


def stores_in(files: Sequence[SourceFile]) -> tuple[Store, ...]:
    """Return the stores that files name, one a file at most, compose files first."""
    found = [store for file in files if (store := _store(file)) is not None]
    return tuple(sorted(found, key=lambda store: "image" not in store.title)[:_STORES_MAX])


def _store(file: SourceFile) -> Store | None:
    if image := _IMAGE.search(file.text):
        place = Place(file.path, file.line_of(image.start(1)))
        return Store(f"{_maker(image[1])}, by the image of a compose file", place)
    for url in _URL.finditer(file.text):
        if not _PAGE.search(url[0]):
            place = Place(file.path, file.line_of(url.start()))
            return Store(f"{_maker(url['name'] or 'elastic')}, by a URL", place)
    return None


def _maker(word: str) -> str:
    return "OpenSearch" if "opensearch" in word.lower() else "Elasticsearch"


def pipelines_in(files: Sequence[SourceFile]) -> tuple[Pipeline, ...]:
    """Return the files that describe builds, one for each sort of runner."""
    found: dict[Ci, Pipeline] = {}
    for file in files:
        for ci in _runners(file):
            found.setdefault(ci, Pipeline(ci, Place(file.path, 1)))
    return tuple(found.values())


def _runners(file: SourceFile) -> Iterator[Ci]:
    if re.fullmatch(r"\.github/workflows/[^/]+\.ya?ml", file.path):
        yield Ci.GITHUB
    elif file.path == ".gitlab-ci.yml":
        yield Ci.GITLAB
    elif file.path == "Jenkinsfile":
        yield Ci.JENKINS


def install_line(files: Sequence[SourceFile]) -> str:
    """Return the shell line that installs the project and what it needs; "" where no file says so."""
    texts = {file.path: file.text for file in files}
    if "[build-system]" in texts.get("pyproject.toml", "") or "setup.py" in texts:
        return "pip install ."
    return "pip install -r requirements.txt" if "requirements.txt" in texts else ""


def project_name(files: Sequence[SourceFile], folder_name: str) -> str:
    """Return what the project is called, fit for the name of a stack: `pyproject.toml`'s, else the folder's.

    Args:
        files: the project's.
        folder_name: what its folder is called.
    """
    texts = {file.path: file.text for file in files}
    said = re.search(
        r"^\[project\]\s(?:[^\[]*?\n)??name\s*=\s*[\"']([^\"']+)",
        texts.get("pyproject.toml", ""),
        re.MULTILINE,
    )
    plain = re.sub(r"[^a-z0-9]+", "_", (said[1] if said else folder_name).lower()).strip("_")
    return (plain if plain[:1].isalpha() else f"project_{plain}".rstrip("_"))[:40]
