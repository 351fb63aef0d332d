"""BGL: which lines belong to what an operator called an alert (143 of 2,000, by the first field).

The sample has one line in some 2,400 of seven months, so what is temporal about the alerts (bursts of
thousands of lines) is not in it. Three judges show what is:

* `level`: a line of level FATAL belongs.
* `detection`: the product as it is: a line belongs where a finding lasts whose template it has.
* `marks`: a person has said of the lines of the other half whether they belong, and a line follows its
  template's marks; of a template without marks, a FATAL line belongs if that was right on a split of the
  other half. This is no part of the product: it shows what a person's word would add.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from logging_system.coordination.detection.seen_record import SeenRecord
from logging_system.coordination.detection.service_stream import Surroundings
from logging_system.coordination.detection.stream_judgement import StreamJudgement
from logging_system.coordination.detection.templates import MaskedTemplates

LEVELS = {"INFO": 20, "WARNING": 30, "ERROR": 40, "SEVERE": 40, "FAILURE": 40, "FATAL": 50}
_WELL = Surroundings(is_well=True, open_writers=1)


@dataclass(frozen=True)
class Line:
    """A line and its label."""

    belongs: bool
    record: SeenRecord

    @property
    def is_fatal(self) -> bool:
        return self.record.level >= 50


@dataclass(frozen=True)
class Score:
    """How a judge did."""

    judge: str
    split: str
    recall: float
    false_share: float
    alerts: int
    lines: int


def lines_of(path: Path) -> list[Line]:
    """Read the file: label, seconds, date, node, time, node, type, component, level, message."""
    found = []
    for text in path.read_text(errors="replace").splitlines():
        label, seconds, _, _, stamp, _, _, component, level, *words = text.split(" ", 9)
        record = SeenRecord(
            float(seconds), LEVELS.get(level, 0), "", "bgl", component, words[0] if words else "", stamp
        )
        found.append(Line(label != "-", record))
    return found


def by_level(_tuning: Sequence[Line], judged: Sequence[Line]) -> list[bool]:
    return [line.is_fatal for line in judged]


def by_detection(tuning: Sequence[Line], judged: Sequence[Line]) -> list[bool]:
    learner = MaskedTemplates()
    stream = StreamJudgement(learner)
    answers = []
    for place, line in enumerate(sorted([*tuning, *judged], key=lambda each: each.record.seconds)):
        stream.tell(line.record)
        open_templates = {
            template
            for each in stream.judged(line.record.seconds + 2.0, _WELL)
            for template in each.templates
        }
        answers.append((id(line), learner.learn(line.record.message).template_id in open_templates, place))
    by_line = {key: answer for key, answer, _ in answers}
    return [by_line[id(line)] for line in judged]


def by_marks(tuning: Sequence[Line], judged: Sequence[Line]) -> list[bool]:
    half, other = tuning[::2], tuning[1::2]
    belongs_unseen = _share_right_of_unseen(half, other) >= 0.5
    return _by_templates(tuning, judged, belongs_unseen=belongs_unseen)


def _by_templates(tuning: Sequence[Line], judged: Sequence[Line], *, belongs_unseen: bool) -> list[bool]:
    yes, seen = _marks(tuning)
    learner = MaskedTemplates()
    answers = []
    for line in judged:
        template = learner.learn(line.record.message).template_id
        if template in seen:
            answers.append(2 * yes[template] > seen[template])
        else:
            answers.append(belongs_unseen and line.is_fatal)
    return answers


def _share_right_of_unseen(half: Sequence[Line], other: Sequence[Line]) -> float:
    _, seen = _marks(half)
    learner = MaskedTemplates()
    unseen = [
        line for line in other if line.is_fatal and learner.learn(line.record.message).template_id not in seen
    ]
    return sum(line.belongs for line in unseen) / len(unseen) if unseen else 0.0


def _marks(lines: Sequence[Line]) -> tuple[Counter[str], Counter[str]]:
    learner = MaskedTemplates()
    yes: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    for line in lines:
        template = learner.learn(line.record.message).template_id
        seen[template] += 1
        yes[template] += line.belongs
    return yes, seen


JUDGES: dict[str, Callable[[Sequence[Line], Sequence[Line]], list[bool]]] = {
    "level": by_level,
    "detection": by_detection,
    "marks": by_marks,
}


def scores(path: Path) -> list[Score]:
    """Judge each half after tuning on the other: by time, and every second line."""
    lines = lines_of(path)
    middle = len(lines) // 2
    splits = {
        "tuned on the first half, judged on the second": (lines[:middle], lines[middle:]),
        "tuned on odd lines, judged on even ones": (lines[::2], lines[1::2]),
    }
    return [
        _score(name, split, judged, judge(tuning, judged))
        for split, (tuning, judged) in splits.items()
        for name, judge in JUDGES.items()
    ]


def _score(judge: str, split: str, lines: Sequence[Line], answers: Sequence[bool]) -> Score:
    alerts = sum(line.belongs for line in lines)
    hits = sum(line.belongs and answer for line, answer in zip(lines, answers, strict=True))
    false = sum(answer and not line.belongs for line, answer in zip(lines, answers, strict=True))
    return Score(judge, split, hits / max(1, alerts), false / max(1, len(lines) - alerts), alerts, len(lines))
