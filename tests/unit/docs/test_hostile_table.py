"""The table of hostile candidates has a line for each, and says what was measured."""

import pytest
from hostile_cases import CASES
from scripts_as_modules import loaded

ROW = {
    "case": "b_c",
    "declared": "reject",
    "verdict": "reject",
    "seconds": 12.3,
    "peak_mib": 310,
    "leftovers": 0,
}


@pytest.fixture
def script():
    return loaded("hostile_table")


@pytest.fixture
def tables():
    return loaded("tables_in_pages")


def test_each_case_has_a_line_and_the_last_run_of_it_counts(script):
    rows = [ROW | {"seconds": 99.0}, ROW | {"case": "a", "leftovers": 2}, ROW]
    assert script.table(rows).splitlines()[2:] == [
        "| a | reject | reject | 12 | 310 | 2 |",
        "| b c | reject | reject | 12 | 310 | nothing |",
    ]


def test_a_case_that_did_not_run_keeps_its_line(script):
    before = script.table([ROW, ROW | {"case": "a"}])
    assert script.table([ROW | {"peak_mib": 7}], before) == before.replace(
        "| b c | reject | reject | 12 | 310 |", "| b c | reject | reject | 12 | 7 |"
    )


def test_the_table_of_the_page_is_of_every_case_and_each_came_to_what_was_declared(script, tables):
    table = tables.table_in(script.PAGE.read_text(encoding="utf-8"), script.PLACE)
    rows = tables.rows(table)
    assert set(rows) == {script.named(case) for case in CASES}
    assert len(CASES) == len(set(CASES)) == len(table.splitlines()) - 2
    for line in rows.values():
        _, declared, verdict, _, mib, left = (cell.strip() for cell in line.strip("| \n").split(" | "))
        assert (declared, left) == (verdict, "nothing")
        assert int(mib) < 900


def test_a_page_has_a_place_for_it(script, tables):
    page = script.PAGE.read_text(encoding="utf-8")
    made = tables.page_with(page, script.PLACE, script.table([ROW]))
    assert "| b c |" in made
    assert tables.page_with(made, script.PLACE, "") == tables.page_with(page, script.PLACE, "")
    with pytest.raises(ValueError, match="no place"):
        tables.page_with("", script.PLACE, "")
