"""What docs/history.md says of comparisons is what they say."""

import re

from harness.history.comparison import Movement
from harness.history.rules import EITHER_WAY
from harness.model import SinceLastPromote


def test_every_movement_is_explained(pages):
    rows = [row[0] for row in pages["docs/history.md"].table_rows() if len(row) == 2]
    words = [match[1] for row in rows if (match := re.fullmatch(r"`([a-z]+)`", row))]
    assert words == [movement.value for movement in Movement]


def test_the_example_of_a_limit_without_a_looser_side_is_one(pages):
    example = re.search(r"without a looser side, such\nas `([a-z_.]+)`", pages["docs/history.md"].text)
    assert example[1].rpartition(".")[2] in {name for _, name in EITHER_WAY}


def test_the_report_s_key_is_named(pages):
    assert "`since_last_promote`" in pages["docs/history.md"].text
    assert SinceLastPromote.model_fields.keys() >= {"run_id", "changes", "problem"}
