import xml.etree.ElementTree as ET

import pytest

from harness.reports.figures.svg import WIDTH

UPRIGHT = {"y", "y1", "y2", "cy"}
ALONG = {"x", "x1", "x2", "cx"}


def _numbers(element):
    """(is it upright, number) of all coordinates of an element, its far corner among them."""
    for name, value in element.attrib.items():
        if name in UPRIGHT | ALONG:
            yield name in UPRIGHT, float(value)
    if element.tag == "rect":
        yield False, float(element.get("x")) + float(element.get("width"))
        yield True, float(element.get("y")) + float(element.get("height"))
    for point in element.get("d", "").replace("M", "L").split("L")[1:]:
        along, upright = point.split(",")
        yield from ((False, float(along)), (True, float(upright)))


@pytest.fixture(scope="session")
def drawn():
    """Parses a figure's drawing, makes sure that all of it lies within the view box, gives its elements."""

    def parse(figure):
        assert not figure.problem
        elements = [*ET.fromstring(f"<svg>{figure.svg}</svg>").iter()]
        for element in elements:
            for upright, value in _numbers(element):
                most = figure.height if upright else WIDTH
                assert 0 <= value <= most + 0.1, ET.tostring(element)
        assert figure.rows
        assert {len(row) for row in figure.rows} == {len(figure.columns)}
        assert figure.description.endswith(".")
        return elements

    return parse
