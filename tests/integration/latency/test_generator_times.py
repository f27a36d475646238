"""Times are those of the service, however closely the next request follows."""

import numpy as np

from harness.environment import split_cores
from harness.load import LoadGenerator, LoadPlan, Payload, Side
from harness.load.plan import Arrival


def test_an_answer_is_not_read_only_when_the_next_request_is_due(latency, tmp_path):
    # Spacing below the stretch in which the generator yields rather than sleeps.
    with latency.server(delay_ms=0.0) as server:
        plan = LoadPlan(
            sides=(Side(name="candidate", base_url=server.base_url),),
            payloads=(Payload(method="GET", path="/"),),
            rate_per_s=700.0,
            arrival=Arrival.CONSTANT,
            block_arrivals=700,
            seed=1,
            cpu_affinity=split_cores()[1],
        )
        with LoadGenerator(plan, tmp_path) as generator:
            samples = generator.run_block(0)
    assert not samples.failed.any()
    # Read with the next request, none would take less than the spacing of 1.43 ms.
    assert np.quantile(samples.service_s, 0.1) < 0.7e-3
