"""Drift: how far the rows served of late are from those of training, as the population stability index.

The window is two blocks of counts per worker. When the newer one has `BLOCK_ROWS` rows it becomes the older
one, and the older one is forgotten: the index is over the last one to two blocks of each worker, in constant
memory. Counts add up, indices do not: workers share their counts, and the index is computed when it is asked
for. Up to `GATHERED_ROWS` rows of each other worker are not yet among them.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from reference_service.telemetry.baseline import Baseline
from reference_service.telemetry.shared import counts_file, counts_files, shared_folder

BLOCK_ROWS = 10_000
MIN_ROWS = 1_000
"""Without any drift, over M rows against N of training in B bins, the index is about (1/N + 1/M) times a
chi-squared of B - 1 degrees of freedom (Yurdakul and Naranjo, "Statistical properties of the population
stability index", 2020). Fewer rows than this would by chance alone often pass the customary 0.1."""
GATHERED_ROWS = 64
"""Binned at once: many rows cost little more than one."""
LEAST_SHARE = 1e-4
"""Taken for the share of a bin that holds less, as an empty one would make the index infinite. It is the
customary value, and smaller than the share of one row of `MIN_ROWS`."""

Counts = NDArray[np.int64]


def stability_index(expected: Counts, actual: Counts) -> NDArray[np.float64]:
    """Return the sum of (q - p) ln(q / p) over the last axis, p and q being the shares of each bin.

    The formula is that of N. Siddiqi, "Credit Risk Scorecards", 2006; it is 0 for equal shares and positive
    otherwise. Neither may be without rows.
    """
    p = np.maximum(expected / expected.sum(axis=-1, keepdims=True), LEAST_SHARE)
    q = np.maximum(actual / actual.sum(axis=-1, keepdims=True), LEAST_SHARE)
    index: NDArray[np.float64] = ((q - p) * np.log(q / p)).sum(axis=-1)
    return index


class Drift(Collector):
    """Counts served rows in the bins of a baseline, and gives the indices when metrics are collected.

    Args:
        baseline: The counts of training.
        common: The labels that every series has.
    """

    def __init__(self, baseline: Baseline, common: Mapping[str, str]) -> None:
        self._common = common
        self._features = [feature.name for feature in baseline.features]
        self._classes = {label: number for number, label in enumerate(baseline.predictions)}
        bins = max(len(feature.counts) for feature in baseline.features)
        # A feature with fewer bins gets more, behind an edge that no value reaches: empty on both sides.
        self._edges = np.full((len(self._features), bins - 1), np.inf)
        self._expected = np.zeros((len(self._features), bins), dtype=np.int64)
        for row, feature in enumerate(baseline.features):
            self._edges[row, : len(feature.edges)] = feature.edges
            self._expected[row, : len(feature.counts)] = feature.counts
        self._expected_classes = np.asarray(list(baseline.predictions.values()), dtype=np.int64)
        self._first_bins = np.arange(len(self._features)) * bins
        self._shape = (2, self._expected.size + len(self._classes))
        self._folder = shared_folder()
        self._blocks: Counts = np.zeros(self._shape, dtype=np.int64)
        if self._folder:
            path = counts_file(self._folder, os.getpid())
            self._blocks = np.asarray(np.memmap(path, np.int64, mode="w+", shape=self._shape))
        self._newer = 0
        self._gathered: list[NDArray[np.float32]] = []
        self._gathered_labels: list[str] = []

    def add(self, observed: NDArray[np.float32], labels: Sequence[str]) -> None:
        """Take note of answered rows: what is observed of them, shape [n, features], and their labels."""
        self._gathered.append(observed)
        self._gathered_labels.extend(labels)
        if len(self._gathered_labels) >= GATHERED_ROWS:
            self._count()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the number of rows and, if they are enough, the indices."""
        if self._gathered:
            self._count()
        counts = self._all_blocks().sum(axis=0)
        features = counts[: self._expected.size].reshape(self._expected.shape)
        classes = counts[self._expected.size :]
        rows = int(classes.sum())
        yield self._gauge("inference_drift_rows", "Rows that the stability indices are over.", {(): rows})
        if rows < MIN_ROWS:
            return
        indices = stability_index(self._expected, features).tolist()
        yield self._gauge(
            "inference_drift_psi",
            "Population stability index of a feature against training.",
            {(name,): index for name, index in zip(self._features, indices, strict=True)},
            "feature",
        )
        index = float(stability_index(self._expected_classes, classes))
        yield self._gauge(
            "inference_prediction_drift_psi",
            "Population stability index of the predicted labels against training.",
            {(): index},
        )

    def _count(self) -> None:
        """Put the gathered rows into their bins; a value on an edge belongs to the bin above it."""
        values = np.concatenate(self._gathered)
        classes = [self._classes[label] for label in self._gathered_labels]
        self._gathered, self._gathered_labels = [], []
        bins = (values[:, :, None] >= self._edges).sum(axis=2) + self._first_bins
        newer = self._blocks[self._newer]
        newer[: self._expected.size] += np.bincount(bins.ravel(), minlength=self._expected.size)
        newer[self._expected.size :] += np.bincount(classes, minlength=len(self._classes))
        if newer[self._expected.size :].sum() >= BLOCK_ROWS:
            self._newer = 1 - self._newer
            self._blocks[self._newer] = 0

    def _all_blocks(self) -> Counts:
        """Return the blocks of this worker and its siblings, added up."""
        if self._folder is None:
            return self._blocks
        total = np.zeros(self._shape, dtype=np.int64)
        for path in counts_files(self._folder):
            with suppress(FileNotFoundError):  # its worker has just ended
                counts = np.fromfile(path, dtype=np.int64)
                if counts.size == total.size:  # it has just started
                    total += counts.reshape(self._shape)
        return total

    def _gauge(
        self, name: str, meaning: str, values: Mapping[tuple[str, ...], float], *labels: str
    ) -> GaugeMetricFamily:
        gauge = GaugeMetricFamily(name, meaning, labels=[*labels, *self._common])
        for own, value in values.items():
            gauge.add_metric([*own, *self._common.values()], value)
        return gauge
