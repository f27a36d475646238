"""Which changes are shown before a blessing."""

import math

from harness.golden.bless import Change, OutputChanges


def test_the_worst_of_an_exact_output_are_those_with_the_largest_errors():
    changes = OutputChanges()
    for number in range(9):
        error = float(number * 4 % 9)
        changes.add(Change(math.inf, error, f"row-{number}", "/y", 0.0, error), beyond=True)
    assert [change.error for change in changes.worst] == [8.0, 7.0, 6.0, 5.0, 4.0]
