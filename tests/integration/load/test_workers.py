"""Who may be a worker: strangers never see the plan, and one too many is told so."""

import subprocess
import sys
import time
from contextlib import contextmanager

from local_processes import free_port, kill

from harness.load import Cluster, LoadGenerator, LoadPlan, Payload, Side

TIMEOUT_S = 60
KEY = "a-secret-of-some-length"
STRANGER = """
import sys
from gevent import monkey
monkey.patch_all()
from harness.load.remote import Node

class Stranger(Node):
    def _take_plan(self, msg, **_):
        print(msg.data["plan"], flush=True)

node = Stranger("127.0.0.1", int(sys.argv[1]))
node.runner.greenlet.join()
print("refused:", node.refused, flush=True)
"""


def plan_to(url, *, seconds):
    return LoadPlan(
        sides=(Side(name="target", base_url=url),),
        payloads=(Payload(method="GET", path="/", headers={"X-API-Key": KEY}),),
        rate_per_s=40.0,
        block_arrivals=round(40 * seconds),
        seed=1,
        warmup_requests=5,
    )


@contextmanager
def running(*command):
    with subprocess.Popen(
        [sys.executable, *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            kill(process)


def test_a_stranger_who_comes_first_gets_no_plan_and_spoils_no_load(delay_server, tmp_path):
    port = free_port()
    cluster = Cluster(port=port, workers=2, local_workers=2)
    with delay_server(delay_ms=1) as url, running("-c", STRANGER, str(port)) as stranger:
        time.sleep(3)  # it connects as soon as there is a master, before the workers have started
        with LoadGenerator(plan_to(url, seconds=2), tmp_path, cluster=cluster) as generator:
            samples = generator.run_block(0)
        said, complaint = stranger.communicate(timeout=TIMEOUT_S)
    assert samples.side.size == 80
    assert not samples.failed.any()
    assert KEY not in said + complaint
    assert "refused: this master takes only the workers that it has started" in said


def test_a_worker_too_many_is_told_so_and_the_load_goes_on(delay_server, tmp_path):
    port = free_port()
    cluster = Cluster(port=port, workers=1)
    node = ("-m", "harness.load.node", "127.0.0.1", str(port))
    with (
        delay_server(delay_ms=1) as url,
        running(*node) as worker,
        LoadGenerator(plan_to(url, seconds=6), tmp_path, cluster=cluster) as generator,
        running(*node) as surplus,
    ):
        samples = generator.run_block(0)
        said = surplus.communicate(timeout=TIMEOUT_S)[1]
        assert worker.poll() is None
    assert samples.side.size == 240
    assert "this master has its 1 workers already" in said
    assert surplus.returncode == 5
