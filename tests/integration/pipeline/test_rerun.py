"""The training pipeline, run again in an environment of its own, writes the committed bytes."""

import shutil
import subprocess
from pathlib import Path

import pytest

from reference_service.pipeline.declaration import declaration_of

ROOT = Path(__file__).resolve().parents[3]
INSTALL_TIMEOUT_S = 900
RUN_TIMEOUT_S = 300

PYTHON = "python3.11"  # the version in the committed manifest; another would rightly be recorded instead

pytestmark = pytest.mark.slow


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def pipeline_python(tmp_path_factory):
    """Python of a virtual environment made from the hashed lock files."""
    interpreter = shutil.which(PYTHON)
    if interpreter is None:
        pytest.skip(f"the committed artifact was made with {PYTHON}, which is not installed")
    folder = tmp_path_factory.mktemp("pipeline") / "venv"
    subprocess.run([interpreter, "-m", "venv", folder], check=True)
    locks = [ROOT / "requirements" / f"{name}.lock" for name in ("pipeline", "pipeline-torch")]
    chosen = [argument for lock in locks for argument in ("-r", lock)]
    pip = [folder / "bin" / "pip", "--disable-pip-version-check", "install", "-qq"]
    subprocess.run([*pip, "--require-hashes", *chosen], check=True, timeout=INSTALL_TIMEOUT_S)
    yield folder / "bin" / "python"
    shutil.rmtree(folder)


@pytest.fixture
def rerun(pipeline_python, tmp_path):
    """Runs the pipeline into empty folders; gives the bytes of the artifact and of the golden set."""

    def run(*arguments):
        artifact, golden = tmp_path / "artifact", tmp_path / "golden"
        command = [pipeline_python, "-m", "reference_service.pipeline", *arguments]
        subprocess.run(
            [*command, "--artifact", artifact, "--golden", golden],
            cwd=ROOT,
            check=True,
            timeout=RUN_TIMEOUT_S,
        )
        return contents(artifact), contents(golden)

    return run


@pytest.fixture
def committed():
    """The bytes of a committed artifact and golden set."""

    def read(name):
        return contents(ROOT / "reference_service" / "artifacts" / name), contents(ROOT / "golden" / name)

    return read


@pytest.mark.parametrize("model", ["breast-cancer", "digits"])
def test_rerun_writes_the_committed_bytes(rerun, committed, model):
    assert all(committed(model))
    assert rerun(model) == committed(model)


def test_the_date_is_an_input_that_changes_no_number(rerun, committed):
    made_anew = rerun("breast-cancer", "--date", "2001-02-03")
    for made, before in zip(made_anew, committed("breast-cancer"), strict=True):
        assert made.keys() == before.keys()
        assert {name for name in made if made[name] != before[name]} <= {"manifest.json", "golden.toml"}
        assert sum(content.count(b"2001-02-03") for content in made.values()) == 1


def changed_declaration(folder, model, change):
    """A copy of a model's declaration in which one text is another."""
    before, after = change
    text = declaration_of(model).read_text(encoding="utf-8")
    assert text.count(before) == 1
    path = folder / "declaration.toml"
    path.write_text(text.replace(before, after), encoding="utf-8")
    return path


@pytest.fixture
def refusal(pipeline_python, tmp_path):
    """Runs the pipeline, which must not succeed; gives its exit code and what it said."""

    def run(*arguments):
        command = [pipeline_python, "-m", "reference_service.pipeline", *arguments]
        folders = ["--artifact", tmp_path / "artifact", "--golden", tmp_path / "golden"]
        finished = subprocess.run(
            [*command, *folders], cwd=ROOT, check=False, timeout=RUN_TIMEOUT_S, capture_output=True, text=True
        )
        assert "Traceback" not in finished.stderr
        assert not (tmp_path / "artifact").exists()
        assert not (tmp_path / "golden").exists()
        return finished.returncode, finished.stderr

    return run


@pytest.mark.parametrize(
    ("model", "change", "message"),
    [
        (
            "breast-cancer",
            ("94cb8fb8066dab22", "0" * 16),
            "DataError: SHA-256 of the data is 94cb8fb8066dab22",
        ),
        ("breast-cancer", ("n_estimators", "estimators"), "DeclarationError: parameters: "),
        ("breast-cancer", ("subsample = 0.8", "subsample = 8.0"), "DeclarationError: parameters: "),
        (
            "breast-cancer",
            ("limit = 0.97", "limit = 1.0"),
            "RejectedModelError: acceptance bar missed: roc_auc",
        ),
        (
            "breast-cancer",
            ("[measurements.radius]", "[measurements.ray]"),
            "DeclarationError: measurements: ",
        ),
        ("digits", ("f5cc4da8dc772ea2", "0" * 16), "DataError: SHA-256 of the data is f5cc4da8dc772ea2"),
        ("digits", ("epochs =", "rounds ="), "DeclarationError: parameters: "),
        ("digits", ("learning_rate = 0.002", "learning_rate = -1"), "DeclarationError: parameters: "),
    ],
    ids=[
        *("other data", "unknown parameter", "wrong parameter", "bar missed", "measurement not described"),
        *("other images", "unknown parameter of the network", "wrong parameter of the network"),
    ],
)
def test_a_wrong_declaration_is_refused_in_a_line(refusal, tmp_path, model, change, message):
    code, said = refusal(model, "--declaration", changed_declaration(tmp_path, model, change))
    assert code == 1
    assert said.startswith(message)


@pytest.mark.parametrize("date", ["tomorrow", "2026-02-30", "20261121", ""])
def test_a_wrong_date_is_a_wrong_argument(refusal, date):
    code, said = refusal("breast-cancer", "--date", date)
    assert code == 2
    assert "--date" in said


def test_an_unknown_model_is_a_wrong_argument(refusal):
    code, said = refusal("iris")
    assert code == 2
    assert "digits" in said
