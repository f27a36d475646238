"""Load on the reference service, to watch live: the rows of the golden set, singly and in batches.

    LOCUST_API_KEY=... locust -f scenarios/locustfile.py --host http://127.0.0.1:8000

opens the Locust web UI. Each user asks at most `REQUESTS_PER_S` a second and waits for every answer, so this
shows how a service feels; what the gate decides on is the open-loop load of `[latency]` in gate.toml.
"""

import json
from http import HTTPStatus
from itertools import cycle, islice
from pathlib import Path

from locust import FastHttpUser, constant_throughput, events, task
from locust.argument_parser import LocustArgumentParser

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "breast-cancer" / "cases.jsonl"
REQUESTS_PER_S = 10
BATCH_EVERY = 10
BATCH_SIZE = 16

CASES = [json.loads(line)["input"] for line in GOLDEN.read_text(encoding="utf-8").splitlines()]


def add_options(parser: LocustArgumentParser) -> None:
    """Take the API key; the environment hides it from `ps`, and the web UI does not show it."""
    parser.add_argument(
        "--api-key",
        env_var="LOCUST_API_KEY",
        default="",
        help="sent as X-API-Key, with the scope predict",
        include_in_web_ui=False,
    )


events.init_command_line_parser.add_listener(add_options)  # type: ignore[no-untyped-call]  # Locust has no type here


class InferenceUser(FastHttpUser):
    """A client that asks the golden rows in their order, so that every run sends the same requests."""

    wait_time = constant_throughput(REQUESTS_PER_S)
    network_timeout = 10.0
    connection_timeout = 5.0

    def on_start(self) -> None:
        """Begin with the first row."""
        self._rows = cycle(CASES)
        self._turns = cycle(range(BATCH_EVERY))

    @task
    def ask(self) -> None:
        """Ask for one row, and each tenth time for several at once."""
        if next(self._turns) < BATCH_EVERY - 1:
            self._post("/predict", {"features": next(self._rows)}, answer="label")
        else:
            instances = list(islice(self._rows, BATCH_SIZE))
            self._post("/predict/batch", {"instances": instances}, answer="predictions")

    def _post(self, path: str, body: dict[str, object], *, answer: str) -> None:
        """Send a request; a success without its answer is a failure."""
        headers = {"X-API-Key": self.environment.parsed_options.api_key}
        with self.rest("POST", path, json=body, headers=headers) as response:
            if response.status_code == HTTPStatus.OK and answer not in (response.js or {}):
                response.failure(f"the answer has no {answer!r}")  # type: ignore[no-untyped-call]  # the same
