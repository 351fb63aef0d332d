"""A session with a PKCS#11 token that is opened again whenever it was lost.

A session is lost when the token is removed or restarted, when the HSM's connection breaks, and in a forked
child, to which it does not belong. Opening begins gently (find the token, log in); what does not help is
followed by ending and beginning the library anew, which ends the sessions of every other user of the same
library in this process too.

How long a call takes is up to the maker's library: its own configuration holds the time limits.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pkcs11
from pkcs11 import _pkcs11

from logging_system.keys.provider import KeyProviderError, ProviderRefusedError, ProviderUnavailableError
from logging_system.keys.providers.arguments import read_credentials
from logging_system.keys.secret import Secret
from logging_system.spool.forks import FORKS, forget_in_children

PIN_VARIABLE = "PKCS11_PIN"
_PROBE_BITS = 64
_Answer = TypeVar("_Answer")
_REFUSALS = {
    pkcs11.PinIncorrect: "the PIN is wrong; it is not tried again, since too many tries lock the token",
    pkcs11.PinInvalid: "the PIN cannot be one",
    pkcs11.PinLenRange: "the PIN is too short or too long",
    pkcs11.PinExpired: "the PIN has expired; set a new one",
    pkcs11.PinLocked: "the PIN is locked; the token's security officer can unlock it",
    pkcs11.UserPinNotInitialized: "the token has no user PIN yet; set one",
    pkcs11.AnotherUserAlreadyLoggedIn: "another user is logged in by this process; end that session",
    pkcs11.TokenNotRecognised: "the token is not initialised",
    pkcs11.TokenWriteProtected: "the token is write protected, so no key can be made or destroyed there",
    pkcs11.MultipleTokensReturned: "several tokens have this label; give each its own",
    pkcs11.MechanismInvalid: "the token lacks a mechanism; see docs/how-to/key-providers.md",
    pkcs11.FunctionNotSupported: "the token's library lacks a function that is needed",
    pkcs11.TemplateInconsistent: "the token takes no keys of this kind",
    pkcs11.AttributeValueInvalid: "the token takes no keys of this kind",
}
_PIN_REFUSALS = (pkcs11.PinIncorrect, pkcs11.PinLocked, pkcs11.PinInvalid, pkcs11.PinLenRange)


class TokenSession:
    """One token, used by one thread at a time.

    Args:
        library: The maker's PKCS#11 library.
        label: The token's label.
        pin_file: Holds the user PIN; None for the environment.
        pin_variable: The environment's variable, where there is no file.
    """

    def __init__(
        self, library: Path, label: str, pin_file: Path | None, pin_variable: str = PIN_VARIABLE
    ) -> None:
        self._library = library
        self._label = label
        self._pin_file = pin_file
        self._pin_variable = pin_variable
        self._session: pkcs11.Session | None = None
        self._is_child = False
        self._refused_pin: Secret | None = None
        self._lock = threading.RLock()
        self.name = f'token "{label}" of {library.name}'
        forget_in_children(self)

    def forget(self) -> None:
        """In a forked child: the session is the parent's, and a thread that is not here may hold the lock."""
        self._session = None
        self._is_child = True
        self._lock = threading.RLock()

    def use(self, ask: Callable[[pkcs11.Session], _Answer]) -> _Answer:
        """Return what `ask` returns; where the session was lost, it is asked a second time on a new one.

        Args:
            ask: May be called twice; its own errors pass, those of PKCS#11 are told as below.

        Raises:
            ProviderUnavailableError: The token is not there, or does not answer as it should.
            ProviderRefusedError: The PIN is refused, or the token cannot do this.
        """
        FORKS.notice()
        with self._lock:
            for is_last in (False, True):
                try:
                    return ask(self._live_session())
                except pkcs11.PKCS11Error as error:
                    kind, reason = self._trouble(error)
                self._drop()
                if is_last or kind is ProviderRefusedError:
                    break
        raise kind(reason)

    def require_present(self) -> None:
        """Return if the token is there: a search on a token that was removed finds nothing, and says no more.

        Raises:
            pkcs11.PKCS11Error: It is not.
        """
        self._loaded().get_token(token_label=self._label)

    def close(self) -> None:
        """End the session; the next use opens one again."""
        with self._lock:
            self._drop()

    def _live_session(self) -> pkcs11.Session:
        if self._session is not None:
            # An operation on a lost session would be found out too late, in the middle of it.
            self._session.generate_random(_PROBE_BITS)
            return self._session
        try:
            self._session = self._opened()
        except pkcs11.PKCS11Error as error:
            if type(error) in _REFUSALS:
                raise
            self._begin_library_anew()
            self._session = self._opened()
        return self._session

    def _opened(self) -> pkcs11.Session:
        token = self._loaded().get_token(token_label=self._label)
        pin = self._pin()
        try:
            opened = token.open(rw=True, user_pin=pin.reveal().decode("ascii"))
        except pkcs11.UserAlreadyLoggedIn:
            # As the PKCS#11 standard has it, a login holds for all sessions of a process.
            return token.open(rw=True)
        except _PIN_REFUSALS:
            self._refused_pin = pin
            raise
        self._refused_pin = None
        return opened

    def _loaded(self) -> _pkcs11.lib:
        path = str(self._library)
        if self._is_child:
            # The standard lets a child begin anew without an end, which would end what the parent has.
            # A library that refuses has noticed the fork by itself, or works across it.
            with contextlib.suppress(pkcs11.PKCS11Error):
                pkcs11._loaded[path] = _pkcs11.lib(path)
            self._is_child = False
        try:
            return pkcs11.lib(path)
        except RuntimeError as error:
            if "OS exception while loading" not in str(error):
                raise
        raise ProviderRefusedError(f"{self._library}: cannot be loaded; name the token's PKCS#11 library")

    def _begin_library_anew(self) -> None:
        loaded = self._loaded()
        try:
            loaded.finalize()
        finally:
            loaded.initialize()

    def _pin(self) -> Secret:
        if self._pin_file is not None:
            where, text = str(self._pin_file), read_credentials(self._pin_file, "the token's PIN").strip()
        else:
            where, text = self._pin_variable, os.environ.get(self._pin_variable, "").strip()
        if not text or not text.isascii() or not text.isprintable():
            raise ProviderRefusedError(f"{where}: holds no PIN; write the token's user PIN there")
        pin = Secret(text.encode("ascii"))
        if pin == self._refused_pin:
            raise ProviderRefusedError(f"{self.name}: {_REFUSALS[pkcs11.PinIncorrect]}; see {where}")
        return pin

    def _drop(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            with contextlib.suppress(pkcs11.PKCS11Error):  # it was lost
                session.close()

    def _trouble(self, error: pkcs11.PKCS11Error) -> tuple[type[KeyProviderError], str]:
        if isinstance(error, pkcs11.NoSuchToken | pkcs11.TokenNotPresent | pkcs11.DeviceRemoved):
            return ProviderUnavailableError, f"{self.name}: not there; put it back"
        for kind, words in _REFUSALS.items():
            if isinstance(error, kind):
                return ProviderRefusedError, f"{self.name}: {words}"
        return ProviderUnavailableError, f"{self.name}: does not answer as it should ({type(error).__name__})"
