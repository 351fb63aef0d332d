"""What was read back is in memory only as long as something is said of it."""

import gc

from harness.evidence.lines import stamp
from harness.evidence.readback import Outlets, OutletSpec
from harness.model.protocols import StoredDocument

RUN = "run-01"


class Archive:
    """Holds three documents, made anew for each reading."""

    def count(self):
        return 3

    def refresh(self): ...

    def read(self, fields=()):
        return (StoredDocument(f"i/{n}", stamp("a line", RUN, n)) for n in range(3))

    def close(self): ...


def documents_in_memory():
    gc.collect()
    # By its type: asking a proxy of another test for its class can raise.
    return sum(type(each) is StoredDocument for each in gc.get_objects())


def test_a_reading_is_let_go_of_by_the_next_one_and_by_closing():
    before = documents_in_memory()
    outlets = Outlets(
        OutletSpec(archive=Archive, expected_line=lambda n: stamp("a line", RUN, n), run_id=RUN)
    )
    seen = []
    for _ in range(2):
        outlets.kept(outlets.read())
        seen.append(documents_in_memory() - before)
    outlets.close()

    assert seen == [3, 3]
    assert documents_in_memory() == before
