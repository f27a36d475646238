"""The tiny service's image and suite."""

import hashlib
import json
from pathlib import Path

TINY = Path(__file__).resolve().parents[1] / "integration" / "tiny"
CASES = 12
DOCKERFILE = (
    'FROM ${BASE}\nCOPY server.py /server.py\nUSER 10001:10001\nENTRYPOINT ["python3", "/server.py"]\n'
)
GATE_TOML = """
schema_version = 1
name = "tiny"

[service]
port = 8080
ready_path = "/ready"
ready_timeout_s = 15
memory = "64m"
cpus = 1.0
pids = 32
read_only_root = true

[service.environment]
PORT = "${port}"
TINY_KEY = "${key.caller}"

[service.files.key]
path = "/run/secrets/caller"
content = "${key.caller}"

[service.process]
command = ["${python}", "server.py"]

[auth]
keys = ["caller"]

[auth.credentials.caller]
headers = { X-Caller = "${key.caller}" }

[policy]
required = ["golden"]

[golden]
path = "golden"
connections = 1
single = { path = "/predict", credential = "caller", body = { x = "${input}" } }

[golden.outputs.y]
pointer = "/y"
dtype = "int64"
"""


def built(build_image):
    """Tag of its image; its command line takes a way to misbehave."""
    return build_image("tiny", DOCKERFILE, {"server.py": (TINY / "server.py").read_text()})


def varied(build_image, tiny_image, *lines):
    """Tag of an image that is the tiny service with other lines at the end of its Dockerfile."""
    return build_image("tiny-variant", "\n".join(["FROM ${BASE}", *lines]) + "\n", base=tiny_image)


def write_suite(folder, more="", *, replace=None, cases=CASES):
    """Write the suite, with more lines at the end of its gate.toml; give the path of that."""
    (folder / "golden").mkdir(parents=True)
    (folder / "server.py").write_text((TINY / "server.py").read_text())
    lines = "".join(
        json.dumps({"id": f"double-{x}", "input": x, "expected": {"y": 2 * x}}) + "\n" for x in range(cases)
    )
    (folder / "golden" / "cases.jsonl").write_text(lines)
    digest = hashlib.sha256(lines.encode()).hexdigest()
    (folder / "golden" / "golden.toml").write_text(
        "schema_version = 1\n"
        '[producer]\nname = "by hand"\nversion = "1"\nkind = "script"\ndate = 2026-01-01\n'
        'environment = "none"\n'
        f'[model]\nname = "double"\nversion = "1"\nsha256 = "{"0" * 64}"\n'
        f'[dataset]\nname = "integers"\nsha256 = "{"0" * 64}"\n'
        f'[cases]\nfile = "cases.jsonl"\nsha256 = "{digest}"\ncount = {cases}\n'
    )
    text = GATE_TOML
    for old, new in (replace or {}).items():
        assert old in text
        text = text.replace(old, new)
    config = folder / "gate.toml"
    config.write_text(text + more)
    return config
