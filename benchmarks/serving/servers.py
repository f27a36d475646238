"""The four servers, what each is asked, and how each is started: one worker, one core."""

import contextlib
import hashlib
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
ARTIFACT = ROOT / "reference_service" / "artifacts" / "breast-cancer"
MLSERVER_VENV = HERE / ".venv-mlserver"
API_KEY = "a key of this benchmark, 32 bytes"
UNREACHED = "10000000/second"
"""A quota that is counted and never used up."""
START_TIMEOUT_S = 60
JSON_HEADERS = {"Content-Type": "application/json"}


@dataclass(frozen=True, kw_only=True)
class Server:
    """One of those that are compared; `marker` is a text that its right answer holds."""

    name: str
    port: int
    command: list[str]
    path: str
    body: dict[str, Any]
    marker: str
    environment: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=lambda: dict(JSON_HEADERS))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{self.path}"

    @property
    def raw_body(self) -> bytes:
        return json.dumps(self.body).encode()

    @property
    def raw_request(self) -> bytes:
        """The request as it goes over the wire."""
        length = str(len(self.raw_body))
        headers = {"Host": f"127.0.0.1:{self.port}", "Content-Length": length, **self.headers}
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"POST {self.path} HTTP/1.1\r\n{lines}\r\n".encode() + self.raw_body


def all_servers(folder: Path) -> list[Server]:
    """Describe the servers; their files go into `folder`."""
    manifest = json.loads((ARTIFACT / "manifest.json").read_bytes())
    sample: dict[str, float] = manifest["sample"]["input"]
    label = manifest["sample"]["expected"]["label"]
    row = [sample[feature["name"]] for feature in manifest["input"]["features"]]
    tabular = {"features": sample}
    tensor = {"name": "features", "shape": [1, len(row)], "datatype": "FP32", "data": row}
    return [
        Server(
            name="this service",
            port=18001,
            command=[sys.executable, "-m", "reference_service"],
            path="/predict",
            body=tabular,
            marker=label,
            headers=JSON_HEADERS | {"X-API-Key": API_KEY},
            environment={
                "SERVICE_HOST": "127.0.0.1",
                "SERVICE_PORT": "18001",
                "SERVICE_ARTIFACT": str(ARTIFACT),
                "SERVICE_API_KEYS_FILE": str(_write_keys(folder)),
                "SERVICE_RATE_LIMIT_ADDRESS": UNREACHED,
                "SERVICE_RATE_LIMIT_GLOBAL": UNREACHED,
            },
        ),
        Server(
            name="bare FastAPI",
            port=18002,
            command=_uvicorn("bare_fastapi:app", 18002),
            path="/predict",
            body=tabular,
            marker=label,
            environment={"ARTIFACT": str(ARTIFACT)},
        ),
        Server(
            name="MLServer",
            port=18003,
            command=[str(MLSERVER_VENV / "bin" / "mlserver"), "start", str(_write_mlserver(folder, 18003))],
            path="/v2/models/model/infer",
            body={"inputs": [tensor]},
            marker=label,
            environment={"PYTHONPATH": str(HERE)},
        ),
        Server(
            name="bare ASGI (ceiling)",
            port=18004,
            command=_uvicorn("bare_asgi:app", 18004),
            path="/predict",
            body=tabular,
            marker=label,
        ),
    ]


def install_mlserver() -> None:
    """Make MLServer's own environment, once: it needs older libraries than this service."""
    if (MLSERVER_VENV / ".installed").exists():
        return
    print(f"making {MLSERVER_VENV.name} (a minute, 300 MB)", file=sys.stderr)
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(MLSERVER_VENV)], check=True)
    pip = [str(MLSERVER_VENV / "bin" / "python"), "-m", "pip", "install", "--quiet"]
    lock = ROOT / "requirements" / "mlserver.lock"
    subprocess.run([*pip, "--require-hashes", "--requirement", str(lock)], check=True)
    (MLSERVER_VENV / ".installed").touch()


@contextlib.contextmanager
def running(server: Server, core: int, log: Path) -> Iterator[int]:
    """Run a server on one core until the block ends; yield its process id once it gives the right answer."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["taskset", "--cpu-list", str(core), *server.command],
            cwd=ROOT,
            env=os.environ | server.environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait_for_answer(server, process, log)
            yield process.pid
        finally:
            process.terminate()
            process.wait(timeout=START_TIMEOUT_S)


def _wait_for_answer(server: Server, process: subprocess.Popen[bytes], log: Path) -> None:
    request = urllib.request.Request(server.url, data=server.raw_body, headers=server.headers)
    deadline = time.monotonic() + START_TIMEOUT_S
    answer = ""
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(request, timeout=5) as response:
                answer = response.read().decode()
        except urllib.error.HTTPError as error:
            answer = f"{error.code} {error.read().decode()}"
        except OSError as error:
            answer = str(error)
        if server.marker in answer:
            return
        time.sleep(0.2)
    sys.exit(f"{server.name}: no right answer: {answer}\n{log.read_text()[-2000:]}")


def _uvicorn(application: str, port: int) -> list[str]:
    """A uvicorn that logs no requests, with the loop and parser that this service has."""
    options = ["--app-dir", str(HERE), "--loop", "uvloop", "--http", "httptools", "--no-access-log"]
    return [sys.executable, "-m", "uvicorn", application, "--port", str(port), *options]


def _write_keys(folder: Path) -> Path:
    digest = hashlib.sha256(API_KEY.encode()).hexdigest()
    key = {"id": "benchmark", "sha256": digest, "scopes": ["predict"], "quota": UNREACHED}
    path = folder / "keys.json"
    path.write_text(json.dumps({"keys": [key]}))
    return path


def _write_mlserver(folder: Path, port: int) -> Path:
    """Write its configuration: inference in the server's own process, no debug log; both make it faster."""
    models = folder / "mlserver"
    models.mkdir()
    settings = {
        "host": "127.0.0.1",
        "http_port": port,
        "grpc_port": port + 100,
        "metrics_port": port + 200,
        "parallel_workers": 0,
        "debug": False,
    }
    model = {
        "name": "model",
        "implementation": "mlserver_runtime.Onnx",
        "parameters": {"uri": str(ARTIFACT / "model.onnx")},
    }
    (models / "settings.json").write_text(json.dumps(settings))
    (models / "model-settings.json").write_text(json.dumps(model))
    return models
