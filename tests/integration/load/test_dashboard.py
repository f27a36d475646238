"""`harness run --dashboard`: the gate's own load, live, and said so in the report."""

import json
import os
import subprocess
import sys

import httpx
import pytest
from local_processes import free_port

TIMEOUT_S = 120
ENVIRON = {**os.environ, "GATE_KEY_SHOP": "a-secret-of-some-length"}


def test_the_gates_load_is_live_while_it_runs_and_the_report_says_so(suite, delay_server, tmp_path):
    text = suite.read_text()
    suite.write_text(text.replace("[latency]\n", "[latency]\nbudget_s = 12\nblock_s = 1\nrate_per_s = 40\n"))
    ui = f"http://127.0.0.1:{free_port()}"
    with delay_server(delay_ms=2) as one, delay_server(delay_ms=2) as other:
        command = [sys.executable, "-m", "harness", "run", "--config", str(suite), "--only", "latency.paired"]
        command += ["--candidate", one, "--reference", other, "--out", str(tmp_path / "reports"), "--json"]
        command += ["--dashboard", "--dashboard-port", ui.rpartition(":")[2]]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRON
        ) as process:
            told = next((line for line in process.stderr if "the load is live at" in line), "")
            page = httpx.get(ui, timeout=10).text
            refused = httpx.post(f"{ui}/stop", timeout=10).status_code
            report, _ = process.communicate(timeout=TIMEOUT_S)
    assert ui in told
    assert "Exact percentiles" in page
    assert refused == httpx.codes.FORBIDDEN
    assert process.returncode in {0, 3, 4}  # a busy machine decides which, a stopped load would be none
    assert json.loads(report)["validity"]["generator_web_ui"] == 1.0
    with pytest.raises(httpx.TransportError):
        httpx.get(ui)
