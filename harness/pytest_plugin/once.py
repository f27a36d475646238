"""One gate a session, however many processes the session has."""

import fcntl
import json
from collections.abc import Callable
from pathlib import Path

from harness.errors import HarnessError, InfrastructureError
from harness.pytest_plugin.items import Made
from harness.reports.store import load_report


class Once:
    """Makes the gate when first asked, and never again: what failed would be a second try.

    Args:
        make: Makes it.
        shared: A folder of all workers of the session; None where there are none.
    """

    def __init__(self, make: Callable[[], Made], shared: Path | None) -> None:
        self._make = make
        self._shared = shared
        self._made: Made | Exception | None = None

    def __call__(self) -> Made:
        """The report and its path.

        Raises:
            Exception: the same each time, where it could not be made.
        """
        if self._made is None:
            try:
                self._made = self._make() if self._shared is None else among_workers(self._shared, self._make)
            except Exception as error:  # noqa: BLE001 - whatever it is, every item ends of it
                self._made = error
        if isinstance(self._made, Exception):
            raise self._made
        return self._made


def among_workers(folder: Path, make: Callable[[], Made]) -> Made:
    """Make it, or wait for the worker that does and read what it has made.

    The lock ends with the worker that holds it, however that ends.

    Raises:
        HarnessError: it could not be made, here or there.
    """
    begun, ended = folder / "begun", folder / "ended.json"
    with (folder / "lock").open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not begun.exists():
            begun.touch()
            return _made_and_told(make, ended)
    if not ended.exists():
        raise InfrastructureError("the worker that made the gate ended before the gate did")
    how = json.loads(ended.read_text(encoding="utf-8"))
    if "error" in how:
        raise HarnessError(how["error"], fix=how["fix"])
    path = Path(how["report"])
    return load_report(path), path


def _made_and_told(make: Callable[[], Made], ended: Path) -> Made:
    try:
        made = make()
    except Exception as error:
        kind = "" if isinstance(error, HarnessError) else f"{type(error).__name__}: "
        how = {"error": f"{kind}{error}", "fix": getattr(error, "fix", "")}
        ended.write_text(json.dumps(how), encoding="utf-8")
        raise
    ended.write_text(json.dumps({"report": str(made[1].absolute())}), encoding="utf-8")
    return made
