"""The table of the harness's own faults adds their tries up, and stands in its page."""

import json
import re

import figures
import pytest
from scripts_as_modules import loaded


@pytest.fixture
def script():
    return loaded("own_faults_table")


def told(*arguments, **figures_):
    return {"seconds": 2.0} | {
        k: v for k, v in json.loads(figures.told(*arguments, **figures_)).items() if v is not None
    }


def test_the_tries_of_a_fault_are_a_line(script):
    rows = [
        told("killed", "exit 3, reject", seconds=0.25),
        told("killed", "killed, no verdict", left=2, seconds=1.26),
        told("killed", "exit 3, reject"),
        told("damaged", {"success": 2, "a clear error": 40}, tried=42),
    ]
    assert script.table(rows).splitlines()[2:] == [
        "| damaged | 42 | a clear error: 40; success: 2 | 2.0 | nothing |",
        "| killed | 3 | exit 3, reject: 2; killed, no verdict: 1 | 2.0 | 2, none after the next start |",
    ]


def test_a_fault_that_was_not_tried_keeps_its_line(script):
    before = script.table([told("a", "exit 3"), told("b", "exit 3")])
    assert (
        script.table([told("b", "exit 3", left=1)], before).count("| a | 1 | exit 3: 1 | 2.0 | nothing |")
        == 1
    )


def test_its_page_has_it(script):
    tables = loaded("tables_in_pages")
    rows = tables.rows(tables.table_in(script.PAGE.read_text(encoding="utf-8"), script.PLACE))
    assert rows
    assert not any(re.search(r"exit 1\b", line.split("|")[3]) for line in rows.values())
