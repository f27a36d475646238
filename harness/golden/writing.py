"""Writes a golden set: whole or not at all."""

import gzip
import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import tomlkit

from harness.checks.golden.header import HEADER_FILE, CasesFile, GoldenHeader
from harness.errors import UsageError
from harness.targets.uninterrupted import uninterrupted

CASES = "cases.jsonl"
COMPRESSED = "cases.jsonl.gz"


def require_free(folder: Path, *, force: bool) -> None:
    """Keep what is there unless told otherwise.

    Raises:
        UsageError: when there is a golden set, or when it is or lies below what is no folder.
    """
    for place in (folder, *folder.parents):
        if place.exists() and not place.is_dir():
            raise UsageError(f"{folder} cannot be made: {place} is no folder", fix="name another folder")
    if not force and (folder / HEADER_FILE).exists():
        raise UsageError(
            f"{folder} holds a golden set",
            fix="bless it (`harness golden bless`), name another folder, or replace it with --force",
        )


class GoldenWriter:
    """Cases go into a folder beside, and into place with their header at :meth:`commit`.

    Args:
        folder: Of the set; made where it is missing.
        compress: Whether the cases are gzipped.
    """

    def __init__(self, folder: Path, *, compress: bool) -> None:
        folder.parent.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        self._file = COMPRESSED if compress else CASES
        path = self._beside / self._file
        # Without a time stamp the same cases make the same file.
        self._lines = gzip.GzipFile(path, "wb", mtime=0) if compress else path.open("wb")
        self._digest = hashlib.sha256()
        self._count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lines.close()
        shutil.rmtree(self._beside)

    def add(self, case_id: str, given: Any, expected: dict[str, Any]) -> None:
        """Write one case.

        Raises:
            ValueError: for a value that JSON has not.
        """
        case = {"id": case_id, "input": given, "expected": expected}
        line = json.dumps(case, allow_nan=False).encode() + b"\n"
        self._digest.update(line)
        self._lines.write(line)
        self._count += 1

    @property
    def cases(self) -> CasesFile:
        """What the header says of them."""
        return CasesFile(file=self._file, sha256=self._digest.hexdigest(), count=self._count)

    def commit(self, header: Callable[[CasesFile], GoldenHeader]) -> GoldenHeader:
        """Put cases and header in place of what was there.

        The header goes last, and its digest of the cases tells where only one of them got there.
        """
        self._lines.close()
        made = header(self.cases)
        text = tomlkit.dumps(made.model_dump(exclude_none=True, exclude_defaults=True))
        (self._beside / HEADER_FILE).write_text(text, encoding="utf-8")
        with uninterrupted():
            self._folder.mkdir(exist_ok=True)
            for name in (self._file, HEADER_FILE):
                (self._beside / name).replace(self._folder / name)
            (self._folder / ({CASES, COMPRESSED} - {self._file}).pop()).unlink(missing_ok=True)
        return made
