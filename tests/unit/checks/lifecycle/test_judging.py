"""Each judge of the lifecycle: what agrees passes, each fault fails its own finding."""

import contextlib
import math
from collections import Counter
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.checks.lifecycle import startup as startup_check
from harness.checks.lifecycle.connection import Ending
from harness.checks.lifecycle.container import ContainerEvidence, LifecycleContainer, ProcessSeen
from harness.checks.lifecycle.drain import AskedWhileStopping, DrainEvidence, LifecycleDrain
from harness.checks.lifecycle.refusal import LifecycleRefusal, RefusalEvidence, RefusalSeen
from harness.checks.lifecycle.restart import (
    AnswersSeen,
    LifecycleRestart,
    RestartEvidence,
    largest_difference,
)
from harness.checks.lifecycle.settings import LifecycleLimits, LifecycleSettings
from harness.checks.lifecycle.soak import LifecycleSoak, MemorySeen, ReadinessSeen, SoakEvidence
from harness.checks.lifecycle.startup import LifecycleStartup, StartSeen, StartupEvidence
from harness.config.suite import parse_suite
from harness.model import Outcome
from harness.testing import check_context

MIB = 1024 * 1024
LIMITS = LifecycleLimits()


def outcomes(check, evidence, limits=LIMITS):
    """By the last part of the finding's id, judged as stored."""
    stored = type(evidence).model_validate_json(evidence.model_dump_json())
    return {
        finding.id.removeprefix(f"{check.id}."): finding.outcome for finding in check.judge(stored, limits)
    }


def failed(check, evidence, limits=LIMITS):
    return {name for name, outcome in outcomes(check, evidence, limits).items() if outcome is Outcome.FAIL}


def startup(*starts):
    return StartupEvidence(expected=len(starts), executed=len(starts), starts=starts)


GOOD_START = StartSeen(ready_s=1.0, first_answer_ms=5.0, asked=10)


@pytest.mark.parametrize(
    ("start", "wrong"),
    [
        (GOOD_START, set()),
        (StartSeen(problem="exit code 3"), {"ready"}),
        (GOOD_START.model_copy(update={"ready_s": 31.0}), {"ready"}),
        (GOOD_START.model_copy(update={"first_answer_ms": 2001.0}), {"first_answer"}),
        (GOOD_START.model_copy(update={"untrue": ("ready, and a prediction got HTTP 503",)}), {"true"}),
    ],
)
def test_every_start_has_to_be_ready_when_it_says_so(start, wrong):
    assert failed(LifecycleStartup(), startup(GOOD_START, start)) == wrong


def test_a_service_that_never_answered_has_no_first_answer_to_judge():
    found = outcomes(LifecycleStartup(), startup(StartSeen(ready_s=1.0, asked=3, untrue=("x",) * 3)))
    assert found == {"ready": Outcome.PASS, "true": Outcome.FAIL, "first_answer": Outcome.INCONCLUSIVE}


def started(*ready_s, reference_s):
    starts = tuple(GOOD_START.model_copy(update={"ready_s": each}) for each in ready_s)
    return startup(*starts).model_copy(update={"reference_s": reference_s})


@pytest.mark.parametrize(
    ("evidence", "outcome"),
    [
        (started(1.0, 1.1, 1.05, 1.1, reference_s=(1.0, 1.1, 1.0, 1.0)), Outcome.PASS),
        (started(1.5, 1.6, 1.5, 1.6, reference_s=(1.0, 1.1, 1.0, 1.0)), Outcome.FAIL),
        # The median start is 1.3 times as long, and so may chance alone have made it.
        (started(1.0, 1.3, 1.3, 1.3, reference_s=(1.0, 1.0, 1.0, 1.3)), Outcome.INCONCLUSIVE),
        (started(1.0, 1.0, 1.0, 9.0, reference_s=(1.0, 1.0, 1.0, 1.0)), Outcome.INCONCLUSIVE),
        (started(0.0, 0.0, 0.0, 0.0, reference_s=(0.0, 0.0, 0.0, 0.0)), Outcome.PASS),
        (started(1.0, 1.0, 1.0, reference_s=(1.0, 1.0, 1.0)), Outcome.INCONCLUSIVE),
        (started(1.0, 1.0, 1.0, 1.0, reference_s=()), Outcome.NOT_APPLICABLE),
        (started(1.0, 1.0, 1.0, 1.0, reference_s=None), Outcome.INCONCLUSIVE),
    ],
)
def test_starts_are_compared_with_the_reference_s(evidence, outcome):
    assert outcomes(LifecycleStartup(), evidence, LifecycleLimits(startup_margin=0.25))["ratio"] is outcome
    assert "ratio" not in outcomes(LifecycleStartup(), evidence)


@pytest.mark.parametrize("margin", [None, 0.5])
def test_candidate_and_reference_are_first_in_turn(monkeypatch, tmp_path, margin):
    order = []
    monkeypatch.setattr(startup_check, "payloads", lambda *_: [])
    monkeypatch.setattr(startup_check, "another", lambda *_, **__: contextlib.nullcontext())
    monkeypatch.setattr(startup_check, "_watch", lambda *_: order.append("candidate") or GOOD_START)
    monkeypatch.setattr(startup_check, "_reference_ready_s", lambda *_: order.append("reference") or 1.0)
    text = 'schema_version = 1\nname = "s"\n[service]\nport = 8000\nready_path = "/"\n'
    suite = parse_suite(text, Path("gate.toml"))
    context = replace(check_context(suite, tmp_path), start_reference=lambda *_, **__: None)
    declared = LifecycleSettings.model_validate(
        {"startup": {"starts": 4}, "limits": {} if margin is None else {"startup_margin": margin}}
    )
    seen = LifecycleStartup().collect(context, declared)
    assert len(seen.starts) == 4
    if margin is None:
        assert (order, seen.reference_s) == (["candidate"] * 4, None)
    else:
        assert order == ["candidate", "reference", "reference", "candidate"] * 2
        assert seen.reference_s == (1.0,) * 4


def test_a_comparison_takes_four_starts():
    with pytest.raises(ValueError, match=r"startup\.starts of at least 4"):
        LifecycleSettings.model_validate({"startup": {"starts": 3}, "limits": {"startup_margin": 0.5}})
    declared = LifecycleSettings.model_validate({"startup": {"starts": 4}, "limits": {"startup_margin": 0.5}})
    assert declared.not_declared() == ()
    assert "startup_margin" in LifecycleSettings.model_validate({"startup": {}}).not_declared()[0]


GOOD_REFUSAL = RefusalSeen(
    variant="v",
    expected_code=3,
    exit_code=3,
    after_s=1.0,
    ready=False,
    answered=False,
    told=True,
    logs="model.onnx",
)


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({}, True),
        ({"told": None}, True),
        ({"expected_code": None}, True),
        ({"expected_code": 0, "exit_code": 0}, True),
        ({"expected_code": None, "exit_code": 0}, False),
        ({"expected_code": None, "exit_code": 137}, False),
        ({"expected_code": 137, "exit_code": 137}, True),
        ({"exit_code": 1}, False),
        ({"exit_code": None}, False),
        ({"exit_code": None, "ready": True}, False),
        ({"ready": True}, False),
        ({"answered": True}, False),
        ({"after_s": 30.1}, False),
        ({"told": False}, False),
    ],
)
def test_a_start_is_refused_only_as_declared(changes, refused):
    evidence = RefusalEvidence(expected=1, executed=1, refusals=(GOOD_REFUSAL.model_copy(update=changes),))
    assert (failed(LifecycleRefusal(), evidence) == set()) is refused


def restart(**answer):
    return RestartEvidence(expected=1, executed=1, answers=(AnswersSeen(case=0, **answer),))


@pytest.mark.parametrize(
    ("evidence", "atol", "wrong"),
    [
        (restart(differences={"a": 0.0}), 0.0, set()),
        (restart(differences={"a": 0.0, "b": 1e-9}), 0.0, {"same"}),
        (restart(differences={"a": 1e-9}), 1e-9, set()),
        (restart(differences={"a": math.inf}), 1e9, {"same"}),
        (restart(problem="HTTP 500 after the restart"), 0.0, {"answers"}),
    ],
)
def test_a_restart_changes_no_answer(evidence, atol, wrong):
    assert failed(LifecycleRestart(), evidence, LifecycleLimits(restart_atol=atol)) == wrong


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(JSON, JSON)
def test_a_difference_is_none_for_the_same_and_the_same_both_ways(one, other):
    assert largest_difference(one, one) == 0
    assert largest_difference(one, other) == largest_difference(other, one)


@pytest.mark.parametrize(
    ("one", "other", "difference"),
    [
        ({"p": [0.25, 1]}, {"p": [0.5, 1.0]}, 0.25),
        ("a", "b", math.inf),
        (1, True, math.inf),
        ([1], [1, 2], math.inf),
        ({"a": 1}, {"b": 1}, math.inf),
        (None, 0, math.inf),
        (10**400, 1, math.inf),
        (-(10**400), 10**400, math.inf),
        (10**400, 10**400, 0.0),
    ],
)
def test_only_numbers_differ_by_a_number(one, other, difference):
    assert largest_difference(one, other) == difference


def drained(*asked, exit_code=0, exit_s=1.0, in_flight=True, completed_s=0.4):
    whole = AskedWhileStopping(at_s=-0.5, held=in_flight, ending=Ending.ANSWERED, status=200)
    return DrainEvidence(
        expected=1,
        executed=1,
        asked=(whole, *asked),
        delivered_s=0.1,
        completed_s=completed_s,
        exit_code=exit_code,
        exit_s=exit_s,
    )


def asked(at_s, ending, status=None, *, held=False):
    return AskedWhileStopping(at_s=at_s, held=held, ending=ending, status=status)


@pytest.mark.parametrize(
    ("evidence", "wrong"),
    [
        (drained(), set()),
        (drained(asked(-0.3, Ending.ANSWERED, 200, held=True)), set()),
        (drained(asked(-0.3, Ending.ANSWERED, 503, held=True)), {"answered"}),
        (drained(asked(-0.3, Ending.ANSWERED, 503)), {"answered"}),
        (drained(asked(-0.3, Ending.ANSWERED, 500, held=True)), {"answered"}),
        (drained(asked(-0.3, Ending.CLOSED, held=True)), {"answered"}),
        (drained(asked(-0.3, Ending.CUT, 200)), {"answered"}),
        (drained(asked(-0.01, Ending.CLOSED)), set()),
        (drained(asked(0.1, Ending.CLOSED)), set()),
        (drained(asked(math.inf, Ending.REFUSED)), set()),
        (drained(asked(0.1, Ending.ANSWERED, 200)), set()),
        (drained(asked(0.1, Ending.ANSWERED, 503)), set()),
        (drained(asked(0.1, Ending.ANSWERED, 500)), {"uncut"}),
        (drained(asked(0.1, Ending.CUT, 200)), {"uncut"}),
        (drained(asked(0.1, Ending.SILENT)), {"uncut"}),
        (drained(exit_code=137), {"exit_code"}),
        (drained(exit_s=10.5), {"exit"}),
        (drained(exit_code=None, exit_s=15.0), {"exit"}),
    ],
)
def test_what_was_accepted_is_answered_and_the_end_is_in_time(evidence, wrong):
    assert failed(LifecycleDrain(), evidence) == wrong


def test_a_clean_503_for_what_was_held_may_be_allowed_and_is_told():
    limits = LifecycleLimits(unavailable_held=True)
    held = drained(asked(-0.3, Ending.ANSWERED, 503, held=True), asked(-0.2, Ending.ANSWERED, 200))
    answered = LifecycleDrain().judge(held, limits)[0]
    assert answered.outcome is Outcome.PASS
    assert answered.message == "of 3 requests begun before SIGTERM 2 were answered 2xx, 1 with 503"
    assert failed(LifecycleDrain(), drained(asked(-0.3, Ending.CUT, 503, held=True)), limits) == {"answered"}
    assert failed(LifecycleDrain(), drained(asked(-0.3, Ending.ANSWERED, 503)), limits) == {"answered"}


def test_where_nothing_was_seen_nothing_is_said():
    nothing_accepted = DrainEvidence(
        expected=1, executed=1, asked=(), delivered_s=0.1, completed_s=0.4, exit_code=0, exit_s=1.0
    )
    found = outcomes(LifecycleDrain(), nothing_accepted)
    assert (found["answered"], found["uncut"]) == (Outcome.INCONCLUSIVE, Outcome.INCONCLUSIVE)
    unasked = startup(GOOD_START.model_copy(update={"asked": 0}))
    assert outcomes(LifecycleStartup(), unasked)["true"] is Outcome.INCONCLUSIVE
    unread = soaked().model_copy(update={"readiness": ()})
    assert outcomes(LifecycleSoak(), unread)["ready"] is Outcome.INCONCLUSIVE


def test_a_kernel_that_cannot_be_asked_leaves_capabilities_undecided():
    seen = ProcessSeen(command="app", uids=(10001,), capabilities=None)
    evidence = ContainerEvidence(expected=1, executed=1, processes=(seen,))
    user, capabilities = LifecycleContainer().judge(evidence, LIMITS)
    assert (user.outcome, capabilities.outcome) == (Outcome.PASS, Outcome.INCONCLUSIVE)
    assert capabilities.message == "the engine's kernel could not be asked"


@pytest.mark.parametrize("how", [{"in_flight": False}, {"completed_s": 0.05}])
def test_a_service_with_nothing_in_flight_when_it_was_told_has_not_shown_that_it_drains(how):
    assert outcomes(LifecycleDrain(), drained(**how))["answered"] is Outcome.INCONCLUSIVE
    lost = drained(asked(-0.3, Ending.CLOSED), **how)
    assert outcomes(LifecycleDrain(), lost)["answered"] is Outcome.FAIL


def test_another_exit_code_may_be_allowed():
    assert failed(LifecycleDrain(), drained(exit_code=143), LifecycleLimits(exit_codes=(0, 143))) == set()


def soaked(kib_at=lambda _requests: 0.0, readings=50, failures=None, readiness=(200, 5.0)):
    return SoakEvidence(
        expected=10_000,
        executed=10_000,
        failures=failures or {},
        memory=tuple(
            MemorySeen(
                requests=10_000 * i // readings, bytes=int(50 * MIB + 1024 * kib_at(10_000 * i / readings))
            )
            for i in range(readings)
        ),
        warm_up=3000,
        readiness=(ReadinessSeen(status=readiness[0], milliseconds=readiness[1], overslept_ms=0.1),),
        ready_status=200,
    )


@pytest.mark.parametrize(
    ("evidence", "wrong"),
    [
        (soaked(), set()),
        (soaked(lambda requests: 0.2 * requests), set()),
        (soaked(lambda requests: 0.3 * requests), {"memory"}),
        (soaked(lambda requests: min(requests, 5000) * 10), set()),
        (soaked(lambda requests: -requests), set()),
        (soaked(failures={"HTTP 500": 1}), {"answers"}),
        (soaked(readiness=(503, 5.0)), {"ready"}),
        (soaked(readiness=(None, 5.0)), {"ready"}),
        (soaked(readiness=(200, 2500.0)), {"ready"}),
    ],
)
def test_a_soak_leaves_memory_health_and_answers_as_they_were(evidence, wrong):
    assert failed(LifecycleSoak(), evidence) == wrong


@pytest.mark.parametrize(
    ("late", "overslept_ms", "expected"),
    [(0, 500.0, "pass"), (1, 0.1, "pass"), (10, 0.1, "fail"), (10, 500.0, "inconclusive")],
)
def test_one_late_word_of_its_readiness_decides_nothing_nor_do_many_of_a_late_host(
    late, overslept_ms, expected
):
    seen = [
        ReadinessSeen(
            status=200, milliseconds=3000.0 if i < late else 5.0, overslept_ms=overslept_ms if i < 10 else 0.1
        )
        for i in range(40)
    ]
    evidence = soaked().model_copy(update={"readiness": tuple(seen)})
    assert outcomes(LifecycleSoak(), evidence)["ready"] == expected
    unready = ReadinessSeen(status=503, milliseconds=5.0, overslept_ms=500.0)
    evidence = evidence.model_copy(update={"readiness": (*seen, unready)})
    assert outcomes(LifecycleSoak(), evidence)["ready"] is Outcome.FAIL
    evidence = evidence.model_copy(update={"readiness": ()})
    assert outcomes(LifecycleSoak(), evidence)["ready"] is Outcome.INCONCLUSIVE


def noisy(random, leak_kib_per_1000, requests):
    return SoakEvidence(
        expected=requests,
        executed=requests,
        failures={},
        memory=tuple(
            MemorySeen(
                requests=requests * part // 40,
                bytes=int(
                    50 * MIB + 1024 * (leak_kib_per_1000 * requests * part / 40_000 + random.gauss(0, 300))
                ),
            )
            for part in range(40)
        ),
        warm_up=requests * 3 // 10,
        readiness=(),
        ready_status=200,
    )


def test_noise_of_its_memory_fails_no_short_soak_and_hides_no_leak_from_a_long_one():
    random = Random(3)

    def found(leak, requests):
        return Counter(outcomes(LifecycleSoak(), noisy(random, leak, requests))["memory"] for _ in range(200))

    assert found(0, 1000)[Outcome.FAIL] <= 4
    assert found(0, 10_000)[Outcome.PASS] >= 190
    assert found(512, 10_000)[Outcome.FAIL] >= 190


def test_what_would_tell_is_told():
    evidence = noisy(Random(5), 250, 1000)
    (memory,) = (f for f in LifecycleSoak().judge(evidence, LIMITS) if f.id == "lifecycle.soak.memory")
    assert memory.outcome is Outcome.INCONCLUSIVE
    assert "requests would tell (soak.requests)" in memory.message


def test_few_readings_of_its_memory_decide_nothing():
    assert outcomes(LifecycleSoak(), soaked(readings=12))["memory"] is Outcome.INCONCLUSIVE


@given(
    st.lists(st.floats(-2000, 2000), min_size=50, max_size=50),
    st.floats(0, 1) | st.floats(10, 100),
)
def test_noise_neither_hides_a_leak_nor_makes_one(noise_kib, leak_kib):
    evidence = soaked(lambda requests: leak_kib * requests + noise_kib[int(requests // 200) % 50])
    wrong = failed(LifecycleSoak(), evidence, LifecycleLimits(growth_kib=5000))
    assert ("memory" in wrong) is (leak_kib >= 10)


@pytest.mark.parametrize(
    ("process", "wrong"),
    [
        (ProcessSeen(command="app", uids=(10001,) * 4, capabilities=0), set()),
        (ProcessSeen(command="app", uids=(10001,), capabilities=None), set()),
        (ProcessSeen(command="app", uids=(0,), capabilities=None), {"user"}),
        (ProcessSeen(command="app", uids=(10001, 10001, 0, 10001), capabilities=0), {"user"}),
        (ProcessSeen(command="app", uids=(10001,) * 4, capabilities=0x400), {"capabilities"}),
    ],
)
def test_no_process_is_root_or_has_a_capability(process, wrong):
    evidence = ContainerEvidence(expected=1, executed=1, processes=(process,))
    assert failed(LifecycleContainer(), evidence) == wrong


def test_one_that_did_not_end_is_told_by_how_long_it_was_waited_for():
    last = LifecycleDrain().judge(drained(exit_code=None, exit_s=15.0), LifecycleLimits())[-1]
    assert last.message.startswith("it had not ended 15 s after SIGTERM, allowed")
