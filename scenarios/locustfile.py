"""Load on the reference service, to watch live: the rows of the golden set, singly and in batches.

    LOCUST_API_KEY=... locust -f scenarios/locustfile.py --web-host 127.0.0.1 --host http://127.0.0.1:8000

opens the Locust web UI, for this machine alone: it has no login. The key goes to `--host` only; a form that
names another host is refused. Each user sends `--rate` requests a second on a schedule of its own, whatever
the answers take (open loop), as the gate does; the statistics and the tab "Exact percentiles" count from the
moment a request was due. The gate's own load, by the suite's `[latency]`, is `harness load --web`.
"""

import json
from itertools import cycle, islice
from pathlib import Path

from locust import events
from locust.argument_parser import LocustArgumentParser
from locust.env import Environment

from harness.load import LoadPlan, Payload, Side
from harness.load.openloop import OpenLoopUser, Watcher

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "breast-cancer" / "cases.jsonl"
BATCH_SIZE = 16
BATCH_SHARE = 0.1
BLOCK_S = 1.0

CASES = [json.loads(line)["input"] for line in GOLDEN.read_text(encoding="utf-8").splitlines()]


def add_options(parser: LocustArgumentParser) -> None:
    """Take rate, seed and key; the environment hides the key from `ps`, and the web UI does not show it."""
    parser.add_argument("--rate", type=float, default=10.0, help="requests a second of each user")
    parser.add_argument("--seed", type=int, default=0, help="the same seed sends the same requests")
    parser.add_argument(
        "--api-key",
        env_var="LOCUST_API_KEY",
        default="",
        help="sent as X-API-Key, with the scope predict",
        include_in_web_ui=False,
    )


events.init_command_line_parser.add_listener(add_options)  # type: ignore[no-untyped-call]  # Locust has no type here


def payloads(api_key: str) -> tuple[Payload, ...]:
    """Each row by itself, and as many batches, which are asked for less often."""
    headers = {"Content-Type": "application/json", "X-API-Key": api_key}
    rows = cycle(CASES)
    batches = [list(islice(rows, BATCH_SIZE)) for _ in CASES]
    single = [("/predict", {"features": row}, 1.0 - BATCH_SHARE) for row in CASES]
    several = [("/predict/batch", {"instances": batch}, BATCH_SHARE) for batch in batches]
    return tuple(
        Payload(method="POST", path=path, headers=headers, body=json.dumps(body).encode(), weight=weight)
        for path, body, weight in single + several
    )


def plan_of(environment: Environment, *, host: str, seed: int) -> LoadPlan:
    """The load of one user, as the options and the web UI's form have it."""
    options = environment.parsed_options
    return LoadPlan(
        sides=(Side(name="service", base_url=host.rstrip("/")),),
        payloads=payloads(options.api_key),
        rate_per_s=options.rate,
        block_arrivals=max(1, round(options.rate * BLOCK_S)),
        seed=seed,
    )


class InferenceUser(OpenLoopUser):
    """A client that asks the golden rows by a seeded schedule."""

    network_timeout = 10.0
    connection_timeout = 5.0
    concurrency = 64

    def plan(self) -> LoadPlan:
        """The load of this user."""
        seed = self.watcher.seed(self.environment.parsed_options.seed, self.environment.runner.worker_index)
        return plan_of(self.environment, host=self.host, seed=seed)


def watch(environment: Environment, **_: object) -> None:
    """Show exact percentiles."""
    InferenceUser.watcher = Watcher(environment, plan_of(environment, host="http://localhost", seed=0))


events.init.add_listener(watch)  # type: ignore[no-untyped-call]  # the same
