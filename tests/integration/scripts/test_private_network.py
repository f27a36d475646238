"""The private engine's firewall, tried out in a network namespace that ends with the test."""

import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SCRIPT = HERE.parents[2] / "scripts" / "private_network.py"


def possible():
    tools = all(shutil.which(tool) for tool in ("unshare", "ip", "iptables"))
    apart = ["unshare", "--net", "--mount", "mount", "-t", "sysfs", "none", "/sys"]
    return tools and subprocess.run(apart, check=False, capture_output=True).returncode == 0


@pytest.mark.skipif(not possible(), reason="needs root, iproute2 and iptables, and namespaces to make")
def test_one_network_does_not_reach_another_and_only_the_default_one_reaches_out():
    apart = ["unshare", "--net", "--mount", "bash", HERE / "reachability.sh", SCRIPT]
    result = subprocess.run(apart, check=False, capture_output=True, text=True, timeout=60)
    assert result.stdout.splitlines() == [
        "a1 a2 reaches",
        "a1 b1 blocked",
        "b1 a1 blocked",
        "a1 d1 blocked",
        "d1 a1 blocked",
        "d1 out reaches",
        "a1 out blocked",
    ], result.stderr
