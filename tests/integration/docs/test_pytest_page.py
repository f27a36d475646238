"""docs/pytest.md: a gate beside one's own tests, which are those of the page."""

import re
import xml.etree.ElementTree as ET

import pytest
from pages import read_page
from walking import World

pytestmark = [pytest.mark.engine, pytest.mark.slow]


@pytest.fixture
def tests_of_the_page(tiny_suite, tiny_image, tag):
    """A folder with a suite, and the test file that the page shows."""
    tag(tiny_image, "service:1.4.0", "service:1.3.2")
    folder = tiny_suite().parent
    (block,) = read_page("docs/pytest.md").blocks("python")
    (folder / "test_release.py").write_text(block.text)
    return World(folder)


def passed(running):
    """How many tests did, when none did not."""
    (last,) = re.findall(r"=+ (?P<told>.*) in [\d.]+s", running.out)[-1:]
    assert "failed" not in last
    assert "error" not in last
    return int(re.search(r"(\d+) passed", last)[1])


def test_a_gate_beside_tests(tests_of_the_page):
    everything = passed(
        tests_of_the_page.walk(
            "docs/pytest.md", "pytest --gate-candidate=service:1.4.0 --gate-reference=service:1.3.2"
        )
    )
    own = passed(
        tests_of_the_page.walk(
            "docs/pytest.md",
            "pytest --gate-candidate=service:1.4.0 --gate-reference=service:1.3.2 -m",
        )
    )
    assert own == 3
    gated = passed(
        tests_of_the_page.walk(
            "docs/pytest.md", "pytest --gate-candidate=service:1.4.0 --gate-reference=none -m gate"
        )
    )
    assert everything > gated > own


def test_some_of_it(tests_of_the_page):
    own = passed(
        tests_of_the_page.walk(
            "docs/pytest.md", 'pytest --gate-candidate=service:1.4.0 --gate-reference=none -m "not gate"'
        )
    )
    assert own == 2  # a first release has no reference to compare with
    golden = tests_of_the_page.walk(
        "docs/pytest.md",
        """pytest --gate-candidate=service:1.4.0 --gate-reference=none -m "gate(family='golden')\"""",
    )
    named = tests_of_the_page.walk(
        "docs/pytest.md", "pytest --gate-candidate=service:1.4.0 --gate-reference=none -k"
    )
    assert passed(golden) > 0
    assert passed(named) > 0


def test_with_the_options_of_pytest(tests_of_the_page):
    tests_of_the_page.walk("docs/pytest.md", "pytest --gate-candidate=service:1.4.0 --gate-reference=none -x")
    tests_of_the_page.walk("docs/pytest.md", "pytest --gate-candidate=service:1.4.0 --gate-reference=none -n")
    tests_of_the_page.walk(
        "docs/pytest.md", "pytest --gate-candidate=service:1.4.0 --gate-reference=none --junit-xml"
    )
    cases = ET.parse(tests_of_the_page.folder / "junit.xml").iter("testcase")
    assert ("gate.golden.single", "y") in {(case.get("classname"), case.get("name")) for case in cases}
