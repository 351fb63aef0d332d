"""Runs in the environment of the tools: what CredSweeper finds in each text, with its defaults."""

from __future__ import annotations

import importlib
import json
import sys
import warnings
from typing import Any


def located(text: str, starts: list[int], line_data: Any) -> tuple[int, int]:
    """Where a value stands: at the line and column reported, or wherever it is first seen."""
    start = starts[line_data.line_num - 1] + line_data.value_start
    if text[start : start + len(line_data.value)] != line_data.value:
        start = max(0, text.find(line_data.value))
    return start, start + len(line_data.value)


def line_starts(lines: list[str]) -> list[int]:
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    return starts


def main() -> None:
    warnings.simplefilter("ignore")
    credsweeper: Any = importlib.import_module("credsweeper")
    texts = json.load(sys.stdin)
    lines = [text.split("\n") for text in texts]
    tool = credsweeper.CredSweeper()
    tool.scan(
        [
            credsweeper.StringContentProvider(of_text, file_path=f"{number}.log", file_type=".log")
            for number, of_text in enumerate(lines)
        ],
        None,
    )
    tool.post_processing(None)
    answers: list[list[tuple[int, int, str]]] = [[] for _ in texts]
    for credential in tool.credential_manager.get_credentials():
        for line_data in credential.line_data_list:
            number = int(line_data.path.partition(".")[0])
            start, end = located(texts[number], line_starts(lines[number]), line_data)
            answers[number].append((start, end, credential.rule_name))
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
