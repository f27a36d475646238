"""What ``harness doctor`` says of the packages that harness stands on."""

import re
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import PackageNotFoundError, requires
from importlib.metadata import version as installed_version

from harness.cli.diagnosis import Diagnosis, State

REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)(?:\[[^]]*\])?(?:(>=|==)([0-9.]+))?")
FIX = "install it anew: `make venv` in a checkout, or pip with its requirements"


def diagnose_packages(
    required: Iterable[str] | None = None, version: Callable[[str], str] = installed_version
) -> Diagnosis:
    """Whether each package that harness requires is there in a version that it can use.

    Args:
        required: Requirements as packaging metadata has them; None for harness's own.
        version: The installed version of a package; raises PackageNotFoundError.
    """
    declared = list((requires("harness") or ()) if required is None else required)
    wrong = list(_wrong(declared, version))
    if wrong:
        return Diagnosis("packages", State.FAIL, "; ".join(wrong), FIX)
    return Diagnosis("packages", State.OK, f"harness {installed_version('harness')}, with what it requires")


def _wrong(required: Iterable[str], version: Callable[[str], str]) -> Iterator[str]:
    for requirement in required:
        if ";" in requirement:
            continue  # of an extra, which the command that needs it asks for
        if (match := REQUIREMENT.fullmatch(requirement.strip())) is None:
            continue
        name, operator, bound = match.groups()
        try:
            here = version(name)
        except PackageNotFoundError:
            yield f"{name} is missing"
            continue
        exact, least = operator == "==", _numbers(bound or "0")
        if (exact and here != bound) or (not exact and _numbers(here) < least):
            yield f"{name} is {here}, {operator}{bound} is needed"


def _numbers(text: str) -> tuple[int, ...]:
    """The release of a version: 4.32.5rc1 counts as 4.32.5."""
    return tuple(int(number) for number in re.findall(r"\d+", re.split(r"[^0-9.]", text)[0]))
