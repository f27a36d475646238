"""The inputs that metamorphic relations are asked with: no answer to them need be known."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.checks.golden.golden_set import Case, load_golden_set, open_golden_set
from harness.checks.golden.settings import GoldenSettings, MetamorphicSettings
from harness.checks.golden.wire import parse_json
from harness.config.suite import Suite
from harness.errors import ConfigError
from harness.pointer import PointerError, resolve


@dataclass(frozen=True)
class Inputs:
    """Inputs as cases of which nothing is expected."""

    source: str
    cases: tuple[Case, ...]


def verify_inputs(suite: Suite, golden: GoldenSettings, settings: MetamorphicSettings) -> None:
    """Read them all.

    Raises:
        ConfigError: when a line is wrong, or there are fewer than two.
    """
    if settings.file is None:
        load_golden_set(suite, golden)
    else:
        path = suite.resolve(settings.file, key="golden.metamorphic.file")
        _require_two(sum(1 for _ in _read(path, settings.pointer)), path)


def load_inputs(suite: Suite, golden: GoldenSettings, settings: MetamorphicSettings, seed: int) -> Inputs:
    """A seeded sample of them, in their order.

    Raises:
        ConfigError: as :func:`verify_inputs`.
    """
    if settings.file is None:
        cases = open_golden_set(suite, golden).cases
        chosen = _sample(len(cases), settings.most, seed)
        return Inputs("the golden cases", tuple(case for at, case in enumerate(cases) if at in chosen))
    path = suite.resolve(settings.file, key="golden.metamorphic.file")
    available = sum(1 for _ in _read(path, settings.pointer))
    _require_two(available, path)
    chosen = _sample(available, settings.most, seed)
    read = enumerate(_read(path, settings.pointer))
    return Inputs(settings.file, tuple(case for at, case in read if at in chosen))


def _sample(available: int, most: int, seed: int) -> frozenset[int]:
    return frozenset(random.Random(seed).sample(range(available), min(available, most)))  # noqa: S311 - no secret


def _require_two(available: int, path: Path) -> None:
    if available < 2:  # noqa: PLR2004 - one answer is like itself
        raise ConfigError(
            file=path, problem=f"{available} inputs have nothing to be held against", allowed="two or more"
        )


def _read(path: Path, pointer: str) -> Iterator[Case]:
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                yield Case(id=f"line {number}", input=_at(line, pointer, path, number), expected={})
    except OSError as error:
        raise ConfigError(file=path, problem=f"cannot be read: {error}", allowed="JSON lines") from error


def _at(line: bytes, pointer: str, path: Path, number: int) -> Any:
    try:
        return resolve(parse_json(line), pointer)
    except ValueError as error:
        raise ConfigError(
            file=path, key=f"line {number}", problem=f"not JSON: {error}", allowed="one JSON value a line"
        ) from error
    except PointerError as error:
        raise ConfigError(
            file=path,
            key=f"line {number}",
            value=pointer,
            problem=str(error),
            allowed="golden.metamorphic.pointer points to the input in every line",
        ) from error
