"""docs/golden.md, from the first recording to the tolerances, by its own commands."""

import importlib.util
import shutil
import tomllib

import pytest
from pages import ROOT, read_page

PAGE = "docs/golden.md"
BACKEND = ROOT / "benchmarks" / "onnx_backend" / "run.py"
VARIANTS = """
[service.variants.one-thread.environment]
OMP_NUM_THREADS = "1"
[service.variants.four-threads.environment]
OMP_NUM_THREADS = "4"
"""


@pytest.mark.engine
@pytest.mark.slow
def test_a_set_is_recorded_verified_blessed_and_calibrated(my_service, plain_image, build_image, tag):
    lines = 'FROM ${BASE}\nUSER 0:0\nRUN sed -i "s/2\\.1/2.2/" /srv/weights.json\nUSER 10001:10001\n'
    tag(plain_image, "my-service:2.1.0")
    tag(build_image("plain-retrained", lines, base=plain_image), "my-service:2.2.0")
    config = my_service.folder / "gate.toml"
    text = config.read_text()
    assert 'path = "golden"\n' in text
    config.write_text(text.replace('path = "golden"\n', 'path = "golden/my-service"\n') + VARIANTS)
    shutil.copy(my_service.folder / "golden" / "cases.jsonl", my_service.folder / "inputs.jsonl")
    golden = my_service.folder / "golden" / "my-service"

    my_service.walk("docs/golden.md", "harness golden record")
    recorded = tomllib.loads((golden / "golden.toml").read_text())
    assert recorded["producer"]["kind"] == "service"
    assert recorded["cases"]["count"] == 200

    my_service.walk("docs/golden.md", "harness golden verify --candidate", "harness golden verify --offline")

    my_service.walk("docs/golden.md", "harness golden bless")
    blessed = tomllib.loads((golden / "golden.toml").read_text())
    (blessing,) = blessed["blessings"]
    (shown,) = (
        tomllib.loads(block.text)["blessings"]
        for block in read_page(PAGE).blocks("toml")
        if block.first_line == "[[blessings]]"
    )
    assert blessing.keys() == shown[0].keys()
    assert blessing["reason"] == shown[0]["reason"] == "retrained on October's data"
    assert blessing["before"] == recorded["cases"]["sha256"]
    assert blessing["image"] == "my-service:2.2.0"

    # The pipeline's values, which the suite's own service misses in the last bits.
    for file in ("golden.toml", "cases.jsonl"):
        shutil.copy(my_service.folder / "golden" / file, golden)
    proposed = my_service.walk("docs/golden.md", "harness golden calibrate", timeout_s=200).out
    limit = tomllib.loads(proposed)["golden"]["limits"]["outputs"]["score"]
    assert "10 runs" in limit["source"]


@pytest.mark.slow
def test_onnx_test_data_becomes_a_set(world, tmp_path):
    spec = importlib.util.spec_from_file_location("onnx_backend", BACKEND)
    backend = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(backend)
    backend.write_tests(tmp_path / "models", {"test_top_k"})
    (folder,) = (tmp_path / "models" / "node").iterdir()
    shutil.move(folder, world.folder / "resnet50")
    world.walk("docs/golden.md", "harness golden import")
    assert {path.name for path in (world.folder / "golden" / "resnet50").iterdir()} >= {
        "golden.toml",
        "outputs.toml",
    }
