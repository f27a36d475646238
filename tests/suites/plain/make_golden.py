"""Writes golden/: seeded inputs, and what the written weights make of them, not what the service answers.

python3 tests/suites/plain/make_golden.py
"""

import hashlib
import json
import math
import random
from pathlib import Path

HERE = Path(__file__).resolve().parent
SEED = 7
COUNT = 200
DATE = "2026-11-01"


def expected(model, row):
    """Logistic regression through tanh; the service goes through exp."""
    logit = math.fsum([model["intercept"], *(w * x for w, x in zip(model["weights"], row, strict=True))])
    if abs(logit) < 1e-6:
        raise ValueError(f"row {row} lies on the boundary, its class would be a matter of rounding")
    return {"score": 0.5 * (1 + math.tanh(logit / 2)), "class": int(logit > 0)}


def main():
    weights = (HERE / "weights.json").read_bytes()
    model = json.loads(weights)
    generator = random.Random(SEED)
    rows = [[round(generator.gauss(0, 1.5), 4) for _ in model["weights"]] for _ in range(COUNT - 4)]
    rows += [[0, 0, 0, 1], [-0.0, 1e-300, 0.0, 0.5], [100, 100, 100, 100], [-100, 100, -100, -100]]
    content = "".join(
        json.dumps({"id": f"row-{number:03d}", "input": row, "expected": expected(model, row)}) + "\n"
        for number, row in enumerate(rows)
    ).encode()
    header = f"""\
schema_version = 1

[producer]
name = "tests/suites/plain/make_golden.py"
version = "1"
kind = "script"
date = "{DATE}"
environment = "Python standard library, float64"

[model]
name = "{model["name"]}"
version = "{model["version"]}"
sha256 = "{hashlib.sha256(weights).hexdigest()}"

[dataset]
name = "gauss-seed-{SEED}"
sha256 = "{hashlib.sha256(json.dumps(rows).encode()).hexdigest()}"

[cases]
file = "cases.jsonl"
sha256 = "{hashlib.sha256(content).hexdigest()}"
count = {len(rows)}
"""
    (HERE / "golden" / "cases.jsonl").write_bytes(content)
    (HERE / "golden" / "golden.toml").write_text(header, encoding="utf-8")


if __name__ == "__main__":
    main()
