"""Two workers on networks of their own, one of them with another clock, as on two machines."""

import json
import os
import shutil
import subprocess
import sys
from contextlib import ExitStack, contextmanager

import numpy as np
import pytest
from local_processes import free_port

from harness.load import Samples

TIMEOUT_S = 120
ENVIRON = {**os.environ, "GATE_KEY_SHOP": "a-secret-of-some-length"}
AHEAD_S = 5000
HARNESS = [sys.executable, "-m", "harness", "load"]
OTHER_CLOCK = ["unshare", "--time", "--monotonic", str(AHEAD_S), "--fork"]


def possible():
    tools = all(shutil.which(tool) for tool in ("ip", "unshare"))
    return tools and not subprocess.run([*OTHER_CLOCK, "true"], check=False, capture_output=True).returncode


pytestmark = pytest.mark.skipif(not possible(), reason="needs root, `ip` and time namespaces")


@contextmanager
def network(number):
    """A network namespace whose way to this machine is 10.213.<number>.1; gives a command's prefix."""
    name = f"harness-load-{number}-{os.getpid()}"
    here, there = f"hl{number}a{os.getpid() % 10000}", f"hl{number}b{os.getpid() % 10000}"
    inside = ["ip", "-n", name]
    subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        for step in (
            ["ip", "link", "add", here, "type", "veth", "peer", "name", there, "netns", name],
            ["ip", "addr", "add", f"10.213.{number}.1/24", "dev", here],
            ["ip", "link", "set", here, "up"],
            [*inside, "addr", "add", f"10.213.{number}.2/24", "dev", there],
            [*inside, "link", "set", there, "up"],
            [*inside, "route", "add", "default", "via", f"10.213.{number}.1"],
        ):
            subprocess.run(step, check=True)
        yield ["ip", "netns", "exec", name]
    finally:
        subprocess.run(["ip", "link", "delete", here], check=False, capture_output=True)
        subprocess.run(["ip", "netns", "delete", name], check=True)


def test_two_workers_send_one_load_on_one_clock(suite, delay_server, tmp_path):
    options = ["--config", str(suite), "--rate", "40", "--duration", "3", "--seed", "11", "--json"]
    with ExitStack() as started:
        first, second = (started.enter_context(network(number)) for number in (1, 2))
        url = started.enter_context(delay_server(host="10.213.1.1", delay_ms=20))
        alone = subprocess.run(
            [*HARNESS, *options, "--target", url, "--out", str(tmp_path / "one")],
            check=True,
            capture_output=True,
            env=ENVIRON,
            timeout=TIMEOUT_S,
        )
        where = ["--master-host", "10.213.1.1", "--master-port", str(free_port())]
        workers = [
            subprocess.Popen([*prefix, *HARNESS, "--worker", *where])
            for prefix in (first, [*second, *OTHER_CLOCK])
        ]
        try:
            together = subprocess.run(
                [
                    *(*HARNESS, *options, "--target", url, "--out", str(tmp_path / "two")),
                    *("--master", "--expect-workers", "2", *where),
                ],
                check=True,
                capture_output=True,
                env=ENVIRON,
                timeout=TIMEOUT_S,
            )
            assert [worker.wait(30) for worker in workers] == [0, 0]
        finally:
            for worker in workers:
                worker.kill()
                worker.wait()
    one, two = json.loads(alone.stdout), json.loads(together.stdout)
    single, merged = (Samples.load(tmp_path / name / "samples.npz") for name in ("one", "two"))
    assert merged.side.size == single.side.size == 120
    assert merged.payload.tolist() == single.payload.tolist()
    assert two["sides"]["target"]["failures"] == one["sides"]["target"]["failures"] == {}
    # The server's delay dominates; the machine's noise does not double it.
    assert (
        20
        <= two["sides"]["target"]["percentiles_ms"]["p50"]
        < 2 * one["sides"]["target"]["percentiles_ms"]["p50"]
    )
    np.testing.assert_allclose(np.diff(merged.intended_s), np.diff(single.intended_s), atol=0.02)
    ahead = sorted(worker["before"]["ahead_s"] for worker in two["workers"])
    assert ahead == pytest.approx([0, AHEAD_S], abs=0.5)
    assert all(0 < worker["after"]["uncertainty_s"] < 0.5 for worker in two["workers"])


def test_workers_that_do_not_come_fail_the_load(suite, delay_server, tmp_path):
    with delay_server() as url:
        done = subprocess.run(
            [
                *(*HARNESS, "--config", str(suite), "--target", url, "--out", str(tmp_path / "out")),
                *("--master", "--expect-workers", "2", "--wait", "2", "--master-port", str(free_port())),
            ],
            check=False,
            capture_output=True,
            text=True,
            env=ENVIRON,
            timeout=TIMEOUT_S,
        )
    assert done.returncode == 5
    assert "0 of 2 workers came within 2 s" in done.stderr
