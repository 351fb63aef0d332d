import os
import signal
import stat

from harness.load.slots import ANSWERED, REFUSED, Slot, SlotFiles, Slots


def test_an_untouched_slot_says_nothing(tmp_path):
    Slots.create(tmp_path / "slots", 3)

    assert Slots(tmp_path / "slots").read(2) == Slot(0, 0, 0, 0)


def test_what_one_mapping_writes_another_reads(tmp_path):
    Slots.create(tmp_path / "slots", 3)
    writer, reader = Slots(tmp_path / "slots"), Slots(tmp_path / "slots")

    writer.enter(1, 10)
    writer.leave(1, 20, ANSWERED)
    writer.acknowledge(1, 30)

    assert reader.read(1) == Slot(10, 20, ANSWERED, 30)
    assert reader.read(0) == reader.read(2) == Slot(0, 0, 0, 0)


def test_the_first_acknowledgement_counts(tmp_path):
    Slots.create(tmp_path / "slots", 1)
    slots = Slots(tmp_path / "slots")

    slots.acknowledge(0, 30)
    slots.acknowledge(0, 40)

    assert slots.read(0).acknowledged_ns == 30


def test_what_a_process_wrote_survives_its_sigkill(tmp_path):
    Slots.create(tmp_path / "slots", 1)
    child = os.fork()
    if child == 0:
        Slots(tmp_path / "slots").acknowledge(0, 30)
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)

    assert Slots(tmp_path / "slots").read(0).acknowledged_ns == 30


def test_slots_are_readable_by_their_owner_only(tmp_path):
    Slots.create(tmp_path / "slots", 1)

    assert stat.S_IMODE((tmp_path / "slots").stat().st_mode) == 0o600


def test_what_has_happened_is_told_for_many_records_at_once(tmp_path):
    Slots.create(tmp_path / "slots", 5)
    slots = Slots(tmp_path / "slots")
    for sequence in range(4):
        slots.enter(sequence, 10)
    slots.leave(0, 20, ANSWERED)
    slots.leave(1, 20, REFUSED)
    slots.acknowledge(2, 30)

    assert slots.entered() == 4
    assert slots.answered(range(5)) == [0]
    assert slots.acknowledged(range(5)) == [2]
    assert slots.acknowledged([3, 4]) == []
    slots.close()


def test_what_is_under_way_has_begun_and_has_no_word_yet(tmp_path):
    Slots.create(tmp_path / "slots", 5)
    slots = Slots(tmp_path / "slots")
    for sequence in range(4):
        slots.enter(sequence, 10)
    slots.leave(0, 20, ANSWERED)
    slots.leave(1, 20, REFUSED)
    slots.acknowledge(2, 30)

    assert slots.under_way(by_callback=False) == 2
    assert slots.under_way(by_callback=True) == 2
    slots.acknowledge(0, 30)
    assert slots.under_way(by_callback=True) == 1
    assert slots.not_entered(range(5)) == 1
    slots.close()


def test_of_several_workers_each_is_counted_by_its_own_file(tmp_path):
    paths = [tmp_path / "slots-1", tmp_path / "slots-2"]
    for path in paths:
        Slots.create(path, 6)
    for sequence, path in ((0, paths[0]), (1, paths[1]), (3, paths[1])):
        Slots(path).enter(sequence, 10)
    files = SlotFiles(paths, lambda sequence: sequence % 2)

    assert [files.under_way(False, worker) for worker in (1, 2, None)] == [1, 2, 3]
    assert [files.not_entered(range(6), worker) for worker in (1, 2, None)] == [2, 1, 3]
    files.close()
