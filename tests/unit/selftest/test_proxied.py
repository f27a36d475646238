"""What a fault of the proxy is asked of, and what its control says of the others."""

import pytest
from selftest_samples import trial
from selftest_suites import PLAIN

from harness.config.suite import load_suite
from harness.errors import InfrastructureError
from harness.model import Family
from harness.selftest.model import Kind, Mode, Result
from harness.selftest.proxied import drawn, failing, injected_trial
from harness.selftest.proxy import ProxyFault, built_in_faults, pass_through
from harness.selftest.proxy.effect import Effect
from harness.selftest.rounds import Round, noticing, rounds_of_injected
from harness.selftest.running import _behind, _told
from harness.selftest.subject import of_proxy
from harness.selftest.trial import Asked
from harness.selftest.worker import Job

NONE = pass_through().name
BIASED = "numbers_biased"
WHOLE = (Round(alone=True),)


@pytest.fixture(scope="module")
def suite():
    """It declares contract, golden, fuzz, scenarios and latency."""
    return load_suite(PLAIN / "gate.toml")


def fault(*families):
    return ProxyFault(name="x", does="x", mechanism="x", families=families)


@pytest.mark.parametrize(
    ("families", "counted", "asked"),
    [
        (("golden", "drift"), ["golden"], [{"golden"}]),
        (("golden", "lifecycle", "fuzz"), ["golden", "lifecycle", "fuzz"], [{"golden"}, {"fuzz"}]),
        (("lifecycle", "latency"), ["lifecycle", "latency"], [{"latency"}]),
        (("lifecycle",), ["lifecycle"], [set()]),
        (("lifecycle", "telemetry"), ["lifecycle"], [set()]),
        (("drift",), [], []),
    ],
)
def test_that_a_service_lives_is_seen_whatever_is_declared(suite, families, counted, asked):
    of, declared = fault(*families), suite.config.families
    assert [each.value for each in noticing(of, declared)] == counted
    quick = rounds_of_injected(of, Mode.QUICK, declared)
    assert [{each.value for each in part.only} for part in quick] == asked
    assert all(part.alone == (not part.only or Family.LATENCY in part.only) for part in quick)
    assert rounds_of_injected(of, Mode.FULL, declared) == WHOLE


def test_a_suite_that_declares_lifecycle_is_asked_it(suite):
    declared = suite.config.families | {Family.LIFECYCLE}
    first, then = rounds_of_injected(fault("lifecycle", "latency"), Mode.QUICK, declared)
    assert (first.only, then.only) == ({Family.LIFECYCLE}, {Family.LATENCY})


@pytest.mark.parametrize("mode", Mode)
def test_the_control_meets_the_whole_gate(suite, mode):
    assert rounds_of_injected(pass_through(), mode, suite.config.families) == WHOLE


def test_every_fault_of_the_proxy_that_can_be_noticed_is_asked(suite):
    for each in built_in_faults()[1:]:
        quick = rounds_of_injected(each, Mode.QUICK, suite.config.families)
        assert bool(quick) == bool(noticing(each, suite.config.families))


def test_the_seed_of_the_selftest_draws_what_a_fault_hits():
    assert drawn(BIASED, 0).name == BIASED
    hits = {tuple(_hits(drawn("stalled", seed))) for seed in (0, 0, 1, 2)}
    assert len(hits) == 3


def _hits(fault):
    effect = Effect(fault)
    return [effect.hit() for _ in range(500)]


def test_the_reference_of_a_fault_has_the_same_proxy_idle(monkeypatch, tmp_path):
    placed = []

    def place(_launch, fault, *, idle, **_how):
        placed.append((fault.name, idle))

    def gate(_request, _environ, _emit, *, through, reference_through):
        through(None)
        reference_through(None)
        raise InfrastructureError("that was all")

    monkeypatch.setattr("harness.selftest.proxied.injected", place)
    monkeypatch.setattr("harness.selftest.proxied.gate", gate)
    asked = Asked(config=PLAIN / "gate.toml", folder=tmp_path, mode=Mode.QUICK, seed=0)
    made = injected_trial("stalled", asked, "", without_fault=frozenset(), environ={}, emit=print)
    assert (made.result, made.why) == (Result.ERROR, "that was all")
    assert placed == [("stalled", False), ("stalled", True)]


def control(result, **failed):
    named = {name.replace("_", "."): ids for name, ids in failed.items()}
    return trial(NONE, result, Kind.BENIGN, family=None, failed=named, why="it failed: x")


def test_what_fails_without_a_fault_is_told_to_every_other_trial(tmp_path):
    asked = Asked(config=tmp_path, folder=tmp_path, mode=Mode.QUICK, seed=0)
    jobs = [Job(asked=asked, name=name, healthy="", catalogue=None) for name in (NONE, BIASED)]
    found = control(Result.FALSE_REJECT, golden_single=("golden.single.y",), fuzz_raw=())
    assert failing(found) == {"golden.single.y", "fuzz.raw"}
    (behind,) = _behind(found, jobs)
    assert (behind.name, behind.without_fault) == (BIASED, failing(found))
    assert Job.model_validate_json(behind.model_dump_json()) == behind
    assert _behind(control(Result.ERROR), jobs) == []
    (behind,) = _behind(control(Result.PROMOTED), jobs)
    assert behind.without_fault == frozenset()


@pytest.mark.parametrize("result", [Result.PROMOTED, Result.FALSE_REJECT, Result.UNDECIDED, Result.ERROR])
def test_a_control_that_does_not_pass_counts_though_nobody_asked(suite, result):
    subject = of_proxy(suite)
    assert subject.control == NONE
    assert subject.control in {entry.name for entry in subject.entries}
    told = _told(frozenset({BIASED}), subject, {NONE: control(result)})
    assert told == ({BIASED} if result is Result.PROMOTED else {BIASED, NONE})
    assert _told(frozenset({BIASED}), subject, {}) == {BIASED}
