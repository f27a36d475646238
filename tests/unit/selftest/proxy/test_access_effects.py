"""Credentials, quotas, and answers that belong to somebody else."""

import pytest

from harness.selftest.proxy.message import Message

VALID = ("X-API-Key", "a-valid-key-of-some-length")
INVALID = ("X-API-Key", "no-key")
GOOD = Message.answer(200, b"{}")
REFUSED = Message.answer(401, b"{}")
THROTTLED = Message.answer(429, b"{}").with_header("Retry-After", "7")


def test_credentials_are_stripped_and_no_other_header(passage, asking):
    headers = [VALID, ("X-Caller", "secret"), ("Authorization", "Bearer a"), ("X-Kept", "1")]
    exchange = passage("credentials_stripped", "x-caller").ask(asking(headers=headers))
    assert exchange.request == asking(headers=[("X-Kept", "1")])


def given(passage, asking, name, *headers, answer=GOOD, valid=VALID):
    """The request that the service sees once it has answered one with ``valid``."""
    through = passage(name)
    through.answer(answer, asking(headers=[valid]))
    return through.ask(asking(headers=headers)).request


@pytest.mark.parametrize(
    ("name", "headers", "lent"),
    [
        ("anonymous_let_in", [], True),
        ("anonymous_let_in", [INVALID], False),
        ("any_credential_accepted", [], False),
        ("any_credential_accepted", [INVALID], True),
        ("any_credential_accepted", [("Authorization", "Bearer x")], True),
        ("credential_prefix_accepted", [], False),
        ("credential_prefix_accepted", [INVALID], False),
        ("credential_prefix_accepted", [(VALID[0], VALID[1][:-3] + "xyz")], True),
        ("credential_prefix_accepted", [(VALID[0], VALID[1][:5] + "x" * 20)], False),
        ("credential_prefix_accepted", [("Authorization", VALID[1])], False),
    ],
)
def test_credentials_are_lent(passage, asking, name, headers, lent):
    expected = asking(headers=[VALID] if lent else headers)
    assert sorted(given(passage, asking, name, *headers).headers) == sorted(expected.headers)


@pytest.mark.parametrize(
    "name", ["anonymous_let_in", "any_credential_accepted", "credential_prefix_accepted"]
)
def test_what_was_refused_is_not_lent(passage, asking, name):
    assert given(passage, asking, name, INVALID, answer=REFUSED) == asking(headers=[INVALID])
    assert given(passage, asking, name, answer=REFUSED) == asking()


def test_a_quota_does_not_hold(passage, asking):
    through = passage("quota_not_enforced")
    assert through.answer(THROTTLED) is THROTTLED  # nothing to give in its place
    assert through.answer(GOOD) is GOOD
    assert through.answer(THROTTLED) is GOOD
    assert through.answer(THROTTLED, asking(target="/other")) is THROTTLED


def test_one_in_two_hundred_is_throttled(passage):
    through = passage("throttled_at_random")
    answers = [through.answer(GOOD) for _ in range(400)]
    assert [answer.status for answer in answers].count(429) == 2
    assert {answer.header("retry-after") for answer in answers if answer.status == 429} == {"1"}
    assert through.answer(REFUSED) is REFUSED


def numbered(number):
    return Message.answer(200, b'{"number": %d}' % number)


def test_one_answer_in_twenty_is_the_one_before(passage):
    through = passage("stale_answer")
    answers = [through.answer(numbered(number)) for number in range(40)]
    wrong = [number for number, answer in enumerate(answers) if answer != numbered(number)]
    assert 1 <= len(wrong) <= 2  # the very first has none before it
    assert all(answers[number] == numbered(number - 1) for number in wrong)


def test_an_answer_is_kept_for_whoever_asks_the_same(passage, asking):
    through = passage("cached_for_anybody")
    through.answer(GOOD, asking(headers=[VALID]))
    assert through.ask(asking()).answer is GOOD
    assert through.ask(asking(b'{"x": 2}')).answer is None
    assert through.ask(asking(target="/other")).answer is None


def test_a_refusal_is_not_kept(passage, asking):
    through = passage("cached_for_anybody")
    through.answer(REFUSED, asking())
    assert through.ask(asking()).answer is None
