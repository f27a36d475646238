"""The process target: a group of its own that outlives neither target nor parent. No engine needed."""

import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import httpx
import pytest
from local_processes import alive_after, first_line, kill

from harness.config.service import ServiceSettings
from harness.errors import TargetError
from harness.targets.process import ProcessTarget

TINY = Path(__file__).parent.parent / "tiny"
FILES = {"key": {"path": "/run/secrets/key", "content": "${key.caller}"}}


@pytest.fixture
def target(temporary):
    def make(*arguments, cpuset=None, script="server.py", folder=TINY, **service):
        settings = {
            "port": 8080,
            "ready_path": "/ready",
            "ready_timeout_s": 15,
            "environment": {"PORT": "${port}"},
            "process": {"command": ["${python}", script, *arguments]},
            **service,
        }
        service = ServiceSettings.model_validate(settings)
        return ProcessTarget(
            folder=folder,
            service=service,
            process=service.process,
            values={"key.caller": "a-secret"},
            cpuset=cpuset,
        )

    yield make
    assert list(temporary.iterdir()) == []


def ask(endpoint, door, **question):
    return httpx.get(f"{endpoint.base_url}/{door}", params=question, timeout=10).json()


def test_it_serves_on_a_free_loopback_port(target):
    with target() as one, target() as other:
        assert one.base_url != other.base_url
        assert one.base_url.startswith("http://127.0.0.1:")
        assert one.alive()
        assert "serving" in one.logs()


def test_the_memory_that_its_whole_session_holds_is_told(target):
    with target() as endpoint:
        before = endpoint.memory_bytes()
        ask(endpoint, "hold", bytes=16 * 1024 * 1024)
        grown = endpoint.memory_bytes() - before
    assert before > 1024 * 1024
    assert 15 * 1024 * 1024 < grown < 24 * 1024 * 1024


@pytest.mark.parametrize("door", ["spin", "fork-and-spin"])
def test_the_cpu_time_that_its_whole_session_uses_is_told(target, door):
    with target() as endpoint:
        before = endpoint.cpu_s()
        ask(endpoint, door, cpu_s=0.4)
        used_s = endpoint.cpu_s() - before
    assert before > 0
    assert 0.39 <= used_s < 0.46


def test_it_exits_at_once_with_a_message(target):
    with pytest.raises(TargetError, match="exit code 3") as caught, target("exit"):
        pass
    assert "no model file at /model.onnx" in caught.value.logs


def test_it_never_gets_ready(target):
    started = time.monotonic()
    with pytest.raises(TargetError, match=r"not ready within 1 s"), target("never-ready", ready_timeout_s=1):
        pass
    assert time.monotonic() - started < 10


def test_a_command_that_does_not_exist(target):
    service = {"process": {"command": ["/no/such/executable"]}}
    with pytest.raises(TargetError) as caught, target(**service):
        pass
    assert "/no/such/executable" in f"{caught.value}{caught.value.logs}"


def test_it_dies_and_its_last_words_are_kept(target):
    with target() as endpoint:
        with pytest.raises(httpx.HTTPError):
            ask(endpoint, "die")
        deadline = time.monotonic() + 5
        while endpoint.alive() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not endpoint.alive()
        assert "last words of the tiny service" in endpoint.logs()


def test_it_is_bound_to_its_cores(target):
    core = str(min(os.sched_getaffinity(0)))
    with target(cpuset=core) as endpoint:
        assert ask(endpoint, "status")["Cpus_allowed_list"] == core


def test_it_does_not_inherit_the_environment(target, monkeypatch):
    monkeypatch.setenv("A_SECRET_OF_THE_CALLER", "not for the candidate")
    with target() as endpoint:
        environ = Path(f"/proc/{ask(endpoint, 'status')['Pid'].strip()}/environ").read_bytes()
    assert b"not for the candidate" not in environ
    assert b"PORT=" in environ


def test_handed_files_are_there_while_it_runs(target, temporary):
    environment = {"PORT": "${port}", "KEY_FILE": "${file.key}"}
    with target(files=FILES, environment=environment):
        (handed,) = temporary.glob("harness-*/key")
        assert handed.read_text() == "a-secret"


def test_children_and_a_deaf_service_end_with_it(target, tmp_path):
    """The child ignores SIGTERM, as its parent does: the whole group is killed when its time is over."""
    (tmp_path / "server.py").write_text(
        textwrap.dedent("""
            import os, runpy, signal, subprocess, sys
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
            sys.stderr.write(f"child {child.pid}\\n")
            sys.stderr.flush()
            sys.argv = ["server.py", "deaf"]
            runpy.run_path(os.environ["TINY"])
        """)
    )
    environment = {"PORT": "${port}", "TINY": str(TINY / "server.py")}
    with target(folder=tmp_path, environment=environment, stop_timeout_s=0.5) as endpoint:
        child = int(endpoint.logs().split("child ")[1].split()[0])
        server = int(ask(endpoint, "status")["Pid"])
        assert alive_after({child, server}, 0) == {child, server}
    assert alive_after({child, server}, 5) == set()


def test_it_dies_with_its_parent(tmp_path):
    """SIGKILL leaves no chance to clean up: the kernel ends the service."""
    script = tmp_path / "parent.py"
    script.write_text(
        textwrap.dedent(f"""
            import pathlib, sys, time, httpx
            from harness.config.service import ServiceSettings
            from harness.targets.process import ProcessTarget
            service = ServiceSettings.model_validate({{
                "port": 8080, "ready_path": "/ready", "environment": {{"PORT": "${{port}}"}},
                "process": {{"command": ["${{python}}", "server.py"]}},
            }})
            target = ProcessTarget(
                folder=pathlib.Path({str(TINY)!r}), service=service, process=service.process, values={{}}
            )
            with target as endpoint:
                print(httpx.get(endpoint.base_url + "/status").json()["Pid"], flush=True)
                time.sleep(600)
        """)
    )
    environ = {**os.environ, "TMPDIR": str(tmp_path)}
    parent = subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True, env=environ)
    try:
        server = int(first_line(parent))
        assert alive_after({server}, 0) == {server}
    finally:
        kill(parent)
        parent.stdout.close()
    assert alive_after({server}, 5) == set()
