"""Reads a Prometheus text exposition: samples by name and labels."""

import contextlib
import math
from collections.abc import Mapping
from dataclasses import dataclass

import prometheus_client
from prometheus_client.parser import text_string_to_metric_families


class ExpositionError(ValueError):
    """The text is not in the Prometheus format."""


MOST_LINES = 100_000
LONGEST_LINE = 16 * 1024
"""Characters. The parser takes time with the square of a line's length, and a service writes the lines."""
OF_A_SAMPLE = frozenset({"le", "quantile"})
"""Labels that tell the samples of one histogram or summary apart."""


@dataclass(frozen=True)
class Metric:
    """One metric.

    Attributes:
        type: As ``# TYPE`` says it.
        labels: Names of its labels, of all its series together.
        series: How many series it has; a histogram with all its buckets is one.
    """

    type: str
    labels: frozenset[str]
    series: int


@dataclass(frozen=True)
class Exposition:
    """One scrape.

    Attributes:
        samples: Name, labels, value.
        metrics: By name as exposed: of a counter with ``_total``, of a histogram without ``_bucket``.
    """

    samples: tuple[tuple[str, Mapping[str, str], float], ...]
    metrics: Mapping[str, Metric]

    @classmethod
    def parse(cls, text: str) -> "Exposition":
        """Read a whole text.

        Raises:
            ExpositionError: it is not in the format, or more than is read.
        """
        _require_bounded(text)
        try:
            families = list(text_string_to_metric_families(text))
        except Exception as error:  # the parser raises whatever it trips over
            raise ExpositionError(f"not in the Prometheus text format: {error}") from error
        return cls(
            tuple(
                (sample.name, dict(sample.labels), _as_float(sample.value))
                for family in families
                for sample in family.samples
            ),
            dict(map(_metric, families)),
        )

    def buckets(self, name: str, **labels: str) -> dict[float, float]:
        """Of a histogram the cumulative counts by their upper bound, of all series with these labels."""
        counts: dict[float, float] = {}
        for sample, having, value in self.samples:
            if sample == f"{name}_bucket" and labels.items() <= having.items() and "le" in having:
                with contextlib.suppress(ValueError):
                    bound = float(having["le"])
                    counts[bound] = counts.get(bound, 0.0) + value
        return counts

    def total(self, name: str, **labels: str) -> float | None:
        """The sum of all samples of a name that have these labels; None where there is none of the name."""
        named = [(having, value) for sample, having, value in self.samples if sample == name]
        if not named:
            return None
        wanted = labels.items()
        try:
            found = math.fsum(value for having, value in named if wanted <= having.items())
        except (ValueError, OverflowError):  # infinities of both signs, a sum beyond a double
            return math.nan
        return found if math.isfinite(found) else math.nan


def _as_float(value: float) -> float:
    """The parser gives an integer of any size where there is no point."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _require_bounded(text: str) -> None:
    lines = text.split("\n")
    if len(lines) > MOST_LINES:
        raise ExpositionError(f"{len(lines)} lines, more than {MOST_LINES}")
    if (longest := max(map(len, lines))) > LONGEST_LINE:
        raise ExpositionError(f"a line of {longest} characters, more than {LONGEST_LINE}")


def _metric(family: prometheus_client.Metric) -> tuple[str, Metric]:
    """The parser names a counter without the ``_total`` of its samples."""
    exposed = f"{family.name}_total" if family.type == "counter" else family.name
    series = {
        frozenset((name, value) for name, value in sample.labels.items() if name not in OF_A_SAMPLE)
        for sample in family.samples
    }
    labels = frozenset(name for pairs in series for name, _ in pairs)
    return exposed, Metric(family.type, labels, len(series))
