"""``harness init`` of images: what they expose, what they are handed, and those that do not start."""

import json
from pathlib import Path

import pytest

from harness.config.suite import load_suite
from harness.errors import ExitCode

pytestmark = pytest.mark.engine
BARE = Path(__file__).with_name("bare.py").read_text().replace("127.0.0.1", "0.0.0.0")
SERVICE = """
[service.environment]
SCORE_PORT = "${port}"   # where it listens
SCORE_TOKENS_FILE = "${file.tokens}"

[service.files.tokens]
path = "/run/secrets/tokens.json"
content = '{"tokens": [{"sha256": "${key.caller.sha256}", "requests": 1000000, "window_s": 1}]}'

[auth]
keys = ["caller"]

[auth.credentials.caller]
headers = { X-Token = "${key.caller}" }
"""


def image_of(build_image, *lines):
    """The service without a document, with further lines in its Dockerfile."""
    dockerfile = "\n".join(["FROM ${BASE}", "COPY bare.py /bare.py", *lines]) + "\n"
    return build_image("bare", dockerfile, {"bare.py": BARE})


def test_its_port_is_the_one_that_it_exposes(harness, build_image):
    image = image_of(build_image, "EXPOSE 8123", 'CMD ["python3", "/bare.py", "8123"]')
    Path("body.json").write_text('{"values": [1.5]}')
    asked = ("--endpoint", "/score", "--request", "body.json", "--env", "MODE=fast")
    made = harness("init", "--candidate", image, "--dir", "suite", *asked)
    assert made.returncode == 0, made.stderr
    service = load_suite(Path("suite/gate.toml")).config.service
    assert (service.port, service.environment) == (8123, {"MODE": "fast"})
    gate = ("--config", "suite/gate.toml", "--candidate", image, "--reference", "none", "--only", "golden")
    assert harness("run", *gate).returncode == 0


@pytest.mark.parametrize(
    ("lines", "said"), [([], "exposes no port"), (["EXPOSE 80 443"], "exposes 80, 443")], ids=["none", "two"]
)
def test_a_port_that_is_not_clear_is_asked_for(harness, build_image, lines, said):
    refused = harness("init", "--candidate", image_of(build_image, *lines))
    assert refused.returncode == ExitCode.USAGE
    assert said in refused.stderr
    assert "--port" in refused.stderr


def test_one_that_ends_shows_its_last_words_without_secrets(harness, build_image):
    ends = 'CMD ["sh", "-c", "echo last words, $API_KEY; exit 3"]'
    image = image_of(build_image, "EXPOSE 80", ends)
    key = ("--header", "X-Key: ${key.caller}", "--env", "API_KEY=${key.caller}")
    refused = harness("init", "--candidate", image, *key)
    assert refused.returncode == ExitCode.INFRASTRUCTURE
    assert "last words, $GATE_KEY_CALLER" in refused.stderr
    assert "ended before it was ready" in refused.stderr
    assert list(Path().iterdir()) == []


@pytest.mark.slow
def test_files_and_secrets_are_handed_over_by_a_file(harness, plain_image):
    Path("service.toml").write_text(SERVICE)
    image = ("--candidate", plain_image)
    declared = ("--service", "service.toml", "--port", "9090", "--endpoint", "/v2/score-many")
    made = harness("init", *image, "--dir", "suite", *declared, "--cases", "4", key="")
    assert made.returncode == ExitCode.USAGE  # a variable that is set and empty is a mistake
    made = harness("init", *image, "--dir", "suite", *declared, "--cases", "4")
    assert made.returncode == 0, made.stderr
    assert "# where it listens" in Path("suite/gate.toml").read_text()
    cases = Path("suite/golden").rglob("cases.jsonl")
    first = json.loads(next(cases).read_text().splitlines()[0])
    assert set(first["input"]) == {"rows"}
    gate = (
        "--config",
        "suite/gate.toml",
        *image,
        "--reference",
        "none",
        "--only",
        "golden",
        "--only",
        "contract",
    )
    gated = harness("run", *gate)
    assert gated.returncode == 0, gated.stderr
