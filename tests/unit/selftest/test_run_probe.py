"""How a probe is run: its input, its bounds, and what its end means."""

import json
import os
import textwrap

import pytest

from harness.selftest.probing import Given, Proof, run_probe

GIVEN = Given(
    base_url="http://127.0.0.1:1",
    healthy_url="http://127.0.0.1:2",
    headers={"caller": {"X-Caller": "sesame"}},
    tokens={"bearer": "a.b.c"},
    container_id="c0ffee",
    image_id="sha256:1",
    healthy_image_id="sha256:2",
    docker_host="unix:///engine",
    variant=None,
)


@pytest.fixture
def probe(tmp_path):
    """Writes a probe into a catalogue and runs it."""

    def probe(text, timeout_s=20.0):
        folder = tmp_path / "faults" / "off"
        folder.mkdir(parents=True)
        (tmp_path / "shared.py").write_text("WHY = 'it is not there'\n")
        (folder / "probe.py").write_text(textwrap.dedent(text))
        return run_probe(folder / "probe.py", GIVEN, os.environ, timeout_s)

    return probe


@pytest.mark.parametrize(
    ("text", "proof"),
    [
        ("print('it is off')", Proof(active=True, said="it is off")),
        ("", Proof(active=True)),
        (
            "from shared import WHY\nprint('x')\nraise SystemExit(print(WHY) or 1)",
            Proof(False, "it is not there"),
        ),
        ("raise SystemExit('so')", Proof(False, "so")),
        ("raise SystemExit(1)", Proof(False, "the probe gave no reason")),
        ("raise SystemExit(3)", Proof(None, "the probe ended with 3: no reason")),
        (
            "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
            Proof(None, "the probe ended with -9: no reason"),
        ),
    ],
)
def test_its_exit_code_is_the_proof(probe, text, proof):
    assert probe(text) == proof


def test_an_exception_ends_it_with_one_as_python_does(probe):
    """So a probe says by another code that it is broken; probing.py of the reference suite does."""
    assert probe("1 / 0") == Proof(False, "ZeroDivisionError: division by zero")


def test_it_gets_what_there_is_to_ask(probe, tmp_path):
    probe("import sys; open('given.json', 'w').write(sys.stdin.read())")
    told = json.loads((tmp_path / "faults" / "off" / "given.json").read_text())
    assert told == {
        "base_url": "http://127.0.0.1:1",
        "healthy_url": "http://127.0.0.1:2",
        "headers": {"caller": {"X-Caller": "sesame"}},
        "tokens": {"bearer": "a.b.c"},
        "container_id": "c0ffee",
        "image_id": "sha256:1",
        "healthy_image_id": "sha256:2",
        "docker_host": "unix:///engine",
        "variant": None,
    }


def test_one_that_hangs_is_ended_and_broken(probe):
    assert probe("import time; time.sleep(60)", timeout_s=1.0) == Proof(
        None, "the probe took longer than 1 s"
    )


def test_one_that_says_very_much_is_read_to_a_bound(probe):
    proof = probe("for _ in range(100): print('x' * 99_999)\nprint('the end')")
    assert proof == Proof(active=True, said="the end")
