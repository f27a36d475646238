"""What stands before a candidate is what is gated; the reference stays as it is."""

import os
from dataclasses import replace

from harness.config.suite import load_suite
from harness.gate import GateRequest, gate
from harness.model import Decision, Family
from harness.targets.url import UrlTarget


def test_the_candidate_is_started_by_what_stands_before_it(tiny_suite, tiny_url, faulty_url, tmp_path):
    config = tiny_suite()
    service = load_suite(config).config.service
    request = GateRequest(
        candidate=tiny_url,
        reference="none",
        config=config,
        only=frozenset({Family.GOLDEN}),
        out=tmp_path / "reports",
    )
    environ = {**os.environ, "GATE_KEY_CALLER": "sesame-of-the-caller"}

    def faulty(launch):
        assert launch.description.url == tiny_url
        return replace(launch, start=lambda _cpus=None, /, **_others: UrlTarget(faulty_url, service))

    report, _ = gate(request, environ, lambda _event: None)
    assert report.decision is Decision.PROMOTE
    report, _ = gate(request, environ, lambda _event: None, through=faulty)
    assert report.decision is Decision.REJECT
    assert {reason.check_id for reason in report.reasons} == {"golden.single"}
