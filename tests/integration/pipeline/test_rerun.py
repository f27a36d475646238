"""The training pipeline, run again in environments of its own, writes the committed bytes."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from reference_service.pipeline.declaration import declaration_of

ROOT = Path(__file__).resolve().parents[3]
INSTALL_TIMEOUT_S = 900
RUN_TIMEOUT_S = 300

PYTHON = "python3.11"  # the version in the committed manifest; another would rightly be recorded instead

NO_WHEEL = "No matching distribution found for torch"
WHEEL_SOURCES = ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL")

pytestmark = pytest.mark.slow


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def install(folder, *locks):
    """Install hashed lock files into a new environment; give pip's exit code and what it said of errors."""
    subprocess.run([shutil.which(PYTHON), "-m", "venv", folder], check=True)
    chosen = [argument for lock in locks for argument in ("-r", ROOT / "requirements" / f"{lock}.lock")]
    pip = [folder / "bin" / "pip", "--disable-pip-version-check", "install", "-qq", "--require-hashes"]
    done = subprocess.run(
        [*pip, *chosen], check=False, timeout=INSTALL_TIMEOUT_S, stderr=subprocess.PIPE, text=True
    )
    return done.returncode, done.stderr


@pytest.fixture(scope="module")
def environments(tmp_path_factory):
    """Where the environments lie, one for each model; they go with the module."""
    if shutil.which(PYTHON) is None:
        pytest.skip(f"the committed artifacts were made with {PYTHON}, which is not installed")
    folder = tmp_path_factory.mktemp("pipeline")
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def trees_python(environments):
    """Python of the environment that trains the trees."""
    code, said = install(environments / "trees", "pipeline")
    assert code == 0, said
    return environments / "trees" / "bin" / "python"


@pytest.fixture(scope="module")
def network_python(environments):
    """Python of the environment that trains the network; skips where the one wheel of PyTorch cannot be had.

    It is not on the package index. A folder or an index that is declared for it has to have it.
    """
    code, said = install(environments / "network", "pipeline", "pipeline-torch")
    if NO_WHEEL in said and not any(os.environ.get(name) for name in WHEEL_SOURCES):
        pytest.skip(f"{NO_WHEEL}: declare where it lies with {' or '.join(WHEEL_SOURCES)}")
    assert code == 0, said
    return environments / "network" / "bin" / "python"


@pytest.fixture
def python_of(request):
    """Gives the Python that trains a model."""

    def python_of(model):
        return request.getfixturevalue("network_python" if model == "digits" else "trees_python")

    return python_of


@pytest.fixture
def rerun(python_of, tmp_path):
    """Runs the pipeline into empty folders; gives the bytes of the artifact and of the golden set."""

    def run(model, *arguments):
        artifact, golden = tmp_path / "artifact", tmp_path / "golden"
        command = [python_of(model), "-m", "reference_service.pipeline", model, *arguments]
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
def refusal(python_of, tmp_path):
    """Runs the pipeline, which must not succeed; gives its exit code and what it said."""

    def run(model, *arguments):
        command = [python_of(model), "-m", "reference_service.pipeline", model, *arguments]
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
