"""What a stored line of a run should be, by its sequence, and what of it a mask may change."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from harness.evidence.lines import FileLines, GeneratedLines, LineSource, stamp
from harness.evidence.masked_input import InputMask, joined
from harness.evidence.secrets.planting import PlantedLines
from harness.evidence.shaped_lines import ShapedLines
from harness.evidence.transforms import Spans
from harness.model.declarations import Masks
from harness.model.protocols import LoadSpec


class Lines:
    """The lines of a load, computed as its application computes them.

    Args:
        load: what is sent.
        masks: what of the lines of `--input` the stack may mask.
    """

    def __init__(self, load: LoadSpec, masks: Masks | None = None) -> None:
        self._load = load
        bare = _Bare(load)
        self.planted = (
            PlantedLines(bare, load.seed, load.run_id, load.secrets, load.secret_paths)
            if load.secrets
            else None
        )
        self._mask = InputMask(masks.patterns) if masks and masks.patterns and load.input_path else None
        self._source: LineSource = bare if self.planted is None else self.planted

    def expected(self, sequence: int) -> str:
        """Return what a stored line should be.

        Args:
            sequence: the record's number in the run.
        """
        return stamp(self._source.text(sequence), self._load.run_id, sequence)

    def maskable(self, sequence: int) -> Spans:
        """Return the parts of a line that hold a canary, or what may be masked of the input.

        Args:
            sequence: the record's number in the run.
        """
        planted = () if self.planted is None else self.planted.spans(sequence)
        if self._mask is None:
            return planted
        return joined([*planted, *self._mask.spans(self._source.text(sequence))])


class _Bare:
    """The lines without canaries; a file is read when the first of them is asked for."""

    def __init__(self, load: LoadSpec) -> None:
        self._load = load

    @cached_property
    def _lines(self) -> LineSource:
        load = self._load
        lines: LineSource = (
            FileLines(Path(load.input_path), load.records) if load.input_path else GeneratedLines(load.seed)
        )
        return ShapedLines(lines, load.seed, load.shapes) if load.shapes else lines

    def text(self, sequence: int) -> str:
        """Return the text of this record, without its identity."""
        return self._lines.text(sequence)
