"""Reads a Prometheus text exposition: samples by name and labels."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families


class ExpositionError(ValueError):
    """The text is not in the Prometheus format."""


@dataclass(frozen=True)
class Exposition:
    """Samples of one scrape."""

    samples: tuple[tuple[str, Mapping[str, str], float], ...]

    @classmethod
    def parse(cls, text: str) -> "Exposition":
        """Read a whole text.

        Raises:
            ExpositionError: it is not in the format.
        """
        try:
            families = list(text_string_to_metric_families(text))
        except Exception as error:  # the parser raises whatever it trips over
            raise ExpositionError(f"not in the Prometheus text format: {error}") from error
        return cls(
            tuple(
                (sample.name, dict(sample.labels), sample.value)
                for family in families
                for sample in family.samples
            )
        )

    def total(self, name: str, **labels: str) -> float | None:
        """The sum of all samples of a name that have these labels; None where there is none of the name."""
        named = [(having, value) for sample, having, value in self.samples if sample == name]
        if not named:
            return None
        wanted = labels.items()
        found = math.fsum(value for having, value in named if wanted <= having.items())
        return found if math.isfinite(found) else math.nan
