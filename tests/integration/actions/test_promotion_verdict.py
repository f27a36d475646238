"""The last job: folders of verdicts, and what of them is a promotion."""

import json
from pathlib import Path

import pytest
from workflow_commands import annotations_in, commands_in

ACTION = Path(".github/actions/promotion-verdict")
NAME = "registry.test/service"
CANDIDATE = f"{NAME}@sha256:{'5e' * 32}"
NEEDS = {"resolve": {"result": "success", "outputs": {}}, "gate": {"result": "success", "outputs": {}}}


@pytest.fixture
def verdict(runner, samples):
    """Asks the action about reports: the promoting one of each device, with these changes."""
    folder, rejected = runner.workspace / "verdicts", runner.workspace / "rejected"
    folder.mkdir()
    stored = json.loads(samples.promote().model_dump_json())

    def ask(
        *, needs=NEEDS, devices=("cpu",), candidate=CANDIDATE, text=None, names=None, before=None, **changes
    ):
        if before is not None:
            rejected.mkdir()
            (rejected / "before.json").write_text(before if isinstance(before, str) else json.dumps(before))
        for index, device in enumerate(devices if names is None else names):
            tested = {"device": device, "repo_digest": CANDIDATE} | changes.get("candidate_is", {})
            report = stored | changes | {"candidate": stored["candidate"] | tested}
            (folder / f"{index}.json").write_text(text or json.dumps(report))
            (folder / str(index)).mkdir()
            (folder / str(index) / "evidence.json").write_text("{}")
        inputs = {"needs": json.dumps(needs, indent=2), "verdicts": "verdicts", "candidate": candidate}
        inputs |= {"rejected": "rejected", "attempt": "1" if before is None else "2"}
        return runner.action(runner.root / ACTION, {**inputs, "devices": json.dumps(devices)})

    return ask


def told(ran):
    """The problems it annotates, and nothing else is a command."""
    found = annotations_in(ran.output)
    assert len(list(commands_in(ran.output))) == len(found)
    assert (ran.code == 0) is (found == [])
    return [one.data for one in found]


@pytest.mark.parametrize("devices", [("cpu",), ("gpu",), ("cpu", "gpu")])
def test_every_device_promotes(verdict, devices):
    ran = verdict(devices=devices)
    assert told(ran) == []
    assert ran.output == f"promote on {', '.join(devices)}: {CANDIDATE}\n"


def test_what_was_built_here_has_no_digest_to_compare(verdict):
    ran = verdict(candidate="build", candidate_is={"repo_digest": None})
    assert told(ran) == []
    assert ran.output == "promote on cpu: built here\n"


def test_no_candidate_is_not_what_was_built_here(verdict):
    problems = told(verdict(candidate="", candidate_is={"repo_digest": None}))
    assert problems == ["no candidate was named", 'cpu: it judged null, not ""']


def a_reject(repo_digest):
    return {
        "run_id": "before",
        "decision": "reject",
        "candidate": {"device": "cpu", "repo_digest": repo_digest},
    }


AGAIN = '"before": rejected by an earlier attempt of this run, which a further attempt does not undo'


@pytest.mark.parametrize(
    ("candidate", "before"),
    [
        (CANDIDATE, a_reject(CANDIDATE)),
        (f"mirror.test/x@sha256:{'5e' * 32}", a_reject(CANDIDATE)),
        ("build", a_reject(None)),
        (CANDIDATE, "no report"),
    ],
)
def test_a_reject_by_an_earlier_attempt_stands(verdict, candidate, before):
    assert told(verdict(candidate=candidate, before=before)) == [AGAIN]


def test_a_reject_of_other_bytes_by_an_earlier_attempt_does_not_count(verdict):
    ran = verdict(before=a_reject(f"{NAME}@sha256:{'6f' * 32}"))
    assert told(ran) == []
    assert ran.summary == "Attempt 2 of this run.\n"


def test_a_reject_of_this_attempt_is_told_once(verdict):
    own = a_reject(CANDIDATE) | {"run_id": "now"}
    assert told(verdict(decision="reject", run_id="now", before=own)) == [
        'cpu: decision is "reject", not "promote"'
    ]


def test_the_same_bytes_under_another_name_are_the_same(verdict):
    assert told(verdict(candidate=f"mirror.test/x@sha256:{'5e' * 32}")) == []


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"decision": "reject"}, 'cpu: decision is "reject", not "promote"'),
        ({"decision": "inconclusive"}, 'cpu: decision is "inconclusive", not "promote"'),
        ({"decision": None}, 'cpu: decision is null, not "promote"'),
        ({"partial": True}, "cpu: partial is true, not false"),
        ({"partial": 0}, "cpu: partial is 0, not false"),
        ({"scope": "process"}, 'cpu: scope is "process", not "container"'),
        ({"scope": "url"}, 'cpu: scope is "url", not "container"'),
        ({"candidate_is": {"repo_digest": None}}, f'cpu: it judged null, not "{CANDIDATE[:79]}...'),
    ],
)
def test_a_verdict_that_does_not_promote_these_bytes(verdict, changes, problem):
    assert told(verdict(**changes)) == [problem]


def test_a_verdict_of_other_bytes(verdict):
    (problem,) = told(verdict(candidate_is={"repo_digest": f"{NAME}@sha256:{'6f' * 32}"}))
    assert problem.startswith(f'cpu: it judged "{NAME}@sha256:6f6f')


def test_a_missing_verdict(verdict):
    assert told(verdict(devices=("cpu", "gpu"), names=("cpu",))) == ["gpu: 0 verdicts, not one"]


def test_no_verdict_at_all(verdict, runner):
    (runner.workspace / "verdicts").rmdir()
    assert told(verdict(names=(), devices=("gpu",))) == ["gpu: 0 verdicts, not one"]


def test_one_of_two_devices_rejects(verdict, runner):
    assert verdict(devices=("cpu", "gpu")).code == 0
    path = runner.workspace / "verdicts" / "1.json"
    path.write_text(path.read_text().replace('"promote"', '"reject"'))
    inputs = {"needs": json.dumps(NEEDS), "verdicts": "verdicts", "candidate": CANDIDATE, "rejected": "none"}
    ran = runner.action(runner.root / ACTION, {**inputs, "devices": '["cpu", "gpu"]'})
    assert told(ran) == ['gpu: decision is "reject", not "promote"']


def test_two_verdicts_of_one_device(verdict):
    assert told(verdict(names=("cpu", "cpu"))) == ["cpu: 2 verdicts, not one"]


def test_a_verdict_of_a_device_that_nobody_asked_for(verdict):
    assert told(verdict(names=("cpu", "gpu"))) == ['"1.json": no report of a device that was asked for']


NOTHING = [" ", "{", "[]", "null", '"promote"', "[" * 100_000, '{"candidate": []}', "\x00"]


@pytest.mark.parametrize("text", NOTHING, ids=range(len(NOTHING)))
def test_a_file_that_is_no_report(verdict, text):
    problems = told(verdict(text=text))
    assert problems == ['"0.json": no report of a device that was asked for', "cpu: 0 verdicts, not one"]


@pytest.mark.parametrize("result", ["failure", "cancelled", "skipped", ""])
def test_a_job_before_that_did_not_succeed(verdict, result):
    needs = NEEDS | {"gate": {"result": result, "outputs": {}}}
    assert told(verdict(needs=needs)) == [f'gate: "{result}", not success']


def test_nothing_was_needed_or_asked_for(verdict):
    assert told(verdict(needs={}, devices=())) == ["no job was needed", "no device was asked for"]


def test_what_a_report_says_is_no_command(verdict):
    hostile = "x\n::set-env name=PATH::/tmp\r::error::%0A##[group]"
    (problem,) = told(verdict(decision=hostile))
    assert problem.startswith("cpu: decision is")
