"""Prometheus metrics of the service: every name and label, resolved once so that counting is cheap."""

import time
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from itertools import chain
from typing import TypeVar

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from reference_service import __version__
from reference_service.prediction import Prediction
from reference_service.telemetry.shared import shared_folder

CONTENT_TYPE = CONTENT_TYPE_LATEST
REQUEST_BUCKETS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
INFERENCE_BUCKETS_S = (0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25)
ROWS_BUCKETS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"})
QUOTAS = ("key", "address", "global", "rows", "metadata")
COMMON_LABELS = ("model_version", "deployment_id")
OTHER = "other"

Kind = TypeVar("Kind", bound=MetricWrapperBase)


class Metrics:
    """What one application counts. Label values are bounded: nothing that a client made up becomes one.

    With several workers (`telemetry.shared`) each counts in a file of its own, and whichever answers /metrics
    adds them up. A series whose label values are all known from the start is there from the start, at 0.

    Args:
        model: Name and version of the model.
        deployment_id: What the operator calls this deployment.
        paths: The paths that become labels; any other counts as `other`.
        classes: The labels that the model predicts.
        features: The features that can be out of range; none for a model without named features.
    """

    def __init__(
        self,
        *,
        model: tuple[str, str],
        deployment_id: str,
        paths: frozenset[str],
        classes: Sequence[str],
        features: Sequence[str],
    ) -> None:
        self._model_name, model_version = model
        self._common = (model_version, deployment_id)
        self._paths = paths
        folder = shared_folder()
        # A series of its own for each counter, which several workers do not have anyway.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = CollectorRegistry()
        self._exposed = self._registry
        if folder:
            self._exposed = CollectorRegistry()
            MultiProcessCollector(self._exposed, path=str(folder))  # type: ignore[no-untyped-call]

        requests = self._counter("http_requests", "Requests answered.", "path", "method", "status")
        durations = self._histogram(
            "http_request_duration_seconds",
            "From the end of a request's head to the last byte of its answer handed over.",
            REQUEST_BUCKETS_S,
            "path",
        )
        errors = self._counter(
            "http_request_errors", "Requests answered with an error, by its code.", "path", "code"
        )
        # Resolving labels costs more than counting: each combination is resolved once.
        self._requests = cache(lambda *values: requests.labels(*values, *self._common))
        self._durations = cache(lambda path: durations.labels(path, *self._common))
        self._errors = cache(lambda *values: errors.labels(*values, *self._common))

        self._inference = self._only(
            self._histogram(
                "inference_duration_seconds", "Of one run of the model alone.", INFERENCE_BUCKETS_S
            )
        )
        self._rows = self._only(
            self._histogram("inference_batch_size", "Rows in one run of the model.", ROWS_BUCKETS)
        )
        self._predictions = self._each(
            self._counter("inference_predictions", "Rows answered, by label.", "label"), classes
        )
        self._out_of_range = self._each(
            self._counter(
                "inference_out_of_range",
                "Values outside the range seen in training, by feature.",
                "feature",
            ),
            features,
        )
        self.queue_depth = self._only(
            self._gauge("inference_queue_depth", "Requests that wait for a run of the model.")
        )
        """A live gauge: `inc()` and `dec()` it."""
        self.in_flight = self._only(
            self._gauge("inference_in_flight", "Requests that a run of the model is answering.")
        )
        """A live gauge: `inc()` and `dec()` it."""
        self._queue_rejections = self._only(
            self._counter("inference_queue_rejections", "Requests refused because the queue was full.")
        )
        self._rate_limited = self._each(
            self._counter("rate_limited", "Requests refused by a quota, by quota.", "quota"), QUOTAS
        )
        self._rate_limit_storage_errors = self._only(
            self._counter("rate_limit_storage_errors", "Times that the storage of the quotas failed.")
        )
        self._stale = self._gauge(
            "mounted_file_stale",
            "1 while a changed file can't be used and what was read before stays.",
            "file",
            mode="livemax",
        )
        self._build_info = self._gauge(
            "inference_build_info",
            "Always 1; what is running is in the labels.",
            *("model", "service_version", "execution_provider"),
            mode="max",
        )
        started = self._gauge(
            "process_start_time_seconds",
            "When the service (of several workers, the first) started, in seconds since the epoch.",
            mode="min",
        )
        started.labels(*self._common).set(time.time())

    def tell_stale(self, file: str) -> Callable[[float], None]:
        """Return what takes 1 when a mounted file became unusable, and 0 when it was read."""
        return self._stale.labels(file, *self._common).set

    def built_with(self, execution_provider: str) -> None:
        """Tell what is running, once the model is loaded."""
        self._build_info.labels(self._model_name, __version__, execution_provider, *self._common).set(1)

    def observe_request(
        self, *, path: str, method: str, status: int, duration_s: float, error_code: str | None = None
    ) -> None:
        """Count one answered request; `error_code` is one of the error schema, None for a success."""
        path = path if path in self._paths else OTHER
        self._requests(path, method if method in METHODS else OTHER, status).inc()
        self._durations(path).observe(duration_s)
        if error_code is not None:
            self._errors(path, error_code).inc()

    def observe_run(self, *, rows: int, duration_s: float) -> None:
        """Count one run of the model."""
        self._inference.observe(duration_s)
        self._rows.observe(rows)

    def observe_predictions(self, predictions: Sequence[Prediction]) -> None:
        """Count answered rows and their flagged values."""
        _add(self._predictions, (prediction.label for prediction in predictions))
        _add(self._out_of_range, chain.from_iterable(prediction.out_of_range for prediction in predictions))

    def queue_rejected(self) -> None:
        """Count a request that was refused because the queue was full."""
        self._queue_rejections.inc()

    def rate_limited(self, quota: str) -> None:
        """Count a request that was refused by one of `QUOTAS`."""
        self._rate_limited[quota].inc()

    def rate_limit_storage_failed(self) -> None:
        """Count a failure of the storage in which quotas are counted."""
        self._rate_limit_storage_errors.inc()

    def expose(self, collector: Collector) -> None:
        """Add what is computed when it is asked for."""
        self._exposed.register(collector)

    def exposition(self) -> bytes:
        """Return everything in the Prometheus text format."""
        return generate_latest(self._exposed)

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return Counter(name, meaning, (*labels, *COMMON_LABELS), registry=self._registry)

    def _gauge(self, name: str, meaning: str, *labels: str, mode: str = "livesum") -> Gauge:
        return Gauge(
            name,
            meaning,
            (*labels, *COMMON_LABELS),
            registry=self._registry,
            multiprocess_mode=mode,  # type: ignore[arg-type]  # a literal whose type is not exported
        )

    def _histogram(self, name: str, meaning: str, buckets: Sequence[float], *labels: str) -> Histogram:
        return Histogram(name, meaning, (*labels, *COMMON_LABELS), registry=self._registry, buckets=buckets)

    def _only(self, metric: Kind) -> Kind:
        """Return the one series of a metric without labels of its own."""
        return metric.labels(*self._common)

    def _each(self, metric: Kind, values: Iterable[str]) -> dict[str, Kind]:
        """Return the series of each value of a metric's only label of its own."""
        return {value: metric.labels(value, *self._common) for value in values}


def _add(series: dict[str, Counter], values: Iterable[str]) -> None:
    """Count each value in its series, once for all rows that have it."""
    counts: dict[str, int] = {}
    for value in values:
        counts[value] = counts.get(value, 0) + 1
    for value, count in counts.items():
        series[value].inc(count)
