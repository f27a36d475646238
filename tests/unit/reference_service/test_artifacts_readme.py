"""What artifacts/README.md says of the artifacts is so, and its command tells a damaged one."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

import reference_service
from reference_service.model.artifact import load_artifact

ARTIFACTS = Path(reference_service.__file__).parent / "artifacts"
README = (ARTIFACTS / "README.md").read_text(encoding="utf-8")
NAMES = ["breast-cancer", "digits"]
ALL = [*NAMES, "check-digits"]


def column(name):
    """The cells of an artifact in the table of figures, by their row."""
    rows = [line.strip("|\n").split("|") for line in README.splitlines() if line.startswith("|")]
    start = next(number for number, row in enumerate(rows) if row[0].strip() == "" and len(row) == 3)
    head = [cell.strip() for cell in rows[start]]
    return {row[0].strip(): row[head.index(name)].strip() for row in rows[start + 2 :]}


@pytest.mark.parametrize("name", NAMES)
def test_the_table_of_figures(name):
    manifest = load_artifact(ARTIFACTS / name).manifest
    cells = column(name)
    assert cells["rows, of them evaluation"] == f"{manifest.dataset.rows}, {manifest.dataset.evaluation_rows}"
    told = " ".join(cells.values())
    for criterion in manifest.acceptance:
        assert re.search(rf"\b{criterion.observed:.3f}\b", told), criterion
        assert re.search(rf"(at least|at most|,) {criterion.limit:.2f}\b", told), criterion


@pytest.mark.parametrize("name", ALL)
def test_every_artifact_is_listed(name):
    assert f"| `{name}/` |" in README
    assert {path.name for path in ARTIFACTS.iterdir() if path.is_dir()} == set(ALL)
    assert {f"| `{path.name}` |" for path in (ARTIFACTS / name).iterdir()} <= set(
        re.findall(r"\| `\S+` \|", README)
    )


def test_the_command_that_verifies(tmp_path):
    command = re.search(
        r"^python - (?P<folder>\S+) <<'EOF'\n(?P<code>.*?)^EOF$", README, re.MULTILINE | re.DOTALL
    )
    folder = shutil.copytree(ARTIFACTS / Path(command["folder"]).name, tmp_path / "artifact")

    def said():
        finished = subprocess.run(
            ["python3", "-", folder], input=command["code"], capture_output=True, text=True, check=True
        )
        return finished.stdout.splitlines()

    assert said() == ["ok baseline.json", "ok data_audit.json", "ok model.onnx"]
    (folder / "baseline.json").write_bytes(b"{}")
    assert [line.split()[0] for line in said()] == ["DAMAGED:", "ok", "ok"]
