"""How long a check goes on asking a service that answers nothing, or as slowly as it may."""

import time

MOST_UNANSWERED = 8
BUDGET_S = 600.0


class Patience:
    """Runs out after 8 requests without an answer, or after ten minutes.

    Each request has a time limit of its own. Without this a service that hangs would hold a check for that
    times the number of its requests.
    """

    def __init__(self, budget_s: float = BUDGET_S) -> None:
        self._unanswered = 0
        self._give_up = time.monotonic() + budget_s

    def note(self, *, answered: bool) -> None:
        """Take note of one request."""
        self._unanswered += not answered

    @property
    def over(self) -> bool:
        """Whether nothing more is asked; a check is then inconclusive, if what it saw is no failure."""
        return self._unanswered >= MOST_UNANSWERED or time.monotonic() >= self._give_up
