"""Writes the traffic of the reference suites: plausible requests that are not among the golden cases.

Each lies between two golden inputs or a little beyond, so that a service that knows its golden cases by
heart, or is right only where they lie, predicts otherwise. The same seed gives the same bytes.
"""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.traffic.recording import RecordedRequest

ROOT = Path(__file__).resolve().parents[1]
SEED = 20260301
ROWS = 600
IMAGES = 400
SIGNIFICANT_DIGITS = 4


def golden_inputs(artifact: str) -> list[Any]:
    """The inputs of an artifact's golden cases."""
    lines = (ROOT / "golden" / artifact / "cases.jsonl").read_text().splitlines()
    return [json.loads(line)["input"] for line in lines]


def blended(values: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Points between two random ones, and one in ten a little beyond them.

    Args:
        values: Shape (n, ...).
        count: How many.

    Returns:
        Shape (count, ...).
    """
    generator = np.random.default_rng(SEED)
    first, second = generator.integers(len(values), size=(2, count))
    weight = generator.uniform(0, 1, size=count) + np.where(generator.uniform(size=count) < 0.1, 0.3, 0.0)  # noqa: PLR2004 - one in ten
    weight = weight.reshape(count, *[1] * (values.ndim - 1))
    return np.asarray(values[first] + weight * (values[second] - values[first]))


def table() -> Iterator[RecordedRequest]:
    """Requests for the classifier of rows."""
    inputs = golden_inputs("breast-cancer")
    names = list(inputs[0])
    for row in blended(np.array([[row[name] for name in names] for row in inputs]), ROWS):
        features = {
            name: float(f"{max(value, 0.0):.{SIGNIFICANT_DIGITS}g}")
            for name, value in zip(names, row, strict=True)
        }
        yield RecordedRequest(path="/predict", content_type="application/json", body={"features": features})


def pixels(instance: Any) -> NDArray[np.float64]:
    """An image that is a nested list or its raw bytes in base64; shape (1024,)."""
    if isinstance(instance, dict):
        return np.frombuffer(base64.b64decode(instance["base64"]), np.uint8).astype(float)
    return np.asarray(instance, float).ravel()


def images() -> Iterator[RecordedRequest]:
    """Requests for the classifier of images."""
    inputs = np.array([pixels(instance) for instance in golden_inputs("digits")])
    for image in blended(inputs, IMAGES):
        raw = np.clip(np.rint(image), 0, 255).astype(np.uint8).tobytes()
        body = {"instance": {"base64": base64.b64encode(raw).decode()}}
        yield RecordedRequest(path="/predict", content_type="application/json", body=body)


def main() -> None:
    """Write both."""
    for artifact, requests in (("breast-cancer", table()), ("digits", images())):
        path = ROOT / "golden" / artifact / "traffic.jsonl"
        path.write_text("".join(request.line() + "\n" for request in requests))
        print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
