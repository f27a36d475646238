"""Open-loop load by Locust, in a process of its own; nothing that this imports imports Locust.

::

    with LoadGenerator(plan, folder) as generator:
        samples = generator.run_block(0)
"""

from harness.load.generator import GeneratorError, LoadGenerator
from harness.load.plan import Arrival, LoadPlan, Payload, Side
from harness.load.protocol import Cluster, WebAddress
from harness.load.samples import RequestOutcome, Samples
from harness.load.validity import LoadHealth, measure_health

__all__ = [
    "Arrival",
    "Cluster",
    "GeneratorError",
    "LoadGenerator",
    "LoadHealth",
    "LoadPlan",
    "Payload",
    "RequestOutcome",
    "Samples",
    "Side",
    "WebAddress",
    "measure_health",
]
