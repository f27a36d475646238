"""A Prometheus watches a container of the service: alerts fire when limits are breached, and only then."""

import functools
import hashlib
import json
import random
import re
import secrets
import threading
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import yaml

pytestmark = [pytest.mark.engine, pytest.mark.slow]

SPEED = 30
"""Every duration of the rules is divided by it: five minutes become ten seconds."""
SECONDS = {"m": 60, "h": 3600, "d": 86400}
CALM_S = 25
CHANGE_TIMEOUT_S = 60
LABEL = "harness.test.alerts"
STEADY_KEY, LIMITED_KEY = "a key without a quota of its own", "a key with a quota"
QUOTA = "5/second"
BATCH = 256
# 5 ms of CPU in each 250 ms: a request that is cut short waits for the next period.
CPU_PERIOD_US, CPU_QUOTA_US = 250_000, 5_000


def scaled(rules):
    """The rules with every duration divided by SPEED; names of recorded series stay."""
    return re.sub(
        r"(\[|for: )(\d+)([mhd])\b",
        lambda found: f"{found[1]}{int(found[2]) * SECONDS[found[3]] // SPEED}s",
        rules,
    )


@dataclass(frozen=True)
class Watched:
    """A container of the service, and the Prometheus that reads it."""

    container: Any
    service_url: str
    prometheus: httpx.Client

    def query(self, expression):
        answer = self.prometheus.get("/api/v1/query", params={"query": expression})
        assert answer.status_code == httpx.codes.OK, (expression, answer.text)
        return answer.json()["data"]["result"]

    def firing(self):
        """Names of the alerts that fire now."""
        return {series["metric"]["alertname"] for series in self.query('ALERTS{alertstate="firing"}')}

    def wait_for(self, expected):
        """Wait until the alerts that fire are as expected; give them."""
        deadline = time.monotonic() + CHANGE_TIMEOUT_S
        while not expected(firing := self.firing()):
            assert time.monotonic() < deadline, firing
            time.sleep(0.5)
        return firing

    def predict(self, rows):
        """Ask for all of them, in batches."""
        with httpx.Client(base_url=self.service_url, headers={"X-API-Key": STEADY_KEY}, timeout=30) as client:
            for first in range(0, len(rows), BATCH):
                body = {"instances": rows[first : first + BATCH]}
                client.post("/predict/batch", json=body).raise_for_status()

    @contextmanager
    def load(self, key, *, connections, pause_s, rows):
        """Ask within, on so many connections, for one row after the other, with a pause after each answer."""
        end = threading.Event()

        def ask(seed):
            choose = random.Random(seed).choice
            with httpx.Client(base_url=self.service_url, headers={"X-API-Key": key}, timeout=30) as client:
                while not end.wait(pause_s):
                    client.post("/predict", json={"features": choose(rows)})

        threads = [threading.Thread(target=ask, args=[seed]) for seed in range(connections)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            end.set()
            for thread in threads:
                thread.join()


@pytest.fixture
def rows(monitoring):
    """Rows that are distributed as those of training are."""
    lines = (monitoring.parents[1] / "golden" / "breast-cancer" / "cases.jsonl").read_text().splitlines()
    return [json.loads(line)["input"] for line in lines]


@pytest.fixture
def configuration(tmp_path, monitoring):
    """A folder with the README's own configuration and the rules, made fast, and the keys of the service."""
    (block,) = re.findall(
        r"^```yaml\n(.*?)^```$", (monitoring / "README.md").read_text(), re.MULTILINE | re.DOTALL
    )
    prometheus = yaml.safe_load(block)
    prometheus["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    prometheus["scrape_configs"][0]["static_configs"] = [{"targets": ["service:8000"]}]
    keys = [
        {"id": name, "sha256": hashlib.sha256(key.encode()).hexdigest(), "scopes": ["predict"], **quota}
        for name, key, quota in (
            ("steady", STEADY_KEY, {}),
            ("limited", LIMITED_KEY, {"quota": QUOTA}),
        )
    ]
    for name, text in {
        "prometheus.yml": yaml.safe_dump(prometheus),
        "alerts.yml": scaled((monitoring / "alerts.yml").read_text()),
        "keys.json": json.dumps({"keys": keys}),
    }.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o644)
    tmp_path.chmod(0o755)
    return tmp_path


@pytest.fixture
def started(engine, configuration):
    """Starts a container with the configuration in it; removes it in the end."""
    with ExitStack() as stack:

        def start(image, port, **options):
            container = engine.containers.create(
                image,
                labels={LABEL: ""},
                ports={f"{port}/tcp": ("127.0.0.1", None)},
                volumes={str(configuration): {"bind": "/etc/watched", "mode": "ro"}},
                **options,
            )
            stack.callback(container.remove, force=True, v=True)
            return container

        yield start


def answering(container, port, path):
    """The address of a container on this machine, once it answers there."""
    container.start()
    container.reload()
    url = f"http://127.0.0.1:{container.ports[f'{port}/tcp'][0]['HostPort']}"
    deadline = time.monotonic() + CHANGE_TIMEOUT_S
    with httpx.Client(base_url=url) as client:
        while True:
            try:
                if client.get(path).status_code == httpx.codes.OK:
                    return url
            except httpx.TransportError:
                container.reload()
            alive = container.status == "running" and time.monotonic() < deadline
            assert alive, container.logs().decode()
            time.sleep(0.1)


@pytest.fixture
def watched(engine, started, reference_image, prometheus_image):
    network = engine.networks.create(f"harness-test-alerts-{secrets.token_hex(4)}", labels={LABEL: ""})
    try:
        service = started(
            reference_image,
            8000,
            environment={"SERVICE_API_KEYS_FILE": "/etc/watched/keys.json"},
            read_only=True,
        )
        network.connect(service, aliases=["service"])
        service_url = answering(service, 8000, "/ready")
        prometheus = started(
            prometheus_image,
            9090,
            command=["--config.file=/etc/watched/prometheus.yml", "--storage.tsdb.path=/data"],
            tmpfs={"/data": "mode=1777"},
        )
        network.connect(prometheus)
        with httpx.Client(base_url=answering(prometheus, 9090, "/-/ready"), timeout=30) as client:
            yield Watched(service, service_url, client)
    finally:
        for container in engine.containers.list(all=True, filters={"network": network.id}):
            network.disconnect(container, force=True)
        network.remove()


def test_alerts_fire_when_a_limit_is_breached_and_only_then(watched, rows):
    latency_alerts = {"InferenceLatencyP95High", "InferenceLatencyP99High"}
    quota_alerts = {"InferenceQuotaBreached", "InferenceRateLimitedShareHigh"}
    drift_alerts = {"InferenceFeatureDrift", "InferencePredictionDrift"}
    with watched.load(STEADY_KEY, connections=8, pause_s=0.1, rows=rows):
        watched.wait_for(lambda firing: not firing and watched.query("up == 1"))
        watched.predict(rows * 2)
        time.sleep(CALM_S)
        assert watched.query(f'count_over_time(ALERTS{{alertstate="firing"}}[{CALM_S}s])') == []
        assert watched.query('deployment_path:http_requests:increase5m{path="/predict"} >= 100')
        assert watched.query("inference_prediction_drift_psi < 0.25 and inference_drift_rows >= 1000")

        with watched.load(LIMITED_KEY, connections=4, pause_s=0.05, rows=rows):
            assert watched.wait_for(quota_alerts.issubset) == quota_alerts
        (breached,) = watched.query('ALERTS{alertname="InferenceQuotaBreached",alertstate="firing"}')
        assert breached["metric"]["quota"] == "key"
        watched.wait_for(quota_alerts.isdisjoint)

        watched.predict(rows[:1] * len(rows) * 16)
        watched.container.update(cpu_period=CPU_PERIOD_US, cpu_quota=CPU_QUOTA_US)
        watched.wait_for(latency_alerts.issubset)
        watched.container.update(cpu_quota=-1)
        watched.wait_for(drift_alerts.__eq__)


EMPTY_WHEN_ALL_IS_WELL = {"Alerts"}


def test_every_panel_of_the_dashboard_has_data(watched, rows, monitoring):
    dashboard = json.loads((monitoring / "dashboard.json").read_text())
    variables = {"$deployment_id": ".*", "$model_version": ".*", "$__rate_interval": "10s"}
    wanted = {
        functools.reduce(lambda text, name: text.replace(name, variables[name]), variables, target["expr"])
        for panel in dashboard["panels"]
        if panel["title"] not in EMPTY_WHEN_ALL_IS_WELL
        for target in panel.get("targets", [])
    }
    assert len(wanted) > 30
    steady = watched.load(STEADY_KEY, connections=2, pause_s=0.1, rows=rows)
    refused = watched.load("no key at all", connections=1, pause_s=0.1, rows=rows)
    deadline = time.monotonic() + CHANGE_TIMEOUT_S
    with steady, refused:
        watched.predict(rows * 2)
        while empty := [expression for expression in wanted if not watched.query(expression)]:
            assert time.monotonic() < deadline, empty
            time.sleep(1)
