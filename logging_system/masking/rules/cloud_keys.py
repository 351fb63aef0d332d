"""Keys that give access to accounts of cloud providers; formats as the providers document them."""

from __future__ import annotations

from logging_system.masking.placeholders import is_varied
from logging_system.masking.rule import Rule, if_so

_is_random = if_so(is_varied)

CLOUD_KEYS = (
    Rule(
        name="aws_access_key",
        what="Access key ids of AWS",
        gate=(r"(?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}",),
        pattern=r"(?:^|[^A-Za-z0-9])((?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16})\b",
        judge=_is_random,
        examples=(
            "key «AKIAIOSFODNN7EXAMPLE» used",
            "\x1b[31mERROR\x1b[0m \x1b[1m«AKIAIOSFODNN7EXAMPLE»\x1b[0m",
            r"\x1b[1m«AKIAIOSFODNN7EXAMPLE»\x1b[0m",
        ),
        counterexamples=("AKIAXXXXXXXXXXXXXXXX", "AKIA is a prefix", "AKIAIOSFODNN7EXAMPLES"),
    ),
    Rule(
        name="aws_secret_key",
        what="Secret keys of AWS behind the id that they belong to, as files of credentials list them",
        gate=(r"A[KS]IA[A-Z2-7]{16}[^A-Za-z0-9]{1,8}t?[A-Za-z0-9+/]{40}",),
        pattern=r"A[KS]IA[A-Z2-7]{16}[\"']?[\s,:;|/]{1,3}[\"']?([A-Za-z0-9+/]{40})(?:[^A-Za-z0-9+/=]|$)",
        judge=_is_random,
        examples=("AKIAIOSFODNN7EXAMPLE,«wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY»",),
        counterexamples=("AKIAIOSFODNN7EXAMPLE, version 17",),
    ),
    Rule(
        name="gcp_api_key",
        what="API keys of Google Cloud",
        gate=(r"AIza[0-9A-Za-z_-]{35}",),
        pattern=r"(?:^|[^A-Za-z0-9_-])(AIza[0-9A-Za-z_-]{35})(?:[^A-Za-z0-9_-]|$)",
        judge=_is_random,
        examples=("key=«AIzaSyB1c2D3e4F5g6H7i8J9k0L1m2N3o4P5q6R»&x",),
        counterexamples=("AIza", "AIzaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
    ),
    Rule(
        name="gcp_oauth_token",
        what="OAuth access tokens and client secrets of Google",
        # Without the 1 before the last: so many numbers have one that it would cost every record.
        gate=(r"ya29\.[0-9A-Za-z_-]{20}", r"GOCSPX-[0-9A-Za-z_-]{20}", r"//0[0-9A-Za-z_-]{20}"),
        pattern=r"(?:^|[^A-Za-z0-9_-])(ya29\.[0-9A-Za-z_.-]{20,}|GOCSPX-[0-9A-Za-z_-]{20,40}|1//0[0-9A-Za-z_-]{30,})",
        judge=_is_random,
        examples=(
            "token «ya29.a0AfH6SMBx1y2z3A4b5C6d7E8f9»",
            "«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»",
        ),
        counterexamples=("ya29.short", "GOCSPX-"),
    ),
    Rule(
        name="azure_storage_key",
        what="Account keys of Azure: base64 of 64 bytes",
        gate=(r"[A-Za-z0-9+/](?:==|%3[dD]%3[dD]|\\\\u003[dD])",),
        pattern=r"(?:^|[^A-Za-z0-9+/])((?:[A-Za-z0-9+/]|%2[BFbf]|\\/){86}(?:==|%3[dD]%3[dD]|(?:\\u003[dD]){2}))",
        judge=_is_random,
        examples=(
            "«" + "Zm9vYmFyYmF6cXV4MDEyMzQ1" * 3 + "Njc4OWFiY2RlZg" + "==»",
            "«" + "Zm9vYmFyYmF6cXV4MDEyMzQ1" * 3 + "Njc4OWFiY2RlZg" + "%3D%3D»",
        ),
        counterexamples=("A" * 86 + "==",),
    ),
    Rule(
        name="azure_client_secret",
        what="Client secrets of Microsoft Entra ID",
        gate=(r"Q~[A-Za-z0-9_~.-]{31}",),
        pattern=r"(?:^|[^A-Za-z0-9_~.-])([A-Za-z0-9_~.]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34})(?:[^A-Za-z0-9_~.-]|$)",
        judge=_is_random,
        examples=("secret «abc8Q~dEfGhIjKlMnOpQrStUvWxYz0123456789»",),
        counterexamples=("abc8Q~short",),
    ),
    Rule(
        name="azure_sas",
        what="Signatures of Azure's shared access URLs",
        gate=(r"sig=[A-Za-z0-9%+/]{20}",),
        pattern=r"(?:[?&;]|\\u0026)sig=([A-Za-z0-9%+/=_-]{20,})",
        judge=_is_random,
        examples=("?sv=2022-11-02&sig=«a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0u1V%3D»&se=x",),
        counterexamples=("sig=11", "design=aaaaaaaaaaaaaaaaaaaaaaaaa"),
    ),
    Rule(
        name="digitalocean_token",
        what="Tokens of DigitalOcean",
        gate=(r"do[opr]_v1_[a-f0-9]{64}",),
        pattern=r"\b(do[opr]_v1_[a-f0-9]{64})\b",
        judge=_is_random,
        examples=("«dop_v1_" + "0123456789abcdef" * 4 + "»",),
        counterexamples=("dop_v1_short",),
    ),
    Rule(
        name="databricks_token",
        what="Tokens of Databricks",
        gate=(r"dapi[a-f0-9]{32}",),
        pattern=r"\b(dapi[a-f0-9]{32}(?:-[0-9])?)\b",
        judge=_is_random,
        examples=("«dapi0123456789abcdef0123456789abcdef»",),
        counterexamples=("dapi0123",),
    ),
    Rule(
        name="vault_token",
        what="Tokens of HashiCorp Vault",
        gate=(r"hv[sbr]\.[A-Za-z0-9_-]{24}",),
        pattern=r"\b(hv[sbr]\.[A-Za-z0-9_-]{24,})",
        judge=_is_random,
        examples=("«hvs.CAESIJ1a2b3c4d5e6f7g8h9i0j1k»",),
        counterexamples=("hvs.short",),
    ),
)
