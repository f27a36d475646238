"""Open-loop load by Locust, in a process of its own; nothing here imports Locust but `worker` and `user`.

::

    with LoadGenerator(plan, folder) as generator:
        samples = generator.run_block(0)
"""

from harness.load.generator import GeneratorError, LoadGenerator
from harness.load.plan import Arrival, LoadPlan, Payload, Side
from harness.load.samples import RequestOutcome, Samples
from harness.load.validity import LoadHealth, measure_health

__all__ = [
    "Arrival",
    "GeneratorError",
    "LoadGenerator",
    "LoadHealth",
    "LoadPlan",
    "Payload",
    "RequestOutcome",
    "Samples",
    "Side",
    "measure_health",
]
