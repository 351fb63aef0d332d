"""Passwords in URLs and in the names of data sources."""

from __future__ import annotations

from logging_system.masking.placeholders import is_placeholder
from logging_system.masking.rule import Rule, if_so


def _is_password(value: str) -> bool:
    return not is_placeholder(value)


URL_PASSWORDS = (
    Rule(
        name="url_password",
        what="Passwords before the host of a URL: `scheme://user:password@host`",
        gate=(r'://[^ @"]*:[^ "]*@',),
        pattern=r"""[A-Za-z][A-Za-z0-9+.-]{0,30}://[^\s:/?#"'<>@\[]{0,200}:([^\s/?#"'<>]{1,400})@[^\s@]""",
        judge=if_so(_is_password),
        examples=(
            "postgres://app:«s3cr3t»@db.example.com:5432/shop",
            "redis://:«hunter2»@cache:6379/0",
            "amqp://u:«p@ss»@mq, again",
        ),
        counterexamples=(
            "http://localhost:9200/_bulk",
            "http://host:8080/x?mail=a@localhost",
            "postgres://app:${DB_PASSWORD}@db/shop",
            "https://user@host/",
        ),
    ),
    Rule(
        name="dsn_password",
        what="Passwords in data source names without a scheme: `user:password@tcp(host:3306)/db`",
        gate=(r"@(?:tcp|unix|udp)\(",),
        pattern=r"""(?:^|[^\w.-])[\w.-]{1,64}:([^\s"'<>]{1,200})@(?:tcp|unix|udp)\(""",
        judge=if_so(_is_password),
        examples=("dsn shop:«s3cr3t»@tcp(db:3306)/shop",),
        counterexamples=("shop@tcp(db:3306)/shop",),
    ),
)
