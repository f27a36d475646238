"""Counts by whatever path was asked for."""

import sys

from reference_service.__main__ import main
from reference_service.telemetry.metrics import Metrics

bounded = Metrics.observe_request


def by_any_path(self, *, path, **request):
    """Also by one that does not exist."""
    self._paths |= {path}
    bounded(self, path=path, **request)


Metrics.observe_request = by_any_path
sys.exit(main())
