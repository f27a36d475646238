"""The images that are compared, and the suites that they are gated by."""

import io
import os
import subprocess
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomlkit

from benchmarks.verdict_quality.plan import ROOT, Form, Scenario, Slowed
from harness.config.suite import Suite, load_suite, parse_suite
from harness.targets.engine import Engine, find_engine
from harness.targets.image import build_image

GATE = ROOT / "gate.toml"
OVERLAY = Path(__file__).with_name("overlay") / "slowed.py"
REPOSITORY = "harness-verdict-quality"
TAG = f"{REPOSITORY}:reference"
DOCKERFILE = """FROM {base}
COPY slowed.py /overlay/slowed.py
ENV PYTHONPATH=/overlay SLOWED_FORM={form} SLOWED_AMOUNT={amount!r} SLOWED_SHARE={share!r}
CMD ["python3", "-m", "slowed"]
"""


def require_engine() -> Engine:
    """The engine of this checkout; None of the runs can be had without one."""
    engine = find_engine(ROOT, os.environ)
    if engine is None:
        raise SystemExit("verdict_quality: no container engine answers (`make engine` starts one)")
    return engine


class Images:
    """The image of this checkout, and images of it that are slowed, built when first asked for.

    Attributes:
        plain: The image id of the first.
    """

    def __init__(self, engine: Engine) -> None:
        build = load_suite(GATE).config.service.build
        assert build is not None
        base = os.environ.get("HARNESS_BASE_IMAGE") or _base_image()
        built = build_image(
            engine, ROOT, build, tag=TAG, base_image=base, progress=lambda _step, _total: None
        )
        self.engine = engine
        self.plain = built.image_id
        self._slowed: dict[tuple[Slowed, float], str] = {}

    def slowed(self, slowed: Slowed, amount: float) -> str:
        """The image id of a service, slowed by this amount."""
        if (slowed, amount) not in self._slowed:
            self._slowed[slowed, amount] = self._build(slowed, amount)
        return self._slowed[slowed, amount]

    def _build(self, slowed: Slowed, amount: float) -> str:
        share = slowed.effect if slowed.form is Form.STALLS else 0.0
        dockerfile = DOCKERFILE.format(base=TAG, form=slowed.form.value, amount=amount, share=share)
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as tar:
            for name, content in (("Dockerfile", dockerfile.encode()), ("slowed.py", OVERLAY.read_bytes())):
                entry = tarfile.TarInfo(name)
                entry.size, entry.mode = len(content), 0o644
                tar.addfile(entry, io.BytesIO(content))
        packed.seek(0)
        tag = f"{REPOSITORY}:{slowed.key}"
        image, _ = self.engine.client.images.build(
            fileobj=packed, custom_context=True, tag=tag, rm=True, forcerm=True
        )
        return str(image.id)


def _base_image() -> str:
    made = subprocess.run([ROOT / "scripts" / "base_image.sh"], check=True, stdout=subprocess.PIPE, text=True)
    return made.stdout.strip()


class Workspace:
    """A folder with all that the suite's paths lead to, and a gate.toml for each scenario."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.reports = folder / "reports"
        for entry in ROOT.iterdir():
            if not (entry.name.startswith(".") or entry.name in {GATE.name, "reports"}):
                (folder / entry.name).symlink_to(entry)

    def suite(self, scenario: Scenario, seed: int) -> Path:
        """The path of the scenario's gate.toml."""
        path = self._folder / f"gate.{scenario.name}.toml"
        path.write_text(suite_of(scenario, path, seed).text, encoding="utf-8")
        return path


def suite_of(scenario: Scenario, path: Path = GATE, seed: int = 0) -> Suite:
    """gate.toml with the budget and the limits of a scenario, and nothing else changed.

    Args:
        scenario: One of the plan.
        path: What the suite's paths are relative to.
        seed: Of what a slowed service draws at random; the plain one does not know it.

    Raises:
        ConfigError: a limit of the scenario is none of ``[latency.limits]``.
    """
    document = tomlkit.parse(GATE.read_text(encoding="utf-8"))
    latency: Any = document["latency"]
    service: Any = document["service"]
    service["environment"]["SLOWED_SEED"] = str(seed)
    latency["budget_s"] = scenario.budget_s
    _merge(latency["limits"], scenario.limits)
    return parse_suite(tomlkit.dumps(document), path)


def _merge(table: Any, changes: Mapping[str, Any]) -> None:
    for key, value in changes.items():
        if isinstance(value, Mapping) and key in table:
            _merge(table[key], value)
        else:
            table[key] = value
