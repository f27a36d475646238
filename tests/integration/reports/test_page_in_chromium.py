"""The HTML report in a real browser: nothing in it acts, and everybody can read it."""

import pytest
from chromium import Chromium, Page, find_chromium
from drawn_run import report, save_evidence

from harness.reports.figures.drawing import draw
from harness.reports.html import HtmlRenderer

pytestmark = pytest.mark.browser

ACTIVE = (
    "</text></title></desc></svg></style></pre></script>"
    "<script>window.pwned = 1; alert(1); console.log('pwned')</script>"
    "<img src=x onerror='window.pwned = 2'><svg onload='window.pwned = 3'></svg>"
    "<link rel=stylesheet href=http://127.0.0.1:9/pwned.css><iframe src=http://127.0.0.1:9/></iframe>"
    '" onmouseover="window.pwned = 4" x=\'{{ 7 * 7 }}\u202e'
)
# No policy of a page stops this one: it has to be text.
HOSTILE = f"<meta http-equiv=refresh content='0;url=http://127.0.0.1:9/'>{ACTIVE}"
SCHEMES = ("light", "dark")
TAB, ENTER = ("Tab", 9), ("Enter", 13)
CONTRAST = """
(() => {
  const parts = text => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(c => c / 255)
    .map(c => c <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [.2126, .7152, .0722][i], 0);
  const behind = element => {
    for (let at = element; at; at = at.parentElement) {
      const colour = parts(getComputedStyle(at).backgroundColor);
      if (colour.length < 4 || colour[3] > 0) return light(colour);
    }
    return 1;
  };
  const words = element => [...element.childNodes].some(n => n.nodeType === 3 && n.data.trim());
  const shown = [...document.body.querySelectorAll('*')].filter(e => words(e) && e.checkVisibility());
  const ratios = shown.filter(e => !['title', 'desc'].includes(e.tagName)).map(e => {
    const style = getComputedStyle(e);
    const ours = light(parts(e instanceof SVGElement ? style.fill : style.color));
    const [high, low] = [ours, behind(e)].sort((a, b) => b - a);
    return [(high + .05) / (low + .05), e.tagName, e.getAttribute('class'), e.textContent.slice(0, 40)];
  });
  return ratios.sort((a, b) => a[0] - b[0]).slice(0, 3);
})()
"""


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    with Chromium(find_chromium(), tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """Pages of the same run: of a candidate that tries what it can, and of one whose texts are harmless."""
    pages = {}
    for name, text in (("hostile", HOSTILE), ("harmless", "probabilities")):
        folder = tmp_path_factory.mktemp(name)
        save_evidence(folder / "evidence", text)
        of = report(folder / "evidence", text)
        pages[name] = folder / "report.html"
        pages[name].write_text(HtmlRenderer(draw(of, folder / "evidence")).render(of))
    return pages


@pytest.mark.parametrize("scheme", SCHEMES)
def test_nothing_of_a_hostile_candidate_acts(chromium, reports, scheme):
    page = Page(chromium, features={"prefers-color-scheme": scheme})
    noticed = page.open(reports["hostile"])
    requests = [each["request"]["url"] for name, each in noticed if name == "Network.requestWillBeSent"]
    assert requests == [reports["hostile"].as_uri()]
    assert [name for name, _ in noticed] == ["Network.requestWillBeSent"]
    assert page.run("typeof window.pwned") == "undefined"
    assert (
        page.run("document.querySelectorAll('script, img, iframe, link, [onload], [onmouseover]').length")
        == 0
    )
    assert page.run("document.querySelectorAll('figure svg[role=img]').length") == 4
    assert "<script>window.pwned" in page.run("document.body.innerText")


def test_this_browser_would_have_told(chromium, tmp_path):
    """The control: the same text, neither escaped nor under the page's policy, is noticed."""
    bare = tmp_path / "bare.html"
    bare.write_text(f"<!doctype html><meta charset=utf-8><title>x</title><body>{ACTIVE}")
    names = {name for name, _ in Page(chromium).open(bare)}
    assert {
        "Network.requestWillBeSent",
        "Page.javascriptDialogOpening",
        "Runtime.consoleAPICalled",
        "Log.entryAdded",
    } <= names


def test_the_page_s_own_policy_stops_a_script_that_got_through(chromium, reports, tmp_path):
    """The second wall: were a text not escaped, the page would still run nothing and fetch nothing."""
    through = tmp_path / "through.html"
    through.write_text(reports["harmless"].read_text().replace("<main>", f"<main>{ACTIVE}"))
    page = Page(chromium)
    noticed = page.open(through)
    assert "Log.entryAdded" in {name for name, _ in noticed}
    assert not {name for name, _ in noticed} & {"Page.javascriptDialogOpening", "Runtime.consoleAPICalled"}
    assert page.run("typeof window.pwned") == "undefined"


@pytest.mark.parametrize("scheme", SCHEMES)
def test_all_text_stands_out_from_what_is_behind_it(chromium, reports, scheme):
    page = Page(chromium, features={"prefers-color-scheme": scheme})
    page.open(reports["harmless"])
    page.run("document.querySelectorAll('details').forEach(each => each.open = true)")
    for ratio, *where in page.run(CONTRAST):
        assert ratio >= 4.5, where  # WCAG 2.2, success criterion 1.4.3


def test_light_and_dark_differ(chromium, reports):
    shots = []
    for scheme in SCHEMES:
        page = Page(chromium, features={"prefers-color-scheme": scheme})
        page.open(reports["harmless"])
        shots.append((page.run("getComputedStyle(document.body).backgroundColor"), page.screenshot()))
    (light, bright), (dark, dim) = shots
    assert light == "rgb(255, 255, 255)"
    assert light != dark
    assert bright != dim
    assert min(map(len, (bright, dim))) > 50_000


@pytest.mark.parametrize("width", [320, 500, 1600])
@pytest.mark.parametrize("kind", ["hostile", "harmless"])
def test_no_width_makes_the_page_scroll_sideways(chromium, reports, width, kind):
    page = Page(chromium, width=width)
    page.open(reports[kind])
    page.run("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert page.run("document.documentElement.scrollWidth") <= width


def test_a_screen_reader_is_told_what_each_plot_shows(chromium, reports):
    page = Page(chromium)
    page.open(reports["harmless"])
    images = page.images()
    assert set(images) == {
        "Response times, latency.paired",
        "Latency over time, latency.paired",
        "Error of each golden output against its tolerance",
        "Predictions of label, drift.predictions",
    }
    assert "p99" in images["Response times, latency.paired"]
    assert all(images.values())


def test_every_row_opens_and_every_plot_scrolls_by_keyboard(chromium, reports):
    page = Page(chromium)
    page.open(reports["harmless"])
    page.run("document.querySelectorAll('details').forEach(each => each.open = false)")
    focused = []
    page.press(*TAB)
    while (at := page.run("document.activeElement.tagName")) != "BODY":
        focused.append(page.run("document.activeElement.className"))
        if at == "SUMMARY":
            page.press(*ENTER)
        page.press(*TAB)
    assert page.run("document.querySelectorAll('details:not([open])').length") == 0
    assert focused.count("canvas") == 4


def test_in_print_everything_is_open(chromium, reports):
    page = Page(chromium, media="print")
    page.open(reports["harmless"])
    page.run("document.querySelectorAll('details').forEach(each => each.open = false)")
    hidden = page.run(
        "[...document.querySelectorAll('details > :not(summary)')]"
        ".filter(each => !each.checkVisibility({contentVisibilityAuto: true}) || !each.offsetHeight).length"
    )
    assert hidden == 0
    printed = page.pdf()
    assert printed.startswith(b"%PDF")
    assert len(printed) > 50_000
