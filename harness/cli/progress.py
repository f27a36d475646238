"""Shows a run's events on stderr: a line for each thing done, a bar for the check that runs."""

import math
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bars

from harness.events import BuildProgress, CheckFinished, CheckProgress, CheckStarted, Event, Note
from harness.reports.console import OUTCOME_STYLES

LINE_EVERY_S = 60.0
"""Where there is no terminal for a bar, a check that runs says so often how far it is."""


class Progress:
    """A handler of events. Where stderr is no terminal it prints lines only."""

    def __init__(self, console: Console) -> None:
        self._bars = Bars(
            TextColumn("  {task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left:"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._console = console
        self._task: TaskID | None = None
        self._started_s = self._told_s = time.monotonic()

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def handle(self, event: Event) -> None:
        """Show one event."""
        match event:
            case Note(text):
                self._print_note(text)
            case BuildProgress(step, total):
                if self._task is None:
                    self._print_note("building the image of this checkout")
                    self._start_bar("building")
                self._advance(step, total)
                if step == total:
                    self._remove_bar()
            case CheckStarted(check_id):
                self._remove_bar()
                self._start_bar(check_id)
            case CheckProgress(check_id, done, total):
                self._advance(done, total)
                self._tell(check_id, done, total)
            case CheckFinished(result):
                self._remove_bar()
                counts = f"{result.executed}/{result.expected}"
                self._console.print(
                    f"  [{OUTCOME_STYLES[result.outcome]}]{result.outcome.value:<14}[/] {result.id:<20} "
                    f"{counts:>12}  {result.duration_s:6.1f} s",
                    highlight=False,
                    soft_wrap=True,
                )

    def _print_note(self, text: str) -> None:
        self._console.print(f"  {escape(text)}", style="dim", highlight=False, soft_wrap=True)

    def _tell(self, check_id: str, done: int, total: int) -> None:
        now_s = time.monotonic()
        if self._console.is_terminal or now_s - self._told_s < LINE_EVERY_S or not done:
            return
        self._told_s = now_s
        left_s = (now_s - self._started_s) / done * (total - done)
        self._print_note(f"{check_id}: {done} of {total}, at most {math.ceil(left_s / 60)} min left")

    def _start_bar(self, name: str) -> None:
        self._started_s = self._told_s = time.monotonic()
        self._task = self._bars.add_task(name, total=None)

    def _advance(self, done: int, total: int) -> None:
        if self._task is not None:
            self._bars.update(self._task, completed=done, total=total)

    def _remove_bar(self) -> None:
        if self._task is not None:
            self._bars.remove_task(self._task)
            self._task = None
