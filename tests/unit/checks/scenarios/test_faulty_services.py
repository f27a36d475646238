"""The shipped scenarios pass a correct service; each fault fails exactly the scenarios about it."""

import pytest

from harness.checks.scenarios.check import AuthScenarios, RateScenarios
from harness.model import Outcome

AUTH_FAULTS = {
    "newline_opens": {"path-with-a-newline"},
    "slash_opens": {"path-with-a-trailing-slash"},
    "double_slash_opens": {"path-with-a-double-slash"},
    "open": {
        *("no-credential", "no-credential-and-a-bad-body"),
        *("no-credential-for-a-batch", "no-credential-for-the-metadata", "method-override"),
        *("path-in-a-header", "key-in-another-place", "token-in-another-place"),
    },
    "body_first": {"no-credential-and-a-bad-body"},
    "no_challenge": {"no-credential"},
    "any_key": {
        *("key-wrong", "key-revoked", "key-expired", "key-not-yet-valid"),
        *("key-altered", "key-twice", "token-in-another-place"),
    },
    "last_header_counts": {"key-twice", "token-twice"},
    "expiry_in_quotes": {"token-expiry-is-a-number"},
    "revoked_accepted": {"key-revoked"},
    "old_key_accepted": {"key-expired"},
    "early_accepted": {"key-not-yet-valid"},
    "one_key_a_client": {"key-rotation"},
    "any_model": {"model-not-allowed"},
    "any_batch": {"batch-not-allowed"},
    "empty_key": {"key-empty"},
    "scope_unchecked": {
        *("key-without-scope", "token-without-scope", "batch-without-scope", "metadata-without-scope"),
    },
    "alg_none": {"token-alg-none"},
    "alg_none_cased": {"token-alg-none"},
    "hmac_confusion": {"token-hmac-with-public-key", "token-kid-is-no-path"},
    "stripped_accepted": {"token-signature-stripped", "token-signature-of-zeros"},
    "signature_unchecked": {
        *("token-alg-none", "token-hmac-with-public-key", "token-other-key", "token-tampered"),
        *("token-signature-stripped", "token-expired", "token-not-yet-valid", "token-wrong-audience"),
        *("token-wrong-issuer", "token-unknown-kid", "token-algorithm-confusion", "token-leeway"),
        *("token-alg-in-another-case", "token-kid-is-no-path", "token-brings-its-key"),
        *("token-names-its-key", "token-without-scope", "token-signature-of-zeros"),
        *("token-of-several-audiences", "token-issuer-is-exact", "token-expiry-is-a-number"),
    },
    "expired_accepted": {"token-expired", "token-leeway", "token-expiry-is-a-number"},
    "exp_optional": {"token-without-expiry"},
    "nbf_unchecked": {"token-not-yet-valid", "token-leeway", "token-expiry-is-a-number"},
    "aud_unchecked": {"token-wrong-audience", "token-of-several-audiences"},
    "iss_unchecked": {"token-wrong-issuer", "token-issuer-is-exact"},
    "sub_optional": {"token-without-subject"},
    "kid_ignored": {"token-unknown-kid", "token-kid-is-no-path"},
    "one_algorithm": {"token-of-the-second-key"},
}
BY_THE_QUOTA = {
    *("many-at-once", "around-the-end-of-a-window", "headers-agree-with-the-answers"),
    *("another-path-is-the-same-quota", "keys-of-one-client-share"),
}
"""What is held against the declared quota, headers and all."""
RATE_FAULTS = {
    "one_more": {
        *("burst", "headers-count-down", "refusal-says-when", "retry-after-works"),
        *("keys-are-independent", "health-is-exempt", "forwarded-for-gains-nothing"),
        *("subjects-are-limited-and-independent", "a-batch-costs-its-rows"),
        *("metadata-has-a-quota-of-its-own", "refusals-are-cheap", *BY_THE_QUOTA),
    },
    "rows_cost_nothing_more": {"a-batch-costs-its-rows", "batches-at-once"},
    "window_too_long": {"around-the-end-of-a-window"},
    "keys_count_apart": {"keys-of-one-client-share"},
    "metadata_shares": {"metadata-has-a-quota-of-its-own"},
    "race": {"burst"},
    "silent": {
        *("headers-on-success", "headers-count-down", "keys-are-independent"),
        *("subjects-are-limited-and-independent", "a-batch-costs-its-rows"),
        *("metadata-has-a-quota-of-its-own", *BY_THE_QUOTA),
    },
    "left_stands_still": {"headers-count-down", "a-batch-costs-its-rows", *BY_THE_QUOTA},
    "retry_after_missing": {
        *("refusal-says-when", "retry-after-works", "subjects-are-limited-and-independent"),
        *("a-batch-costs-its-rows",),
    },
    "retry_after_date": {
        *("refusal-says-when", "retry-after-works", "subjects-are-limited-and-independent"),
        *("a-batch-costs-its-rows",),
    },
    "retry_after_short": {
        *("retry-after-works", "batches-at-once"),
        *(BY_THE_QUOTA - {"around-the-end-of-a-window"}),
    },
    "retry_after_constant": {"retry-after-works"},
    "subjects_share": {"subjects-are-limited-and-independent"},
    "tokens_counted": {"subjects-are-limited-and-independent"},
    "keys_share": {"keys-are-independent"},
    "health_counted": {"health-is-exempt"},
    "spoofable": {"forwarded-for-gains-nothing"},
}


def findings_of(check, context):
    settings = context.suite.config.scenarios
    evidence = check.collect(context, settings)
    evidence.save(context.folder, context.credentials.redact)
    stored = check.evidence.load(context.folder)
    assert stored.executed == stored.expected == len(stored.scenarios)
    return check.judge(stored, settings.limits)


def failed(findings):
    return {finding.id.rpartition(".")[2] for finding in findings if finding.outcome is Outcome.FAIL}


@pytest.mark.parametrize(("check", "least"), [(AuthScenarios(), 40), (RateScenarios(), 18)])
def test_a_correct_service_passes(check, least, serve, context_for):
    with serve() as base_url:
        findings = findings_of(check, context_for(base_url))
    assert {finding.outcome for finding in findings} == {Outcome.PASS}, findings
    assert len(findings) >= least
    assert all(finding.id.startswith(f"{check.id}.") for finding in findings)


@pytest.mark.parametrize("fault", AUTH_FAULTS)
def test_an_auth_fault_fails_its_scenarios(fault, ask_directly, context_for):
    ask_directly(fault)
    findings = findings_of(AuthScenarios(), context_for("http://127.0.0.1:9"))
    assert failed(findings) == AUTH_FAULTS[fault]


def test_who_is_denied_and_infers_nevertheless_is_found_by_the_counter(ask_directly, context_for):
    ask_directly("infers_first")
    findings = findings_of(AuthScenarios(), context_for("http://127.0.0.1:9"))
    denied = next(finding for finding in findings if finding.id == "scenarios.auth.key-wrong")
    assert denied.outcome is Outcome.FAIL
    assert denied.message.endswith("counter inferences rose by 1 instead of 0.")
    assert (denied.observed, denied.limit, denied.unit) == (1, "0", "rise of inferences")
    valid = next(finding for finding in findings if finding.id == "scenarios.auth.a-valid-key")
    assert valid.outcome is Outcome.PASS


@pytest.mark.parametrize("fault", RATE_FAULTS)
def test_a_rate_fault_fails_its_scenarios(fault, ask_directly, context_for):
    ask_directly(fault)
    findings = findings_of(RateScenarios(), context_for("http://127.0.0.1:9"))
    assert failed(findings) == RATE_FAULTS[fault]


def test_a_failure_says_what_was_observed_and_how_to_see_it_again(serve, context_for):
    with serve("alg_none") as base_url:
        context = context_for(base_url)
        findings = findings_of(AuthScenarios(), context)
    finding = next(finding for finding in findings if finding.outcome is Outcome.FAIL)
    assert (finding.observed, finding.limit, finding.unit) == (200, 401, "status")
    assert "status 200 instead of 401" in finding.message
    assert '{"alg":"none"}' in finding.message
    assert finding.reproduce == "", "the key that forges it is gone with the run: the runner names the run"
    assert finding.evidence == "scenarios.auth/evidence.json"


def test_a_request_that_anybody_can_send_is_reproduced_by_curl(serve, context_for):
    with serve("any_key") as base_url:
        findings = findings_of(AuthScenarios(), context_for(base_url))
    finding = next(finding for finding in findings if finding.outcome is Outcome.FAIL)
    assert finding.reproduce.startswith("curl ")
    assert finding.reproduce.endswith(f"{base_url}/predict")


def test_a_repeated_request_is_reproduced_by_a_loop(serve, context_for):
    with serve("spoofable") as base_url:
        findings = findings_of(RateScenarios(), context_for(base_url))
    finding = next(finding for finding in findings if finding.outcome is Outcome.FAIL)
    assert (finding.observed, finding.limit, finding.samples) == (12, "exactly 5", 12)
    assert finding.reproduce.startswith("for i in $(seq 12); do curl")
    assert "X-Forwarded-For: 10.0.0.${i}" in finding.reproduce


def test_no_secret_is_in_the_evidence(serve, context_for):
    with serve() as base_url:
        context = context_for(base_url)
        for check in (AuthScenarios(), RateScenarios()):
            evidence = check.collect(context, context.suite.config.scenarios)
            evidence.save(context.folder, context.credentials.redact)
            text = (context.folder / "evidence.json").read_text()
            assert "$GATE_KEY_" in text
            assert context.credentials.redact(text) == text
            assert context.credentials.key("default") not in text
            assert context.credentials.key("rate_burst") not in text
