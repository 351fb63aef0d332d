"""Gives orders to the handlers and the shipper of a spool folder, and takes them back, by their ids."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from logging_system.keys.durable_files import file_lock, make_folder, read_file, replace_file
from logging_system.spool.control import FILE_BYTES_MAX, NAME, Order, decoded, encoded, in_force
from logging_system.spool.disk import REAL_DISK, Disk


def give(folder: Path, order: Order, now_seconds: float, disk: Disk = REAL_DISK) -> None:
    """Give an order; one with the same id is replaced, so that giving it twice is giving it once.

    Args:
        folder: The spool folder.
        order: The order.
        now_seconds: Seconds since 1970.
        disk: The system calls.

    Raises:
        ValueError: It cannot be obeyed, or too many hold already.
        OSError: The disk refused; what held before holds.
        FileHeldError: Another process changes the file.
    """
    if not order.is_sound or not in_force([order], now_seconds):
        raise ValueError(f"an order that nobody can obey: {order}")
    make_folder(folder, disk)
    with file_lock(folder / NAME, disk):
        kept = [each for each in _held(folder, now_seconds, disk) if each.id != order.id]
        replace_file(folder / NAME, encoded([*kept, order]), disk)


def take_back(folder: Path, order_id: str, now_seconds: float, disk: Disk = REAL_DISK) -> None:
    """Take an order back; one that is gone already is no error. Raises as `give`.

    Args:
        folder: The spool folder.
        order_id: The id that the order was given with.
        now_seconds: Seconds since 1970; orders whose time is over go with it.
        disk: The system calls.
    """
    if disk.path_status(folder / NAME) is None:
        return
    with file_lock(folder / NAME, disk):
        kept = [each for each in _held(folder, now_seconds, disk) if each.id != order_id]
        # Also where it is gone: one that failed may have taken it back for as long as the machine runs only.
        replace_file(folder / NAME, encoded(kept), disk)


def _held(folder: Path, now_seconds: float, disk: Disk) -> Sequence[Order]:
    try:
        data = read_file(folder / NAME, FILE_BYTES_MAX + 1, disk)
    except FileNotFoundError:
        return ()
    return in_force(decoded(data), now_seconds)
