"""Links within the repository lead somewhere."""

import re
from dataclasses import replace

LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def dead_links(page):
    for target in LINK.findall(page.prose):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, fragment = target.partition("#")
        file = (page.path.parent / path).resolve() if path else page.path
        if not file.exists() or (fragment and fragment not in anchors(file)):
            yield target


def anchors(file):
    return [
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        for heading in HEADING.findall(file.read_text(encoding="utf-8"))
    ]


def test_every_relative_link_leads_to_a_file_and_a_heading(page):
    assert list(dead_links(page)) == []


def test_a_dead_link_is_found(pages):
    text = "[a](nowhere.md) [b](security.md) [c](security.md#no-such-heading) [d](security.md#secrets)"
    page = replace(pages["docs/latency.md"], text=text)
    assert list(dead_links(page)) == ["nowhere.md", "security.md#no-such-heading"]


def test_every_page_is_linked_from_the_readme_or_a_page(pages):
    linked = {
        (page.path.parent / target.partition("#")[0]).resolve()
        for page in pages.values()
        for target in LINK.findall(page.prose)
    }
    assert [name for name, page in pages.items() if page.path not in linked] == ["README.md"]
