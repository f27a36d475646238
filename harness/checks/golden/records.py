"""Records of cases in a file of JSON lines: written as they come, read as they are needed."""

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Self, overload

from harness.model import Model, Utf8Text

RECORDS_FILE = "answers.jsonl"


class CaseRecord(Model):
    """One case: what was expected and what was answered.

    Attributes:
        observed: The raw JSON value of each output that the answer has.
        missing: Why an output has no value, by its name.
        extra: Pointers to what else the answer holds, at most 8; empty where the suite does not look.
        problem: Why there is no answer to compare at all; empty when there is one.
        body: The request's body; empty in a batch, which has no request for one case.
    """

    id: str
    expected: dict[str, Any]
    observed: dict[str, Any] = {}
    missing: dict[str, str] = {}
    extra: tuple[Utf8Text, ...] = ()
    problem: Utf8Text = ""
    body: str = ""


class RecordFile(Sequence[CaseRecord]):
    """The records of ``RECORDS_FILE``, in memory only their offsets: eight bytes for each.

    Raises:
        OSError: when there is no such file.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / RECORDS_FILE
        self._offsets = array("Q", [0])
        with self._path.open("rb") as lines:
            for line in lines:
                self._offsets.append(self._offsets[-1] + len(line))

    @classmethod
    def write(cls, folder: Path, records: Iterable[CaseRecord], redact: Callable[[str], str]) -> Self:
        """Write the records as they come, secrets replaced."""
        with (folder / RECORDS_FILE).open("w", encoding="utf-8") as lines:
            for record in records:
                lines.write(redact(record.model_dump_json()) + "\n")
        return cls(folder)

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def __iter__(self) -> Iterator[CaseRecord]:
        return self._read(0, len(self))

    @overload
    def __getitem__(self, index: int) -> CaseRecord: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[CaseRecord]: ...

    def __getitem__(self, index: int | slice) -> CaseRecord | Sequence[CaseRecord]:
        if isinstance(index, slice):
            start, stop, step = index.indices(len(self))
            return (
                list(self._read(start, stop))[::step]
                if step > 0
                else [self[n] for n in range(start, stop, step)]
            )
        at = range(len(self))[index]
        return next(self._read(at, at + 1))

    def _read(self, start: int, stop: int) -> Iterator[CaseRecord]:
        with self._path.open("rb") as lines:
            lines.seek(self._offsets[start])
            for _ in range(start, stop):
                yield CaseRecord.model_validate_json(lines.readline())
