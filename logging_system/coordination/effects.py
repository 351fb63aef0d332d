"""Carries steps out: under the lead and a claim where they are shared, and says what became of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from logging_system.coordination.claims import KEPT_SECONDS, SHARED_SECONDS_MAX, Claim, Claims
from logging_system.coordination.lease import LEASE_SECONDS, Lease, SharedDocuments, StoreUnavailableError
from logging_system.coordination.workflows.machine import Effect, NotDone, Result, Succeeded, Unknown
from logging_system.coordination.workflows.steps.declared import DeclaredStep, EffectError, Occasion

_CLAIMED_SECONDS = 180.0
"""How long another engine's claim is waited for before a person is asked."""
LEAD_WANTED = "waits for the lead, which shared steps need"
STORE_WANTED = "waits for a store, which shared steps need and none is named: give --elasticsearch"
_UNSETTLED_MAX = 1_000
_TIDY_SECONDS = 3_600.0
_TOO_OLD = (
    f"the finding began over {SHARED_SECONDS_MAX / 86_400:.0f} days ago: it is not known any more whether "
    "another engine has done it"
)


class Performer:
    """Does what a run asks for.

    Args:
        documents: What engines share; None where there is no store.
        owner: Who this is.
        monotonic: Seconds of a clock that is never set.
        lease_seconds: How long the lead is held without a renewal.

    Attributes:
        is_changed: Whether `content` is another one.
    """

    _kept_seconds = KEPT_SECONDS

    def __init__(
        self,
        documents: SharedDocuments | None,
        owner: str,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        lease_seconds: float = LEASE_SECONDS,
    ) -> None:
        self.is_changed = False
        self._documents, self._monotonic = documents, monotonic
        self._tidy_due_seconds = monotonic() + _TIDY_SECONDS
        self._lease: Lease | None = None
        self._claims: Claims | None = None
        if documents is not None:
            self._lease = Lease(documents, owner, lease_seconds=lease_seconds, monotonic=monotonic)
            self._claims = Claims(documents, owner)
        self._unsettled: dict[str, bool] = {}
        self._waited: dict[str, float] = {}

    def look(self, now_seconds: float) -> None:
        """Renew the lead, say what became of claims where that could not be said before, remove old ones.

        Args:
            now_seconds: Seconds since 1970.
        """
        if self._lease is None or self._claims is None:
            return
        try:
            self._lease.look()
            self._tidy(now_seconds)
            for key, was_done in list(self._unsettled.items()):
                self._claims.settle(key, was_done=was_done)
                del self._unsettled[key]
                self.is_changed = True
        except StoreUnavailableError:
            return  # what was had before holds to its end

    def _tidy(self, now_seconds: float) -> None:
        if self._documents is not None and self.leads() and self._monotonic() >= self._tidy_due_seconds:
            self._tidy_due_seconds = self._monotonic() + _TIDY_SECONDS
            self._documents.remove_old(now_seconds)

    def leads(self) -> bool:
        """Whether shared steps may be done now."""
        return bool(self.token(0.0))

    def why_no_lead(self) -> str:
        """Return why shared steps may not be done now, in a sentence; empty where they may."""
        if self._lease is None:
            return STORE_WANTED
        return "" if self.leads() else LEAD_WANTED

    def token(self, for_seconds: float) -> int:
        """Return the fencing token where the lead lasts so long, and 0 otherwise; the store is not asked.

        Args:
            for_seconds: How long it must last from now: a shared step's timeout, or 0 for this moment.
        """
        return 0 if self._lease is None else self._lease.token(for_seconds)

    def close(self) -> None:
        """Let another engine lead at once."""
        if self._lease is not None:
            try:
                self._lease.give_up()
            except StoreUnavailableError:
                return  # it runs out

    def content(self) -> Sequence[Any]:
        """Return what is still to be said of claims."""
        return [[key, was_done] for key, was_done in self._unsettled.items()]

    def restore(self, content: Sequence[Any]) -> None:
        """Take in what `content` returned."""
        self._unsettled = {str(key): bool(was_done) for key, was_done in content}

    def memo(self, step: DeclaredStep, effect: Effect, occasion: Occasion) -> dict[str, Any] | Result:
        """Return what is to be noted before an effect, or why it cannot be begun."""
        if effect.undoes:
            return {}
        try:
            return step.before(occasion)
        except EffectError as error:
            return NotDone(str(error))
        except Exception as error:
            return NotDone(f"{type(error).__name__}: {error}")

    def perform(self, step: DeclaredStep, effect: Effect, occasion: Occasion) -> Result:
        """Do it, undo it, or ask whether that was done."""
        if effect.asks:
            return self._asked(step, effect, occasion)
        if step.is_local:
            return _carried_out(step, effect, occasion, self._monotonic)
        claim = self._claim(occasion, undoes=effect.undoes)
        if not isinstance(claim, Claim):
            return claim
        if claim is Claim.DONE:
            return Succeeded("another engine has done it")
        if claim is Claim.OTHERS:
            return self._others(occasion.key)
        result = _carried_out(step, effect, occasion, self._monotonic)
        self._settle(occasion.key, result)
        return result

    def _claim(self, occasion: Occasion, *, undoes: bool) -> Claim | Result:
        if occasion.now_seconds - occasion.finding.since_seconds > SHARED_SECONDS_MAX:
            return Unknown(_TOO_OLD) if undoes else NotDone(_TOO_OLD)
        if self._claims is None:
            return NotDone("there is no store", again=True)
        try:
            return self._claims.take(
                occasion.key, occasion.token, occasion.finding.since_seconds + self._kept_seconds
            )
        except StoreUnavailableError as error:
            return NotDone(f"the store cannot be asked: {error}", again=True)

    def _others(self, key: str) -> Result:
        since_seconds = self._waited.setdefault(key, self._monotonic())
        if self._monotonic() - since_seconds < _CLAIMED_SECONDS:
            return NotDone("another engine has claimed it", again=True)
        del self._waited[key]
        return Unknown("another engine has claimed it, and never said what became of it")

    def _asked(self, step: DeclaredStep, effect: Effect, occasion: Occasion) -> Result:
        try:
            was = step.was_undone(occasion) if effect.undoes else step.was_done(occasion)
        except EffectError as error:
            return Unknown(str(error), ask_again=True)
        except Exception as error:
            return Unknown(f"{type(error).__name__}: {error}")
        if was is None:
            return Unknown("it was under way when the engine ended, and nothing can tell whether it was done")
        result = Succeeded("it was done before the engine ended") if was else NotDone("it was not done")
        self._settle(occasion.key, result)
        return result

    def _settle(self, key: str, result: Result) -> None:
        """Say what became of a claim; what cannot be said now is said later."""
        if self._claims is None or isinstance(result, Unknown):
            return
        was_done = isinstance(result, Succeeded)
        try:
            self._claims.settle(key, was_done=was_done)
        except StoreUnavailableError:
            self._unsettled[key] = was_done
            self.is_changed = True
            while len(self._unsettled) > _UNSETTLED_MAX:
                del self._unsettled[next(iter(self._unsettled))]


def _carried_out(
    step: DeclaredStep, effect: Effect, occasion: Occasion, monotonic: Callable[[], float]
) -> Result:
    began_seconds = monotonic()
    try:
        if effect.undoes:
            step.undo(occasion)
        else:
            step.do(occasion)
    except EffectError as error:
        return Unknown(str(error)) if error.may_have_happened else NotDone(str(error))
    except Exception as error:
        return Unknown(f"{type(error).__name__}: {error}")
    took_seconds = monotonic() - began_seconds
    late = f"it took {took_seconds:.1f} s; {step.timeout_seconds:g} s allowed"
    return Succeeded(late if took_seconds > step.timeout_seconds else "")
