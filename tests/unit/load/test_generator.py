"""The parent's side of the protocol, on workers that misbehave; and that it stays free of Locust."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from harness.load import GeneratorError, LoadGenerator, LoadPlan, Payload, Side, generator

PLAN = LoadPlan(
    sides=(Side(name="candidate", base_url="http://127.0.0.1:9"),),
    payloads=(Payload(method="GET", path="/", headers={"X-API-Key": "hidden"}),),
    rate_per_s=100.0,
    block_arrivals=1,
    seed=1,
    timeout_s=0.1,
    warmup_requests=0,
)
READY = '{"kind": "ready", "unix_offset_s": 0}'


@pytest.fixture
def worker(tmp_path, monkeypatch):
    """Puts a script in the worker's place."""

    def install(script):
        path = tmp_path / "worker.py"
        path.write_text(textwrap.dedent(script))
        real = subprocess.Popen
        monkeypatch.setattr(
            generator.subprocess, "Popen", lambda _command, **how: real([sys.executable, str(path)], **how)
        )
        monkeypatch.setattr(generator, "START_TIMEOUT_S", 1.0)
        monkeypatch.setattr(generator, "SLACK_S", 1.0)
        return LoadGenerator(PLAN, tmp_path)

    return install


def test_the_parent_does_not_import_locust_or_gevent():
    code = "import sys, harness.load; sys.exit(any(m in sys.modules for m in ('locust', 'gevent')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_worker_that_dies_at_once_is_an_error_with_its_last_words(worker):
    with pytest.raises(GeneratorError, match="last words"), worker("import sys; sys.exit('last words')"):
        pass


def test_a_worker_that_says_nothing_is_ended(worker):
    load = worker("import time; time.sleep(60)")
    with pytest.raises(GeneratorError, match="no answer in"), load:
        pass
    assert load._process.poll() is not None


def test_a_worker_that_fails_is_quoted(worker):
    script = f"""
        print('{READY}', flush=True)
        input(); input()
        print('{{"kind": "failed", "message": "out of sockets"}}', flush=True)
        input()
    """
    with worker(script) as load, pytest.raises(GeneratorError, match="out of sockets"):
        load.run_block(0)


def test_a_worker_that_answers_nonsense_is_an_error(worker):
    with pytest.raises(GeneratorError, match="what"), worker("print('what?', flush=True); input()"):
        pass


def test_a_block_without_samples_is_an_error(worker):
    script = f"""
        print('{READY}', flush=True)
        input(); input()
        print('{{"kind": "done", "block": 0}}', flush=True)
        input()
    """
    with worker(script) as load, pytest.raises(GeneratorError, match="cannot be read"):
        load.run_block(0)


def test_a_worker_that_ends_between_blocks_is_an_error(worker):
    with (
        worker(f"print('{READY}', flush=True); input()") as load,
        pytest.raises(GeneratorError, match="ended"),
    ):
        load.run_block(0)


def test_the_worker_is_gone_afterwards_and_secrets_are_not_on_its_command_line(worker):
    with worker(f"print('{READY}', flush=True)\nwhile True: input()") as load:
        assert load._process.poll() is None
        assert "hidden" not in Path(f"/proc/{load._process.pid}/cmdline").read_text()
    assert load._process.poll() is not None
