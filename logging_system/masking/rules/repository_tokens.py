"""Tokens of source repositories and of package registries; formats as they document them."""

from __future__ import annotations

from logging_system.masking.placeholders import is_varied
from logging_system.masking.rule import Rule, if_so

_is_random = if_so(is_varied)

REPOSITORY_TOKENS = (
    Rule(
        name="github_token",
        what="Tokens of GitHub",
        gate=(r"gh[pousr]_[A-Za-z0-9]{36}", r"github_pat_[A-Za-z0-9_]{22}"),
        pattern=r"(?:^|[^A-Za-z0-9_])(gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,})",
        judge=_is_random,
        examples=(
            "https://«ghp_0123456789abcdefghijABCDEFGHIJ012345»@github.com",
            "«github_pat_11ABCDEFG0abcdefghijkl_mnopqrstuvwxyz»",
        ),
        counterexamples=("ghp_short", "ghp_" + "x" * 36, "graph_0123456789abcdefghijABCDEFGHIJ012345"),
    ),
    Rule(
        name="gitlab_token",
        what="Tokens of GitLab",
        gate=(r"gl[a-z]{2,5}-[A-Za-z0-9_=-]{20}", r"GR1348941[A-Za-z0-9_-]{20}"),
        pattern=r"(?:^|[^A-Za-z0-9_-])(gl(?:pat|dt|rt|ft|soat|cbt|ptt|imt|agent|oas|ffct|at|lt|wt)-(?:[0-9a-z]_)?"
        r"[A-Za-z0-9_=.-]{20,}|GR1348941[A-Za-z0-9_-]{20,})",
        judge=_is_random,
        examples=("«glpat-0123456789abcdefghij»", "PRIVATE: «glrt-0123456789abcdefghij»"),
        counterexamples=("glpat-short", "glitch-0123456789abcdefghij", "glpat-xxxxxxxxxxxxxxxxxxxx"),
    ),
    Rule(
        name="npm_token",
        what="Tokens of npm",
        gate=(r"npm_[A-Za-z0-9]{36}",),
        pattern=r"(?:^|[^A-Za-z0-9_])(npm_[A-Za-z0-9]{36,})",
        judge=_is_random,
        examples=("//registry/:_authToken=«npm_0123456789abcdefghijABCDEFGHIJ012345»",),
        counterexamples=("npm_config_registry", "npm_lifecycle_event"),
    ),
    Rule(
        name="pypi_token",
        what="Tokens of PyPI",
        gate=(r"pypi-[A-Za-z0-9_-]{50}",),
        pattern=r"(?:^|[^A-Za-z0-9_-])(pypi-[A-Za-z0-9_-]{50,})",
        judge=_is_random,
        examples=("«pypi-AgEIcHlwaS5vcmcCJDAxMjM0NTY3LTg5YWItY2RlZi0wMTIzLTQ1Njc4OWFi»",),
        counterexamples=("pypi-server", "pypi-AgEIcHlwaS5vcmc"),
    ),
    Rule(
        name="rubygems_token",
        what="Keys of RubyGems",
        gate=(r"rubygems_[a-f0-9]{48}",),
        pattern=r"\b(rubygems_[a-f0-9]{48})\b",
        judge=_is_random,
        examples=("«rubygems_" + "0123456789abcdef" * 3 + "»",),
        counterexamples=("rubygems_mirror",),
    ),
    Rule(
        name="docker_token",
        what="Access tokens of Docker Hub",
        gate=(r"dckr_(?:pat|oat)_[A-Za-z0-9_-]{20}",),
        pattern=r"\b(dckr_(?:pat|oat)_[A-Za-z0-9_-]{20,})",
        judge=_is_random,
        examples=("«dckr_pat_a1B2c3D4e5F6g7H8i9J0k1L2m3N»",),
        counterexamples=("dckr_pat_x",),
    ),
)
