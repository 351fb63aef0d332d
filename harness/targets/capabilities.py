"""What a fault may ask of a target: one tiny protocol a capability."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal, Protocol, TypeAlias, runtime_checkable

from harness.model.declarations import Arguments
from harness.model.protocols import Undo

Outcome: TypeAlias = Literal["answered", "reset", "closed", "silent", "refused"]


@dataclass(frozen=True, slots=True)
class Probe:
    """What a connection of our own met: answered, reset (RST), closed (FIN), silent or refused.

    Attributes:
        outcome: what became of the attempt.
        elapsed_ms: how long it took.
    """

    outcome: Outcome
    elapsed_ms: float


@runtime_checkable
class Untouchable(Protocol):
    """What must not be hurt, whatever a scenario asks, or lacks what some fault needs; it says why."""

    @property
    def refusal(self) -> str:
        """Say why, for a person."""
        ...


@runtime_checkable
class Killable(Protocol):
    """A process that can be killed and started again with the same ports and data."""

    def kill(self) -> None:
        """Kill it (SIGKILL) and return when it is gone; raises FaultError where it survives."""
        ...

    def restart(self) -> None:
        """Start it again and return when it serves; raises FaultError where it does not."""
        ...

    def alive(self) -> bool:
        """Tell whether the process that serves runs."""
        ...

    def stopped_orderly(self) -> bool:
        """Tell whether it shut down cleanly instead of dying at the kill."""
        ...

    def describe_state(self) -> str:
        """Return what can be seen of it from outside, for a person."""
        ...

    def undo_kill(self) -> Undo:
        """Say how a later process takes a kill back."""
        ...


@runtime_checkable
class Stoppable(Protocol):
    """A process that can be shut down cleanly and started again with the same ports and data."""

    def stop(self) -> None:
        """Ask it to end, kill it where it does not in time, return when it is gone; raises FaultError."""
        ...

    def restart(self) -> None:
        """Start it again and return when it serves; raises FaultError where it does not."""
        ...

    def alive(self) -> bool:
        """Tell whether the process that serves runs."""
        ...

    def stopped_orderly(self) -> bool:
        """Tell whether it shut down cleanly instead of being killed."""
        ...

    def describe_state(self) -> str:
        """Return what can be seen of it from outside, for a person."""
        ...

    def undo_kill(self) -> Undo:
        """Say how a later process takes its end back."""
        ...


@runtime_checkable
class Pausable(Protocol):
    """A process that can be stopped where it stands and let go on, its connections and memory untouched."""

    def pause(self) -> None:
        """Stop it (SIGSTOP) and return when it stands; raises FaultError where it does not run or stand."""
        ...

    def resume(self) -> None:
        """Let it go on (SIGCONT) and return when it does; raises FaultError where it is gone or stays put."""
        ...

    def paused(self) -> bool:
        """Tell whether the process that serves is stopped."""
        ...

    def describe_state(self) -> str:
        """Return what can be seen of it from outside, for a person."""
        ...

    def undo_pause(self) -> Undo:
        """Say how a later process lets it go on."""
        ...


@runtime_checkable
class Disconnectable(Protocol):
    """A network link that can be taken down, so that nobody is let in, and that can be tried from outside."""

    def disconnect(self) -> None:
        """End its connections and refuse new ones; raises FaultError where the proxy does not do it."""
        ...

    def connect(self) -> None:
        """Let connections in again; harmless where it does already. Raises FaultError."""
        ...

    def undo_disconnect(self) -> Undo:
        """Say how a later process lets connections in again."""
        ...

    def probe(self, timeout_seconds: float = 1.0) -> Probe:
        """Try the link with a connection of its own and say what it met.

        Args:
            timeout_seconds: for connecting, and for an answer.
        """
        ...


@runtime_checkable
class Squeezable(Protocol):
    """A network link that can be made narrow, and whose width can be tried from outside."""

    def add_toxic(self, name: str, kind: str, stream: str, attributes: Arguments, toxicity: float) -> None:
        """Put a toxic on one direction, as for `Severable`; raises FaultError.

        Args:
            name: how this link knows the toxic from then on.
            kind: Toxiproxy's word for it, e.g. `bandwidth`.
            stream: `upstream` or `downstream`.
            attributes: what that kind takes.
            toxicity: the share of connections it hits, 0 to 1.
        """
        ...

    def remove_toxic(self, name: str) -> None:
        """Take a toxic off again; raises FaultError where the proxy does not do it.

        Args:
            name: as it was put on.
        """
        ...

    def undo_toxic(self, name: str) -> Undo:
        """Say how a later process takes a toxic off.

        Args:
            name: as it was put on.
        """
        ...

    def push(self, size_bytes: int, timeout_seconds: float) -> Probe:
        """Send a request of at least this size over a connection of its own and say what it met.

        Args:
            size_bytes: that size.
            timeout_seconds: for the whole of it.
        """
        ...


@dataclass(frozen=True, slots=True)
class Flip:
    """One byte that was changed for good: where, and its value (0 to 255) before and after.

    Attributes:
        file: its path.
        offset_bytes: from the file's beginning.
    """

    file: str
    offset_bytes: int
    before: int
    after: int


@runtime_checkable
class Corruptible(Protocol):
    """Files whose bytes can be changed behind the stack's back. Nobody changes them back."""

    def flip_bits(self, count: int, from_share: float, to_share: float, rng: Random) -> None:
        """Flip one bit in each of `count` bytes.

        Args:
            count: how many bytes; fewer where there are not so many.
            from_share: where the part begins from which they are drawn, as a share (0 to 1) of all the bytes,
                the least recently changed file first.
            to_share: where it ends.
            rng: draws the bytes and their bits.

        Raises:
            FaultError: the disk refuses.
        """
        ...

    def flipped(self) -> Sequence[Flip]:
        """Return what the last `flip_bits` changed, as far as it is found changed on the disk now."""
        ...

    def describe_files(self) -> str:
        """Return what the files are now, for a person."""
        ...

    def undo_flip(self) -> Undo:
        """Say what a later process has to do about it."""
        ...


@runtime_checkable
class Movable(Protocol):
    """Folders that can be taken from under whoever uses them, and be put back."""

    def take_away(self) -> None:
        """Take the folders away; raises FaultError where one cannot be moved."""
        ...

    def put_back(self) -> None:
        """Put them back; harmless where they are. Raises FaultError where one cannot be."""
        ...

    def gone(self) -> bool:
        """Tell whether none of the folders can be entered, and each lies elsewhere."""
        ...

    def describe_folders(self) -> str:
        """Return what the folders are now, for a person."""
        ...

    def undo_take_away(self) -> Undo:
        """Say how a later process puts them back; raises FaultError where one must not be moved."""
        ...


@runtime_checkable
class Fillable(Protocol):
    """Files on a disk of their own that can be filled up, so that the kernel refuses to write more."""

    def fill(self) -> None:
        """Take all room there is and that becomes free; raises FaultError where the disk cannot be used."""
        ...

    def empty(self) -> None:
        """Give the room back; harmless where none was taken."""
        ...

    def full(self) -> bool:
        """Tell whether the disk refuses a block that is written to it."""
        ...

    def describe_disk(self) -> str:
        """Return how much of the disk is free, for a person."""
        ...

    def undo_fill(self) -> Undo:
        """Say how a later process gets the room back."""
        ...


@runtime_checkable
class Surging(Protocol):
    """A load whose rate can be watched while the schedule lets it surge."""

    def sent(self) -> int:
        """Return how many log calls have begun so far."""
        ...

    def wait(self, seconds: float) -> None:
        """Let time pass, in seconds."""
        ...


@runtime_checkable
class Severable(Protocol):
    """A network link whose traffic can be hurt by toxics, and that can be tried from outside."""

    def add_toxic(self, name: str, kind: str, stream: str, attributes: Arguments, toxicity: float) -> None:
        """Put a toxic on one direction, `upstream` (the request) or `downstream` (the answer).

        Args:
            name: how this link knows it from then on.
            kind: the fault proxy's word for it, e.g. `timeout`.
            stream: the direction.
            attributes: what that kind takes.
            toxicity: the share of connections it hits, 0 to 1.

        Raises:
            FaultError: the proxy does not take it.
        """
        ...

    def remove_toxic(self, name: str) -> None:
        """Take a toxic off again; raises FaultError where the proxy does not do it.

        Args:
            name: as it was put on.
        """
        ...

    def undo_toxic(self, name: str) -> Undo:
        """Say how a later process takes a toxic off.

        Args:
            name: as it was put on.
        """
        ...

    def probe(self, timeout_seconds: float = 1.0) -> Probe:
        """Try the link with a connection of its own and say what it met.

        Args:
            timeout_seconds: for connecting, and for an answer.
        """
        ...


@runtime_checkable
class Interceptable(Protocol):
    """A link that speaks HTTP, whose requests and answers can be changed on their way."""

    @property
    def sequence_path(self) -> str:
        """Where documents on this link hold their record's number; empty where the stack says nothing."""
        ...

    def add_rule(self, name: str, kind: str, arguments: Arguments, share: float, seed: int) -> None:
        """Change exchanges from now on.

        Args:
            name: how this link knows the rule from then on.
            kind: the interceptor's word for it, e.g. `requests_refused`.
            arguments: what that kind takes.
            share: the share of requests it hits, above 0 to 1.
            seed: decides which ones.

        Raises:
            FaultError: the interceptor does not take it.
        """
        ...

    def remove_rule(self, name: str) -> None:
        """Take a rule off again; raises FaultError where the interceptor does not do it.

        Args:
            name: as it was added.
        """
        ...

    def undo_rule(self, name: str) -> Undo:
        """Say how a later process takes a rule off.

        Args:
            name: as it was added.
        """
        ...

    def altered(self, name: str, counters: Sequence[str], timeout_seconds: float = 5.0) -> Mapping[str, int]:
        """Wait until one of these counters of a rule is above 0, at most that long; return all its counters.

        They count what the rule did to the stack's own requests. Raises FaultError where the interceptor
        does not tell.

        Args:
            name: the rule, as it was added.
            counters: the words of what is waited for.
            timeout_seconds: how long.
        """
        ...


@dataclass(frozen=True, slots=True)
class KeyVersion:
    """What a stack says of its keys: the version that every rotation raises, and its own words.

    Attributes:
        number: the version.
        said: what the status command printed, for a person.
    """

    number: int
    said: str


@runtime_checkable
class KeyRotatable(Protocol):
    """Encryption keys that the stack's own command takes to a new version."""

    def rotate(self) -> None:
        """Rotate, and return once the stack says that it is done; raises FaultError."""
        ...

    def begin_rotation(self, seconds: float) -> bool:
        """Begin a rotation and kill its command after that time; return whether it still ran by then.

        Args:
            seconds: that time.
        """
        ...

    def key_version(self) -> KeyVersion:
        """Ask for the version now; raises FaultError where it cannot be told.

        Returns:
            The version, and what the stack says.
        """
        ...

    def undo_rotation(self) -> Undo:
        """Say what a later process has to do about it."""
        ...


@runtime_checkable
class KeyRevocable(Protocol):
    """Encryption keys whose version in use the stack's own command revokes for good."""

    def revoke(self) -> None:
        """Revoke it, and return once the stack says that it is done; raises FaultError."""
        ...

    def key_version(self) -> KeyVersion:
        """Ask for the version now; raises FaultError where it cannot be told.

        Returns:
            The version, and what the stack says.
        """
        ...

    def undo_rotation(self) -> Undo:
        """Say what a later process has to do about it."""
        ...


@runtime_checkable
class KeyProviding(Protocol):
    """Where a stack has its keys from, which can be out of reach or answer with garbage for a while."""

    def hide(self) -> None:
        """Put it out of reach; raises FaultError."""
        ...

    def spoil(self, rng: Random) -> None:
        """Let it answer with garbage; raises FaultError.

        Args:
            rng: where the garbage comes from, so that a seed repeats it.
        """
        ...

    def show(self) -> None:
        """Give it back as it was; harmless where it is there. Raises FaultError."""
        ...

    def out_of_reach(self) -> bool:
        """Tell whether no key can be had from it."""
        ...

    def describe_provider(self) -> str:
        """Return what it is now, for a person."""
        ...

    def undo_hide(self) -> Undo:
        """Say how a later process puts it within reach again."""
        ...

    def undo_spoil(self) -> Undo:
        """Say how a later process lets it answer as before."""
        ...


@runtime_checkable
class KeyLosable(Protocol):
    """Keys that can be lost for good."""

    def lose(self) -> None:
        """Remove them; raises FaultError where there are none."""
        ...

    def lost(self) -> Sequence[str]:
        """Return one text for each that was removed and is gone now."""
        ...

    def describe_provider(self) -> str:
        """Return what is left, for a person."""
        ...

    def undo_loss(self) -> Undo:
        """Say what a later process has to do about it."""
        ...


@runtime_checkable
class MailRefusing(Protocol):
    """A mail server that can be told to refuse every recipient."""

    def refuse_mail(self, code: int) -> None:
        """Refuse every recipient with that code from now on; raises FaultError."""
        ...

    def accept_mail(self) -> None:
        """Take mail again; harmless where it is taken. Raises FaultError."""
        ...

    def mail_answer(self) -> int:
        """Return with which code a recipient of our own is answered; 0 where nothing is."""
        ...

    def undo_refuse_mail(self) -> Undo:
        """Say how a later process lets it take mail again."""
        ...


@runtime_checkable
class ClockMovable(Protocol):
    """A wall clock that can be moved, for the processes that follow it."""

    def move_clock(self, seconds: float) -> None:
        """Move it forward, or back where that is negative; raises FaultError.

        Args:
            seconds: by how much.
        """
        ...

    def clock_is_felt(self, timeout_seconds: float) -> bool:
        """Wait, at most that long, until a process was told the time as it is moved now; tell whether.

        Args:
            timeout_seconds: how long.
        """
        ...

    def describe_clock(self) -> str:
        """Return how far it is moved, for a person."""
        ...

    def undo_move_clock(self) -> Undo:
        """Say how a later process sets it right."""
        ...


_SUPPORTS: dict[type, str] = {
    Killable: "being killed",
    Stoppable: "being stopped",
    Pausable: "being frozen",
    Disconnectable: "being disconnected",
    Squeezable: "a limited bandwidth",
    Severable: "disturbed connections",
    Corruptible: "damaged files",
    Movable: "missing folders",
    Fillable: "a full disk",
    Interceptable: "changed HTTP answers",
    Surging: "a watched rate of calls",
    KeyRotatable: "the rotation of keys",
    KeyRevocable: "the revocation of keys: name keys.revoke in the stack file",
    KeyProviding: "keys that are out of reach",
    KeyLosable: "the loss of keys",
    MailRefusing: "refused mail",
    ClockMovable: "a jump of its clock: the target of that is `clock`",
}


def not_supported(capability: type) -> str:
    """Say, for a person, that a target lacks a capability; one of a plug-in's own goes by its name."""
    return f"this target does not support {_SUPPORTS.get(capability, capability.__name__)}"
