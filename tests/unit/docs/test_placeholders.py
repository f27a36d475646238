"""What is filled in when a page is written is filled in."""

PLACEHOLDER = "@@"


def test_no_page_has_a_placeholder(page):
    assert [line for line in page.text.splitlines() if PLACEHOLDER in line] == []
