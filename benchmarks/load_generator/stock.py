"""Stock Locust as its manual shows it: closed-loop `FastHttpUser`s for some seconds; prints one JSON line."""

import json
import sys
import time

import gevent
from locust import FastHttpUser, task
from locust.env import Environment


def main() -> None:
    wanted = json.loads(sys.argv[1])

    class StockUser(FastHttpUser):
        host = wanted["url"]

        @task
        def ask(self) -> None:
            self.client.post("/", data=wanted["body"], headers=wanted["headers"])

    environment = Environment(user_classes=[StockUser])
    runner = environment.create_local_runner()
    runner.start(wanted["connections"], spawn_rate=wanted["connections"])
    gevent.sleep(wanted["warmup_s"])
    before = environment.stats.total.num_requests, time.process_time(), time.perf_counter()
    gevent.sleep(wanted["seconds"])
    after = environment.stats.total.num_requests, time.process_time(), time.perf_counter()
    runner.quit()
    requests, cpu_s, wall_s = (now - then for now, then in zip(after, before, strict=True))
    failures = environment.stats.total.num_failures
    print(json.dumps({"requests": requests, "cpu_s": cpu_s, "wall_s": wall_s, "failures": failures}))


if __name__ == "__main__":
    main()
