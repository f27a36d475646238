"""A container whose artifact is not what its manifest says does not start, and says why."""

import hashlib
import json

import pytest

pytestmark = pytest.mark.engine

EXIT_REFUSED = 3
EXIT_TIMEOUT_S = 30


@pytest.fixture
def refusal(created, artifact):
    """Starts a service on the artifact, which must make it exit; gives what its log says."""

    def start():
        with created(artifact=artifact) as container:
            container.start()
            code = container.wait(timeout=EXIT_TIMEOUT_S)["StatusCode"]
            entries = [json.loads(line) for line in container.logs().decode().splitlines()]
        assert code == EXIT_REFUSED
        assert "model loaded" not in [entry["message"] for entry in entries]
        return "\n".join(entry["message"] for entry in entries)

    return start


def digest(content):
    return hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("name", ["model.onnx", "data_audit.json"])
@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:1000] + bytes([content[1000] ^ 1]) + content[1001:],
        lambda content: content[: len(content) // 2],
        lambda _content: b"",
    ],
    ids=["one bit", "half of it", "empty"],
)
def test_damaged_file_is_named_with_both_digests(artifact, refusal, name, damage):
    path = artifact / name
    whole = path.read_bytes()
    path.write_bytes(damage(whole))
    message = refusal()
    for part in (name, digest(whole), digest(damage(whole))):
        assert part in message


@pytest.mark.parametrize("name", ["model.onnx", "data_audit.json", "manifest.json"])
def test_missing_file_is_named(artifact, refusal, name):
    (artifact / name).unlink()
    message = refusal()
    assert name in message
    assert "refusing to start" in message


def test_model_that_answers_its_sample_differently_is_refused(artifact, refusal):
    path = artifact / "manifest.json"
    manifest = json.loads(path.read_text())
    probabilities = manifest["sample"]["expected"]["probabilities"]
    probabilities["benign"] += 1e-3
    path.write_text(json.dumps(manifest))
    message = refusal()
    assert "sample answered" in message
    assert str(probabilities["benign"]) in message


def test_untouched_copy_of_the_artifact_is_served(serving, artifact):
    with serving(artifact=artifact) as service:
        told = service.client.get("/metadata").json()
        assert told.items() >= json.loads((artifact / "manifest.json").read_text()).items()
