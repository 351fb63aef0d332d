"""Posts messages to a URL: signed as Standard Webhooks has it, in the form that the receiver wants.

What an answer means: 2xx took it; 400, 413 and 422 will never take this message; everything else may pass, as
an operator mends a token or a path, and is tried again, with `Retry-After` obeyed.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

import orjson
from pydantic import AfterValidator, Field, model_validator

from logging_system.alerting.channels.declared import (
    DeclaredChannel,
    HeaderText,
    SecretError,
    SecretPlace,
    Sender,
)
from logging_system.alerting.channels.http_posting import HttpTarget, PostedAnswer, PostingError
from logging_system.alerting.channels.webhook_formats import FORMATS, Format, pagerduty
from logging_system.alerting.messages import Letter
from logging_system.alerting.outbox import NotNow, Outcome, Refused, Taken

_REFUSING = frozenset({400, 413, 422})
_SECRET_PREFIX = "whsec_"  # noqa: S105 - what secrets of Standard Webhooks begin with


def _plain_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or not url.isprintable():
        raise ValueError("must be a URL such as https://alerts.example/hook")
    if parts.username is not None or parts.password is not None:
        raise ValueError("holds a user or password; give a token as a secret: `authorization: {file: …}`")
    return url


class Webhook(DeclaredChannel):
    """A URL that messages are posted to."""

    kind: Literal["webhook"] = Field("webhook", description="The kind.")
    format: Format = Field("generic", description="What the body looks like.")
    url: Annotated[str, AfterValidator(_plain_url)] | None = Field(
        None, description="Where to post; where the URL itself is secret, as Slack's is, give `secret_url`."
    )
    secret_url: SecretPlace | None = Field(None, description="Where the URL is, if it is secret.")
    signing_secret: SecretPlace | None = Field(
        None, description="What `webhook-signature` is made with (Standard Webhooks, HMAC-SHA256)."
    )
    authorization: SecretPlace | None = Field(
        None, description="What the header `Authorization` says, such as `Bearer …`."
    )
    routing_key: SecretPlace | None = Field(None, description="PagerDuty's integration key.")
    headers: dict[HeaderText, HeaderText] = Field({}, description="Further headers; no secrets.")
    ca_certs: Path | None = Field(
        None, description="PEM file of the authorities that may sign the receiver's certificate."
    )

    @model_validator(mode="after")
    def _is_complete(self) -> Webhook:
        if self.format == "pagerduty":
            if self.routing_key is None:
                raise ValueError("routing_key is missing; PagerDuty knows a service by it")
        elif (self.url is None) == (self.secret_url is None):
            raise ValueError("name either url or secret_url")
        return self

    def senders(self) -> Mapping[str, Sender]:
        """Return what posts."""
        return {self.name: WebhookSender(self)}


class WebhookSender:
    """Posts letters.

    Args:
        declared: Where, and how.
        wall_clock: Seconds since 1970, for the signature.
    """

    def __init__(self, declared: Webhook, *, wall_clock: Callable[[], float] = time.time) -> None:
        self._declared = declared
        self._wall_clock = wall_clock

    def send(self, letter: Letter) -> Outcome:
        """Post a letter; one of several bodies that fails makes all be sent again, with the same keys."""
        declared = self._declared
        try:
            target = HttpTarget(self._url(), declared.timeout_seconds, declared.ca_certs)
            routing = {} if declared.routing_key is None else {"routing_key": declared.routing_key.read()}
            for number, content in enumerate(FORMATS[declared.format](letter)):
                body = orjson.dumps({**routing, **content})
                key = letter.notification.key + (f"-{number}" if number else "")
                outcome = self._outcome(target.post(body, self._headers(key, body)))
                if not isinstance(outcome, Taken):
                    return outcome
        except PostingError as error:
            return NotNow(str(error), may_have_arrived=error.may_have_arrived)
        except (SecretError, ValueError) as error:
            return NotNow(str(error))
        return Taken()

    def _url(self) -> str:
        declared = self._declared
        if declared.secret_url is not None:
            try:
                return _plain_url(declared.secret_url.read())
            except SecretError:
                raise
            except ValueError:
                raise ValueError("what secret_url names is no URL") from None
        return declared.url or pagerduty.URL

    def _headers(self, key: str, body: bytes) -> dict[str, str]:
        declared = self._declared
        moment = str(int(self._wall_clock()))
        headers = {
            **declared.headers,
            "content-type": "application/json",
            "user-agent": "logging_system",
            "webhook-id": key,
            "webhook-timestamp": moment,
        }
        if declared.signing_secret is not None:
            headers["webhook-signature"] = signature(declared.signing_secret.read(), key, moment, body)
        if declared.authorization is not None:
            headers["authorization"] = _one_line(declared.authorization.read())
        return headers

    def _outcome(self, answer: PostedAnswer) -> Outcome:
        if 200 <= answer.status < 300:
            return Taken()
        reason = f"the receiver answered {answer.status}"
        if answer.status in _REFUSING:
            return Refused(reason)
        return NotNow(reason, after_seconds=self._after_seconds(answer.retry_after))

    def _after_seconds(self, retry_after: str) -> float | None:
        if not retry_after:
            return None
        if retry_after.isdecimal():
            return float(retry_after[:9])
        try:
            return parsedate_to_datetime(retry_after).timestamp() - self._wall_clock()
        except (ValueError, OverflowError):
            return None


def signature(secret: str, key: str, moment: str, body: bytes) -> str:
    """Return the header `webhook-signature` of a message.

    Args:
        secret: As the receiver has it; one that begins with `whsec_` is base64 of the key.
        key: The header `webhook-id`.
        moment: The header `webhook-timestamp`.
        body: The bytes of the body.

    Raises:
        ValueError: The secret is no base64 though it begins as such.
    """
    if secret.startswith(_SECRET_PREFIX):
        try:
            signing_key = base64.b64decode(secret.removeprefix(_SECRET_PREFIX), validate=True)
        except ValueError:
            raise ValueError("signing_secret begins with whsec_ and is no base64") from None
    else:
        signing_key = secret.encode()
    digest = hmac.new(
        signing_key, b"%s.%s.%s" % (key.encode(), moment.encode(), body), hashlib.sha256
    ).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def _one_line(text: str) -> str:
    if not text.isprintable():
        raise ValueError("a secret for a header must be on one line")
    return text
