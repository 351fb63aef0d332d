"""AWS Signature Version 4: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html.

What KMS needs of it alone: POST to one path without a query.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from logging_system.keys.secret import Secret

_ALGORITHM = "AWS4-HMAC-SHA256"


@dataclass(frozen=True, slots=True)
class AwsCredentials:
    """What requests are signed with.

    Attributes:
        access_key: Its public id.
        secret_key: What signs.
        session_token: Goes along where the credentials are temporary; None else.
    """

    access_key: str
    secret_key: Secret = field(repr=False)
    session_token: Secret | None = field(default=None, repr=False)


def signed(
    headers: Mapping[str, str],
    body: bytes,
    credentials: AwsCredentials,
    *,
    region: str,
    service: str,
    now: datetime,
    method: str = "POST",
) -> dict[str, str]:
    """Return the headers with date, session token and signature; all of them are signed.

    Args:
        headers: Those of the request, `Host` among them.
        body: The body as sent.
        credentials: Whose signature.
        region: Such as eu-central-1.
        service: Such as kms.
        now: In UTC.
        method: HTTP method.
    """
    stamp = now.strftime("%Y%m%dT%H%M%SZ")
    sent = {**headers, "X-Amz-Date": stamp}
    if credentials.session_token is not None:
        sent["X-Amz-Security-Token"] = credentials.session_token.reveal().decode("ascii")
    canonical = sorted((name.lower(), " ".join(value.split())) for name, value in sent.items())
    names = ";".join(name for name, _ in canonical)
    lines = "".join(f"{name}:{value}\n" for name, value in canonical)
    request = f"{method}\n/\n\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    to_sign = f"{_ALGORITHM}\n{stamp}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = b"AWS4" + credentials.secret_key.reveal()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
    authorization = (
        f"Credential={credentials.access_key}/{scope}, SignedHeaders={names}, Signature={signature}"
    )
    return {**sent, "Authorization": f"{_ALGORITHM} {authorization}"}
