"""Posts the finding to a URL of yours."""

from __future__ import annotations

import os
from typing import Annotated, Literal

import orjson
from pydantic import AfterValidator, Field

from logging_system.coordination.finding_content import content_of
from logging_system.coordination.findings import Finding
from logging_system.coordination.workflows.steps.declared import DeclaredStep, EffectError, Occasion
from logging_system.coordination.workflows.steps.http_call import plain_url, status_of

_Url = Annotated[str, AfterValidator(plain_url)]
_DONE, _NOT_DONE = range(200, 300), frozenset({404, 410})
_CERTAINLY_NOT = range(400, 500)


class Webhook(DeclaredStep):
    """Posts `{key, token, run, finding}`; the headers `idempotency-key` and `fencing-token` say the same.

    The receiver may take a key once only, and refuse a token below one that it has seen. 2xx is done; 4xx is
    not done; whatever else is not known, and `check_url` is asked. Undone: `undo_url` gets the same body.
    """

    kind: Literal["webhook"] = Field("webhook", description="The kind.")
    url: _Url = Field(description="Where to post.")
    check_url: _Url | None = Field(
        None,
        description="Where to ask by GET, with the same headers, whether a key was done: 2xx yes, 404 no. "
        "Without it a person is asked after a crash.",
    )
    undo_url: _Url | None = Field(None, description="Where to post what undoes it.")
    authorization_environment: str | None = Field(
        None, min_length=1, description="Environment variable with what the header `Authorization` says."
    )
    touches_names: tuple[str, ...] = Field(
        (), description="What it changes, by names of yours: two runs with the same name never run at once."
    )

    @property
    def is_local(self) -> bool:
        """Return False: nobody here knows what the receiver does."""
        return False

    @property
    def is_undoable(self) -> bool:
        """Return whether there is a URL for it."""
        return self.undo_url is not None

    def says(self, finding: Finding) -> str:
        """Say where is posted."""
        del finding
        return f"post the finding to {self.url}"

    def touches(self, finding: Finding) -> tuple[str, ...]:
        """Name what the file says."""
        del finding
        return tuple(f"name:{each}" for each in self.touches_names)

    def do(self, occasion: Occasion) -> None:
        """Post."""
        self._post(self.url, occasion)

    def was_done(self, occasion: Occasion) -> bool | None:
        """Return what `check_url` says: 2xx yes, 404 and 410 no; None for another status, or without it."""
        if self.check_url is None:
            return None
        status = status_of("GET", self.check_url, b"", self._headers(occasion), self.timeout_seconds)
        if status in _DONE:
            return True
        return False if status in _NOT_DONE else None

    def undo(self, occasion: Occasion) -> None:
        """Post to `undo_url`."""
        if self.undo_url is not None:
            self._post(self.undo_url, occasion)

    def _post(self, url: str, occasion: Occasion) -> None:
        body = orjson.dumps(
            {
                "key": occasion.key,
                "token": occasion.token,
                "run": occasion.run_id,
                "finding": content_of(occasion.finding),
            }
        )
        status = status_of("POST", url, body, self._headers(occasion), self.timeout_seconds)
        if status not in _DONE:
            raise EffectError(
                f"the receiver answered {status}", may_have_happened=status not in _CERTAINLY_NOT
            )

    def _headers(self, occasion: Occasion) -> dict[str, str]:
        headers = {
            "content-type": "application/json",
            "user-agent": "logging_system",
            "idempotency-key": occasion.key,
            "fencing-token": str(occasion.token),
        }
        if self.authorization_environment is not None:
            value = os.environ.get(self.authorization_environment, "").strip()
            if not value or not value.isprintable():
                raise EffectError(f"the environment variable {self.authorization_environment} is not set")
            headers["authorization"] = value
        return headers
