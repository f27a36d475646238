"""When a check stops asking."""

from harness.checks.patience import MOST_UNANSWERED, Patience


def test_it_is_over_after_a_few_requests_without_an_answer():
    patience = Patience()
    for _ in range(MOST_UNANSWERED - 1):
        patience.note(answered=False)
        patience.note(answered=True)
    assert not patience.over
    patience.note(answered=False)
    assert patience.over


def test_it_is_over_when_its_time_is():
    assert Patience(budget_s=0).over
    assert not Patience(budget_s=60).over
