"""Prometheus metrics of one application instance."""

import collections
from itertools import chain

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from reference_service import __version__
from reference_service.api.schema import Prediction

LATENCY_BUCKETS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
CONTENT_TYPE = CONTENT_TYPE_LATEST


class Metrics:
    """Counters with bounded labels: paths are route paths, never what a client made up."""

    def __init__(self, *, model_name: str, model_version: str) -> None:
        self._version = model_version
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "http_requests",
            "Requests answered.",
            ("path", "status", "model_version"),
            registry=self._registry,
        )
        self._duration = Histogram(
            "http_request_duration_seconds",
            "Time from the first byte handled to the last byte handed over.",
            ("path", "model_version"),
            buckets=LATENCY_BUCKETS_S,
            registry=self._registry,
        )
        self._predictions = Counter(
            "inference_predictions",
            "Rows answered, by label.",
            ("label", "model_version"),
            registry=self._registry,
        )
        self._out_of_range = Counter(
            "inference_out_of_range",
            "Values outside the range seen in training, by feature.",
            ("feature", "model_version"),
            registry=self._registry,
        )
        build = Gauge(
            "inference_build_info",
            "Always 1; what is running is in the labels.",
            ("model", "model_version", "service_version"),
            registry=self._registry,
        )
        build.labels(model_name, model_version, __version__).set(1)

    def observe_request(self, *, path: str, status: int, duration_s: float) -> None:
        """Count one answered request."""
        self._requests.labels(path, str(status), self._version).inc()
        self._duration.labels(path, self._version).observe(duration_s)

    def observe_predictions(self, predictions: list[Prediction]) -> None:
        """Count answered rows and their flagged values."""
        for label, rows in collections.Counter(prediction.label for prediction in predictions).items():
            self._predictions.labels(label, self._version).inc(rows)
        flagged = chain.from_iterable(prediction.out_of_range for prediction in predictions)
        for feature, values in collections.Counter(flagged).items():
            self._out_of_range.labels(feature, self._version).inc(values)

    def exposition(self) -> bytes:
        """Return everything in the Prometheus text format."""
        return generate_latest(self._registry)
