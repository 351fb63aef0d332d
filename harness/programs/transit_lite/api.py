"""The HTTP API: Vault's own paths for what is here, an error for the rest, and the faults below /lite/."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Awaitable, Callable, Mapping

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from harness.programs.serving import BrowserStop
from harness.programs.transit_lite.errors import ApiError, bad_request
from harness.programs.transit_lite.keys import SYMMETRIC, TransitKey, from_base64
from harness.programs.transit_lite.vault import Vault

BODY_BYTES_MAX = 1024 * 1024
ANSWERS = ("honest", "garbage", "empty", "foreign", "wrong_key")
"""How the engine answers: as it is; bytes that are no JSON; nothing; JSON that is not Vault's; and with
plaintexts that are not those that were encrypted."""
_NAME = r"{name:str}"
_NAME_FORM = re.compile(r"\w(([\w.-]+)?\w)?", re.ASCII)
_GARBAGE_BYTES = 256

_Body = Mapping[str, object]
_Handler = Callable[[Request], Awaitable[Response]]


class Api:
    """One method a route."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._answers = ANSWERS[0]

    def application(self) -> ASGIApp:
        """The whole API as an ASGI application."""
        key = f"/v1/transit/keys/{_NAME}"
        routes: list[tuple[str, list[str], _Handler]] = [
            ("/v1/sys/health", ["GET"], self.health),
            ("/v1/sys/seal-status", ["GET"], self.seal_status),
            ("/v1/sys/seal", ["PUT", "POST"], self.seal),
            ("/v1/sys/unseal", ["PUT", "POST"], self.unseal),
            ("/v1/auth/token/create", ["PUT", "POST"], self.create_token),
            ("/v1/auth/token/revoke", ["PUT", "POST"], self.revoke_token),
            ("/v1/auth/token/lookup-self", ["GET"], self.look_up_token),
            ("/v1/transit/keys", ["LIST"], self._engine(self.list_keys)),
            (key, ["GET"], self._engine(self.read_key)),
            (key, ["PUT", "POST"], self._engine(self.create_key)),
            (key, ["DELETE"], self._engine(self.delete_key)),
            (f"{key}/config", ["PUT", "POST"], self._engine(self.configure)),
            (f"{key}/rotate", ["PUT", "POST"], self._engine(self.rotate)),
            (f"{key}/trim", ["PUT", "POST"], self._engine(self.trim)),
            (f"/v1/transit/encrypt/{_NAME}", ["PUT", "POST"], self._engine(self.encrypt)),
            (f"/v1/transit/decrypt/{_NAME}", ["PUT", "POST"], self._engine(self.decrypt)),
            (f"/v1/transit/rewrap/{_NAME}", ["PUT", "POST"], self._engine(self.rewrap)),
            ("/lite/answers", ["PUT"], self.set_answers),
            ("/lite/expire_tokens", ["POST"], self.expire_tokens),
        ]
        application = Starlette(
            routes=[_route(path, methods, handler) for path, methods, handler in routes],
            exception_handlers={ApiError: _api_error, HTTPException: _no_route},
        )
        application.router.redirect_slashes = False
        return BrowserStop(application)

    # --- the seal and tokens ------------------------------------------------------------------------------

    async def health(self, request: Request) -> Response:
        """200, or 503 while sealed."""
        sealed = self._vault.is_sealed
        return _json({"initialized": True, "sealed": sealed, "standby": False}, 503 if sealed else 200)

    async def seal_status(self, request: Request) -> Response:
        """Whether it is sealed."""
        return _json({"sealed": self._vault.is_sealed, "t": 1, "n": 1, "progress": 0})

    async def seal(self, request: Request) -> Response:
        """Seal it."""
        self._allow(request)
        self._vault.seal()
        return Response(status_code=204)

    async def unseal(self, request: Request) -> Response:
        """Unseal it; asks for no token."""
        body = await _body(request, {"key"})
        self._vault.unseal(_text(body, "key", ""))
        return await self.seal_status(request)

    async def create_token(self, request: Request) -> Response:
        """Make a token with a time to live."""
        self._allow(request)
        body = await _body(request, {"ttl", "renewable"})
        seconds = _seconds(body.get("ttl", 0))
        token = self._vault.create_token(seconds)
        return _json({"auth": {"client_token": token, "lease_duration": int(seconds), "renewable": False}})

    async def revoke_token(self, request: Request) -> Response:
        """Revoke a token."""
        self._allow(request)
        body = await _body(request, {"token"})
        self._vault.revoke_token(_text(body, "token", ""))
        return Response(status_code=204)

    async def look_up_token(self, request: Request) -> Response:
        """Say how long the token of the request counts."""
        self._allow(request)
        token = request.headers.get("x-vault-token", "")
        return _json({"data": {"ttl": self._vault.seconds_left(token), "renewable": False}})

    # --- keys ---------------------------------------------------------------------------------------------

    async def list_keys(self, request: Request) -> Response:
        """The names of all keys."""
        if not self._vault.keys:
            raise ApiError(404)
        return _json({"data": {"keys": sorted(self._vault.keys)}})

    async def read_key(self, request: Request) -> Response:
        """One key, without its secrets."""
        key = self._vault.keys.get(_name(request))
        if key is None:
            raise ApiError(404)
        return _json({"data": key.document()})

    async def create_key(self, request: Request) -> Response:
        """Make a key; one that exists stays as it is."""
        body = await _body(request, {"type"})
        self._vault.create_key(_name(request), _text(body, "type", SYMMETRIC))
        return _json({"data": self._vault.keys[_name(request)].document()})

    async def delete_key(self, request: Request) -> Response:
        """Delete a key that its configuration lets go."""
        self._vault.delete_key(_name(request))
        return Response(status_code=204)

    async def configure(self, request: Request) -> Response:
        """Set minimum versions, and whether the key may be deleted."""
        names = {"min_decryption_version", "min_encryption_version", "deletion_allowed"}
        body = await _body(request, names)
        key = self._key(request, f"no existing key named {_name(request)} could be found")
        key.configure({name: _number(body, name, 0) for name in body})
        self._vault.save()
        return _json({"data": key.document()})

    async def rotate(self, request: Request) -> Response:
        """Make the next version."""
        await _body(request, set())
        key = self._key(request, "key not found")
        key.add_version()
        self._vault.save()
        return _json({"data": key.document()})

    async def trim(self, request: Request) -> Response:
        """Destroy old versions."""
        body = await _body(request, {"min_available_version"})
        key = self._key(request, "invalid key name")
        key.trim(_number(body, "min_available_version", 0))
        self._vault.save()
        return _json({"data": key.document()})

    async def encrypt(self, request: Request) -> Response:
        """Encrypt; a key that is not there is made, as Vault does for who may create."""
        body = await _body(request, {"plaintext", "associated_data", "key_version"})
        plaintext = from_base64(_text(body, "plaintext", ""), "failed to base64-decode plaintext")
        self._vault.create_key(_name(request), SYMMETRIC)
        key = self._key(request, "")
        version = _number(body, "key_version", 0)
        ciphertext = key.encrypt(plaintext, version, _associated(body))
        return _json({"data": {"ciphertext": ciphertext, "key_version": version or key.newest}})

    async def decrypt(self, request: Request) -> Response:
        """Decrypt."""
        body = await _body(request, {"ciphertext", "associated_data"})
        plaintext = self._decrypted(request, body)
        if self._answers == "wrong_key":
            plaintext = os.urandom(len(plaintext))
        return _json({"data": {"plaintext": base64.b64encode(plaintext).decode()}})

    async def rewrap(self, request: Request) -> Response:
        """Encrypt anew with a newer version, without showing the plaintext."""
        body = await _body(request, {"ciphertext", "associated_data", "key_version"})
        plaintext = self._decrypted(request, body)
        key = self._key(request, "")
        version = _number(body, "key_version", 0)
        ciphertext = key.encrypt(plaintext, version, _associated(body))
        return _json({"data": {"ciphertext": ciphertext, "key_version": version or key.newest}})

    def _decrypted(self, request: Request, body: _Body) -> bytes:
        key = self._key(request, "encryption key not found")
        return key.decrypt(_text(body, "ciphertext", ""), _associated(body))

    def _key(self, request: Request, otherwise: str) -> TransitKey:
        return self._vault.key(_name(request), otherwise)

    # --- faults -------------------------------------------------------------------------------------------

    async def set_answers(self, request: Request) -> Response:
        """Answer as told from now on: one of `ANSWERS`; a restart makes it honest again."""
        body = await _body(request, {"answers"})
        wanted = _text(body, "answers", "")
        if wanted not in ANSWERS:
            raise bad_request(f"answers: choose {', '.join(ANSWERS)}")
        self._answers = wanted
        return Response(status_code=204)

    async def expire_tokens(self, request: Request) -> Response:
        """Let every token but the root's expire."""
        return _json({"expired": self._vault.expire_tokens()})

    def _allow(self, request: Request) -> None:
        self._vault.allow(request.headers.get("x-vault-token", ""))

    def _engine(self, handler: _Handler) -> _Handler:
        async def answered(request: Request) -> Response:
            self._allow(request)
            if self._answers == "garbage":
                return Response(os.urandom(_GARBAGE_BYTES), media_type="application/json")
            if self._answers == "empty":
                return Response(b"", media_type="application/json")
            if self._answers == "foreign":
                return _json({"data": {"message": "welcome"}, "keys": ["a", "b"]})
            return await handler(request)

        return answered


def _route(path: str, methods: list[str], handler: _Handler) -> Route:
    """One route that answers these methods alone; Starlette would add HEAD to GET."""
    route = Route(path, handler, methods=methods)
    route.methods = set(methods)
    return route


def _name(request: Request) -> str:
    name = str(request.path_params["name"])
    if not _NAME_FORM.fullmatch(name):
        raise ApiError(404, "unsupported path")
    return name


async def _body(request: Request, known: set[str]) -> _Body:
    """Return the parameters of a request; one that means nothing here is refused rather than ignored."""
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > BODY_BYTES_MAX:
            raise ApiError(413, f"request body is larger than {BODY_BYTES_MAX} bytes")
    try:
        body = orjson.loads(content or b"{}")
    except orjson.JSONDecodeError:
        raise bad_request("error parsing JSON") from None
    if not isinstance(body, dict):
        raise bad_request("error parsing JSON")
    if unknown := sorted(body.keys() - known):
        raise bad_request(f"transit_lite does not know the parameter {unknown[0][:64]} here")
    return body


def _text(body: _Body, name: str, default: str) -> str:
    value = body.get(name, default)
    if not isinstance(value, str):
        raise bad_request(f"{name}: no text")
    return value


def _number(body: _Body, name: str, default: int) -> int:
    value = body.get(name, default)
    if not isinstance(value, int):
        raise bad_request(f"{name}: no number")
    return int(value)


def _seconds(value: object) -> float:
    """Return a time to live: a number of seconds, or text such as `30s`, `5m` or `1h`."""
    if isinstance(value, int | float) and value >= 0:
        return float(value)
    found = re.fullmatch(r"(\d{1,9})([smh]?)", value) if isinstance(value, str) else None
    if found is None:
        raise bad_request("ttl: no time; write it as 30s, 5m or 1h")
    return float(found[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[found[2]]


def _associated(body: _Body) -> bytes:
    return from_base64(_text(body, "associated_data", ""), "failed to base64-decode associated_data")


def _json(document: object, status: int = 200) -> Response:
    return Response(orjson.dumps(document), status, media_type="application/json")


async def _api_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)  # noqa: S101 - registered for this class only
    return _json(error.document(), error.status)


async def _no_route(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class only
    status = error.status_code
    return _json({"errors": [f"transit_lite has no handler for {request.method} {request.url.path}"]}, status)
