import subprocess
import sys
import time

import pytest

from harness.checks.fuzz import supervise
from harness.checks.fuzz.protocol import Broken, Ended, Job
from harness.checks.fuzz.supervise import run_worker, worker_environment

DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "t", "version": "1"},
    "paths": {"/a": {"get": {"responses": {"200": {"description": "ok"}}}}},
}


def job(**changes):
    usual = {
        "document": DOCUMENT,
        "base_url": "http://127.0.0.1:9",
        "headers": {},
        "checks": frozenset({"not_a_server_error"}),
        "seed": 1,
        "cases_per_operation": 1,
        "answer_timeout_s": 1.0,
        "budget_s": 20.0,
        "shrink_budget_s": 1.0,
        "memory_bytes": 4 * 1024**3,
    }
    return Job(**(usual | changes))


def test_what_changes_the_engine_from_outside_is_left_out():
    kept = worker_environment(
        {
            "PATH": "/bin",
            "CI": "1",
            "GITHUB_ACTIONS": "true",
            "HYPOTHESIS_PROFILE": "x",
            "GATE_KEY_DEFAULT": "secret",
        }
    )
    assert kept["PATH"] == "/bin"
    assert not {"CI", "GITHUB_ACTIONS", "HYPOTHESIS_PROFILE", "GATE_KEY_DEFAULT"} & set(kept)
    assert kept["PYTHONHASHSEED"] == "0"
    assert "127.0.0.1" in kept["NO_PROXY"]


def test_a_worker_that_overruns_is_killed(monkeypatch):
    monkeypatch.setattr(supervise, "GRACE_S", 0.0)
    end = run_worker(job(budget_s=0.05, shrink_budget_s=0.05, answer_timeout_s=0.05), lambda _message: None)
    assert end.killed
    assert end.exit_code == -9


def test_a_worker_without_memory_is_no_pass():
    messages = []
    end = run_worker(job(memory_bytes=64 * 1024**2), messages.append)
    completed = any(isinstance(message, Ended) and message.reason == "completed" for message in messages)
    assert not completed
    assert end.exit_code != 0 or any(isinstance(message, Broken) for message in messages)


def test_the_worker_ends_with_the_gate():
    process = subprocess.Popen(
        [sys.executable, "-m", "harness.checks.fuzz.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdin is not None
    # Nobody answers there, so it would wait for its timeout.
    process.stdin.write(
        job(base_url="http://192.0.2.1:9", answer_timeout_s=30.0).model_dump_json().encode() + b"\n"
    )
    process.stdin.flush()
    time.sleep(0.3)
    process.stdin.close()
    try:
        assert process.wait(timeout=10) == 1
    finally:
        process.kill()


def test_a_message_handler_that_fails_leaves_no_worker(monkeypatch):
    started = []
    popen = subprocess.Popen

    def spy(*args, **kwargs):
        started.append(popen(*args, **kwargs))
        return started[-1]

    monkeypatch.setattr(supervise.subprocess, "Popen", spy)

    def fail(_message):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_worker(job(), fail)
    assert started[0].poll() is not None
