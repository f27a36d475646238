"""Imports ONNX's own backend tests as golden sets and holds a service on the CPU against each, over HTTP.

python benchmarks/onnx_backend/run.py --out results.json

The cases are those shipped in the onnx package: of single operators (made by its own code), of small models
and of models exported from PyTorch. Each model becomes a golden set by `harness golden import`, and is asked
through `POST /models/{name}/infer` of the suite in tests/suites/onnx, one process for all of them.
"""

import argparse
import json
import re
import shutil
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper
from onnx.backend.test.case.node import collect_testcases
from onnx.backend.test.case.test_case import TestCase

from harness.config.suite import Suite, parse_suite
from harness.golden.onnx_data import model_folders
from harness.golden.onnx_import import OUTPUTS_FILE, TOLERANCES, import_all
from harness.golden.service import Service, find_service
from harness.golden.verify import verify

SUITE = Path(__file__).parents[2] / "tests" / "suites" / "onnx"
FILES = Path(onnx.__file__).parent / "backend" / "test" / "data"
KINDS = ("simple", "pytorch-operator", "pytorch-converted")
WRITERS = {
    "sequence_type": numpy_helper.from_list,
    "optional_type": numpy_helper.from_optional,
    "map_type": numpy_helper.from_dict,
}


def write_tests(folder: Path, wanted: AbstractSet[str] | None = None) -> None:
    """Write the backend tests as folders of model.onnx and test_data_set_N: all, or those wanted."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the cases divide by zero on purpose
        cases = collect_testcases()
    for case in cases:
        if wanted is None or case.name in wanted:
            write_case(folder / "node" / case.name, case)
    for kind in KINDS:
        for source in (FILES / kind).iterdir():
            if wanted is None or source.name in wanted:
                shutil.copytree(source, folder / kind / source.name)


def write_case(folder: Path, case: TestCase) -> None:
    folder.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(case.model.SerializeToString())
    for number, (inputs, outputs) in enumerate(case.data_sets):
        data = folder / f"test_data_set_{number}"
        data.mkdir()
        for kind, values, declared in (
            ("input", inputs, case.model.graph.input),
            ("output", outputs, case.model.graph.output),
        ):
            for position, (value, of) in enumerate(zip(values, declared, strict=False)):
                (data / f"{kind}_{position}.pb").write_bytes(proto(value, of).SerializeToString())


def proto(value: Any, declared: onnx.ValueInfoProto) -> Any:
    if isinstance(value, onnx.TensorProto):
        return value
    write = WRITERS.get(declared.type.WhichOneof("value"), numpy_helper.from_array)
    return write(value, declared.name)


def suite_text(models: Path) -> str:
    """The suite's gate.toml for another folder of models."""
    return (SUITE / "gate.toml").read_text().replace('"models"', json.dumps(str(models)))


def suite_of(golden: Path, name: str, models: Path) -> Suite:
    """The suite with the golden set of one model."""
    text = f"""{suite_text(models)}
[golden]
path = {json.dumps(str(golden))}
most_answer_bytes = 67108864
single = {{ path = "/models/{name}/infer", body = {{ inputs = "${{input}}" }} }}
ignored = []

{(golden / OUTPUTS_FILE).read_text()}"""
    return parse_suite(text, SUITE / "gate.toml")


def reason_of(text: str) -> str:
    """A class of reasons rather than one for each model."""
    for pattern, reason in (
        (r"this service has no (\S+)", r"element or value type \1"),
        (r"is not a registered function/op|No Op registered", "an operator that this onnxruntime has not"),
        (r"NOT_IMPLEMENTED", "no kernel in the CPU provider"),
        (r"opset|[Vv]ersion", "an operator set that this onnxruntime has not"),
        (r"Exception during initialization", "an attribute that the CPU provider's kernel does not take"),
        (r"INVALID_GRAPH|Type Error", "refused by onnxruntime's checks of the graph"),
    ):
        if found := re.search(pattern, text):
            return found.expand(reason)
    return text.partition(":")[0]


def run(
    folder: Path,
    wanted: AbstractSet[str] | None = None,
    show: Callable[[int, int], None] = lambda _done, _total: None,
) -> list[dict[str, Any]]:
    """Import, start, verify; what became of each model."""
    models, golden = folder / "models", folder / "golden"
    write_tests(models, wanted)
    today = datetime.now(UTC).date()
    found = model_folders(models)
    results = []
    base = parse_suite(suite_text(models), SUITE / "gate.toml")
    imports = import_all(found, models, golden, force=False, compress=False, today=today)
    with (
        find_service(base, None, {}, lambda _event: None).started() as service,
        httpx.Client(base_url=service.endpoint.base_url, timeout=60, trust_env=False) as client,
    ):
        for imported in imports:
            result = {"model": imported.source.name, "cases": imported.cases}
            if imported.problem:
                result |= {"outcome": "not imported", "reason": imported.problem}
            elif (told := client.get(f"/models/{imported.source.name}")).is_success:
                suite = suite_of(imported.folder, imported.source.name, models)
                result |= hold(replace(service, suite=suite))
                if result["outcome"] == "off":
                    result["runtime_alone"] = "off" if is_off(imported.source) else "right"
            else:
                result |= {"outcome": "not run", "reason": reason_of(told.json()["detail"])}
            results.append(result)
            show(len(results), len(found))
    return results


def hold(service: Service) -> dict[str, Any]:
    """Verify one golden set, as `harness golden verify` does."""
    with tempfile.TemporaryDirectory() as evidence:
        held = verify(service, Path(evidence), today=datetime.now(UTC).date())
    if held.outcome in {"pass", "warn"}:
        return {"outcome": "verified", "warned": held.outcome == "warn"}
    wrong = next(finding for finding in held.findings if finding.outcome == held.outcome)
    return {"outcome": "off", "reason": f"{wrong.id}: {wrong.message}"}


def is_off(source: Path) -> bool:
    """Whether the runtime, called without a service, gives other outputs too, or none."""
    try:
        session = onnxruntime.InferenceSession(source / "model.onnx", providers=["CPUExecutionProvider"])
        names = [value.name for value in session.get_inputs()]
        given = [arrays(source, "input", number) for number in range(len(names))]
        answers = session.run(None, dict(zip(names, given, strict=True)))
    except Exception:  # noqa: BLE001 - that it fails is what is asked
        return True
    for number, answer in enumerate(answers):
        expected = arrays(source, "output", number)
        atol, rtol = TOLERANCES.get(str(expected.dtype), (0.0, 0.0))
        if not np.allclose(answer, expected, rtol=rtol, atol=atol, equal_nan=True):
            return True
    return False


def arrays(source: Path, kind: str, number: int) -> Any:
    """One value of the first data set."""
    content = (source / "test_data_set_0" / f"{kind}_{number}.pb").read_bytes()
    return numpy_helper.to_array(onnx.TensorProto.FromString(content))


def summary(results: list[dict[str, Any]]) -> dict[str, Any]:
    outcomes = Counter(result["outcome"] for result in results)
    reasons = {
        outcome: dict(Counter(r["reason"] for r in results if r["outcome"] == outcome).most_common())
        for outcome in ("not imported", "not run")
    }
    reasons["off"] = {
        r["model"]: f"the runtime alone is {r['runtime_alone']}" for r in results if "runtime_alone" in r
    }
    return {
        "onnx": onnx.__version__,
        "onnxruntime": onnxruntime.__version__,
        "models": len(results),
        "imported": sum(result["outcome"] != "not imported" for result in results),
        "cases_verified": sum(r["cases"] for r in results if r["outcome"] == "verified"),
        "warned": sum(result.get("warned", False) for result in results),
        "outcomes": dict(outcomes),
        "reasons": reasons,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, help="write what became of each model here, as JSON")
    arguments = parser.parse_args()
    show = lambda done, total: print(f"\r{done}/{total}", end="", file=sys.stderr)  # noqa: E731
    with tempfile.TemporaryDirectory() as folder:
        results = run(Path(folder), show=show)
    print(file=sys.stderr)
    print(json.dumps(summary(results), indent=2))
    if arguments.out:
        arguments.out.write_text(json.dumps({**summary(results), "results": results}, indent=1) + "\n")


if __name__ == "__main__":
    main()
