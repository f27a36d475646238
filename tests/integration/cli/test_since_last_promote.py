"""A run beside the report of a promoted release: it tells what was loosened since, and decides alike."""

import json

import pytest

from harness.errors import ExitCode

SECRET = "sesame-of-the-caller-1234567890"
LIMIT = "\n[golden.limits.outputs.y]\natol = {atol}\n"


@pytest.fixture
def ask(run_main, tiny_url, tmp_path):
    """Runs a command that needs no more than the URL; gives exit code, report and what was said."""

    def ask(*arguments):
        result = run_main(*arguments, "--json", GATE_KEY_CALLER=SECRET)
        return result.returncode, json.loads(result.stdout), result.stderr

    def gate(config):
        given = ("--candidate", tiny_url, "--reference", "none", "--out", tmp_path / "reports")
        return ask("run", "--config", config, *given)

    return gate, ask


def test_a_run_tells_what_is_looser_than_at_the_last_promote(ask, tiny_suite, tmp_path):
    gate, command = ask
    code, first, _ = gate(tiny_suite(LIMIT.format(atol=0.5)))
    assert (code, first["since_last_promote"], first["limits_not_compared"]) == (ExitCode.PROMOTE, None, "")
    # As if it had been a container's.
    promoted = tmp_path / "reports" / f"{first['run_id']}.json"
    released = {**first["candidate"], "kind": "container", "image_id": "sha256:" + "ab" * 32}
    promoted.write_text(json.dumps(first | {"scope": "container", "candidate": released}))

    code, second, said = gate(tiny_suite(LIMIT.format(atol=2.0), folder=tmp_path / "looser"))
    assert code == ExitCode.PROMOTE
    since = second["since_last_promote"]
    assert (since["run_id"], since["image_id"]) == (first["run_id"], released["image_id"])
    key = "golden.limits.outputs.y.atol"
    assert since["changes"] == [{"key": key, "direction": "loosened", "old": 0.5, "new": 2.0}]
    assert f"{key}: 0.5 → 2 (loosened)" in said

    stored = tmp_path / "reports" / f"{second['run_id']}.json"
    assert command("judge", stored)[1]["since_last_promote"] == since
    other = tmp_path / "looser" / "gate.toml"
    assert command("judge", stored, "--config", other)[1]["since_last_promote"] is None
