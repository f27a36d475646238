"""Exposes a metric more, with labels of its own."""

import sys

from prometheus_client import Counter

from reference_service.__main__ import main
from reference_service.telemetry.metrics import Metrics

declared = Metrics.__init__
count = Metrics.observe_request


def extended(self, **what):
    """Nobody declared it, and nobody needs it."""
    declared(self, **what)
    self.answers = Counter("answers", "By their kind.", ("kind", "region"), registry=self._registry)


def counted_twice(self, *, status, **request):
    """Once as always, once more for the new one."""
    count(self, status=status, **request)
    self.answers.labels("refused" if status >= 400 else "given", "north").inc()


Metrics.__init__ = extended
Metrics.observe_request = counted_twice
sys.exit(main())
