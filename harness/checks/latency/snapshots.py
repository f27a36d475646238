"""What both services exposed of themselves at one time."""

from harness.model import Model, Utf8Text


class Snapshot(Model):
    """What one side exposed at one time.

    Attributes:
        side: `candidate` or `reference`.
        taken_s: Unix time at which it was asked.
        file: Its text, relative to the check's folder; secrets are replaced.
        problem: Why there is no whole and readable text; empty where there is.
        counters: Of each declared one the sum of all its series; None where it is not there, or no number.
    """

    side: str
    taken_s: float
    file: str
    problem: Utf8Text = ""
    counters: dict[str, float | None] = {}
