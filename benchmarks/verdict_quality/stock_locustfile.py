"""What a Locust user of a tutorial does: asks the golden rows, one as soon as the last is answered."""

import json
import os
from itertools import cycle
from pathlib import Path

from locust import FastHttpUser, task

GOLDEN = Path(__file__).parents[2] / "golden" / "breast-cancer" / "cases.jsonl"
CASES = [json.loads(line)["input"] for line in GOLDEN.read_text(encoding="utf-8").splitlines()]


class StockUser(FastHttpUser):
    def on_start(self) -> None:
        self.rows = cycle(CASES)

    @task
    def ask(self) -> None:
        headers = {"X-API-Key": os.environ["STOCK_API_KEY"]}
        self.client.post("/predict", json={"features": next(self.rows)}, headers=headers)
