"""Locust's web UI over our load: exact percentiles in its table, and in a tab of their own.

Each request that ends is reported to Locust with its time from the intended send, so its charts and CSV files
show our load. Locust keeps times in rounded buckets; what its statistics table shows is therefore replaced by
percentiles of the raw samples.
"""

import json
import math
from http import HTTPStatus
from typing import Any

import gevent
from flask import Response, abort, request
from locust import stats
from locust.env import Environment

from harness.load.live import Live
from harness.load.protocol import WebAddress
from harness.load.summary import PERCENTILES, Figures

TAB = "exact"
COLUMNS = [
    {"key": "method", "title": "Type"},
    {"key": "name", "title": "Name"},
    {"key": "requests", "title": "# Requests"},
    *({"key": name.replace(".", "_"), "title": f"{name} (ms)"} for name in PERCENTILES),
    {"key": "max", "title": "Max (ms)"},
    {"key": "failures", "title": "Failures by kind"},
]
BIND_TIMEOUT_S = 5.0


def show_exact(environment: Environment, live: Live) -> None:
    """Have the environment's web UI show exact percentiles."""
    stats.PERCENTILES_TO_STATISTICS = [share for share in PERCENTILES.values() if share > PERCENTILES["p50"]]
    ui: Any = environment.web_ui
    ui.template_args["extended_tabs"] = [{"title": "Exact percentiles", "key": TAB}]
    ui.template_args["extended_tables"] = [{"key": TAB, "structure": COLUMNS}]

    def replace(response: Response) -> Response:
        if request.path == "/stats/requests" and response.is_json:
            # In a thread: selecting from many samples would hold up the requests that are due.
            figures = gevent.get_hub().threadpool.apply(live.figures)
            response.set_data(json.dumps(with_exact(response.get_json(), figures)))
        return response

    ui.app.after_request(replace)


def with_exact(document: dict[str, Any], figures: dict[tuple[str, str], Figures]) -> dict[str, Any]:
    """Return what the web UI polls, with exact percentiles in each row and in a table of their own."""
    rows = [{**row, **_exact(figures.get((row["method"] or "", row["name"])))} for row in document["stats"]]
    table = [
        {
            "method": method,
            "name": name,
            "requests": each.requests,
            **{key.replace(".", "_"): shown(value) for key, value in each.percentiles_ms.items()},
            "max": shown(each.most_ms),
            "failures": ", ".join(f"{kind} {count}" for kind, count in each.failures.items()),
        }
        for (method, name), each in figures.items()
    ]
    return {**document, "stats": rows, "extended_stats": [{"key": TAB, "data": table}]}


def serve_web(environment: Environment, live: Live, address: WebAddress) -> str:
    """Serve the web UI, to watch only: the load has its parent, who alone starts and ends it.

    Returns:
        Its URL.

    Raises:
        OSError: It cannot listen there.
    """
    ui: Any = environment.create_web_ui(host=address.host, port=address.port, delayed_start=True)
    show_exact(environment, live)

    def watch_only() -> None:
        if request.method == "POST":
            abort(HTTPStatus.FORBIDDEN, "this load is started and ended by harness, not here")

    ui.app.before_request(watch_only)
    ui.start()
    with gevent.Timeout(BIND_TIMEOUT_S):
        while not (ui.server is not None and ui.server.started):
            if ui.greenlet.ready():
                raise ui.greenlet.exception
            gevent.sleep(0.01)
    return address.model_copy(update={"port": ui.server.server_port}).url


def _exact(figures: Figures | None) -> dict[str, float | str]:
    if figures is None:
        return {}
    percentiles = {
        f"response_time_percentile_{share}": shown(figures.percentiles_ms[name])
        for name, share in PERCENTILES.items()
    }
    return {
        **percentiles,
        "median_response_time": shown(figures.percentiles_ms["p50"]),
        "min_response_time": shown(figures.least_ms),
        "max_response_time": shown(figures.most_ms),
    }


def shown(value_ms: float) -> float | str:
    """A time as a table has it; a percentile that is a failure has none."""
    return round(value_ms, 3) if math.isfinite(value_ms) else "failed"
