"""Refuses by a quota without counting that."""

import sys

from reference_service.__main__ import main
from reference_service.telemetry.metrics import Metrics

Metrics.rate_limited = lambda *_: None
sys.exit(main())
