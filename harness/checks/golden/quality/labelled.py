"""Labelled cases: what the truth is, beside what a model once answered."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from harness.checks.golden.golden_set import Case, load_golden_set
from harness.checks.golden.quality.settings import QualitySettings
from harness.checks.golden.settings import GoldenSettings
from harness.checks.golden.wire import parse_json
from harness.config.problems import config_error
from harness.config.section import Section
from harness.config.suite import Suite
from harness.errors import ConfigError

Label = str | bool | int


class LabelledCase(Section):
    """One line of the file.

    Attributes:
        id: Unique; of a golden case where there is no input.
        label: The true one.
        input: What the suite's body template substitutes; None takes the golden case's.
    """

    id: str
    label: Label
    input: Any = None


def load_labelled(suite: Suite, golden: GoldenSettings, quality: QualitySettings) -> list[LabelledCase]:
    """The labelled cases, each with its input.

    Raises:
        ConfigError: when a line is wrong, when it names no golden case, or when there is nothing to measure.
    """
    path = suite.resolve(f"{golden.path}/{quality.file}", key="golden.quality.file")
    cases = list(_read(path))
    wanted = {case.id for case in cases if case.input is None}
    known = load_golden_set(suite, golden).cases if wanted else ()
    inputs = {case.id: case.input for case in known if case.id in wanted}
    for number, case in enumerate(cases, 1):
        if case.input is None and case.id not in inputs:
            raise ConfigError(
                file=path,
                key=f"line {number}: id",
                value=case.id,
                problem="has no input, and the golden set has no case of that id",
                allowed="an input, or the id of a golden case",
            )
    _require_classes(cases, quality, path)
    return [
        case if case.input is not None else case.model_copy(update={"input": inputs[case.id]})
        for case in cases
    ]


def as_golden(case: LabelledCase) -> Case:
    """The case as the golden requests are built from; nothing is expected of it but its label."""
    return Case(id=case.id, input=case.input, expected={})


def _read(path: Path) -> Iterator[LabelledCase]:
    seen: set[str] = set()
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise ConfigError(file=path, problem=f"cannot be read: {error}", allowed="JSON lines") from error
    for number, line in enumerate(lines, 1):
        key = f"line {number}"
        try:
            document = parse_json(line)
        except ValueError as error:
            raise ConfigError(
                file=path, key=key, problem=f"not JSON: {error}", allowed="one JSON object a line"
            ) from error
        try:
            case = LabelledCase.model_validate(document)
        except ValidationError as error:
            raise config_error(error, LabelledCase, path, key=key) from error
        if case.id in seen:
            raise ConfigError(file=path, key=f"{key}: id", value=case.id, problem="is there twice")
        seen.add(case.id)
        yield case


def _require_classes(cases: list[LabelledCase], quality: QualitySettings, path: Path) -> None:
    if not cases:
        raise ConfigError(file=path, problem="has no case", allowed="at least one line")
    if quality.positive is None:
        return
    positive = [same(case.label, quality.positive) for case in cases]
    if all(positive) or not any(positive):
        raise ConfigError(
            file=path,
            key="label",
            value=quality.positive,
            problem=f"{sum(positive)} of {len(cases)} cases have this label: nothing to tell apart",
            allowed="cases of the positive label and of another",
        )


def same(label: Any, other: Label) -> bool:
    """Whether two labels are one; True is not 1."""
    return type(label) is type(other) and label == other
