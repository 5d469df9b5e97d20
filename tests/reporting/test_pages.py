"""The published pages of every kind of study, as a browser lays them out and as checkers of HTML read them."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import made_up_studies as studies
import pytest
from made_record import settled
from made_up_project import NOTEBOOKS, Project, render

from sixteen.lineage.steps import Run
from sixteen.reporting.numbers import HYPHEN
from sixteen.reporting.publish import join, publish

BROWSER = Path(__file__).parents[1] / "browser"
WIDTHS = (390, 600, 768, 830, 1280)
TIMED: dict[str, Any] = {"timed": (("float16", "float32"),), "reach": 0.7}
KINDS: dict[str, dict[str, Any]] = {
    "continuous16": TIMED,
    "standalone16": {**TIMED, "arms": studies.STANDALONE, "published": studies.PUBLISHED},
    "mixed": {"arms": studies.MIXED, "factorial": studies.TWO_BY_TWO},
    "switch": {"arms": studies.SWITCH},
    "variability": {"arms": studies.FACTORIAL, "factorial": list(studies.FACTORIAL)},
}
STUDIES = tuple(f"{kind}/index.html" for kind in KINDS)
QUESTIONS = "questions/index.html"
PAGES = ("index.html", QUESTIONS, *STUDIES)
UNCLAIMED = ("mixed/index.html", "switch/index.html", "variability/index.html")


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of reports, one of each kind, and their index."""
    root = tmp_path_factory.mktemp("project")
    project = Project(root)
    for kind, told in KINDS.items():
        networks = ("resnet8", "resnet14") if kind == "continuous16" else ("resnet8",)
        summary = project.summarize(kind, networks, 2, **told)
        made = render(root, summary, NOTEBOOKS / f"{kind}.ipynb", f"into-{kind}")
        folder = f"results/{kind}/summarized/reported"
        shutil.copytree(made, root / folder / "new")
        publish(settled(root, folder, step="report"), root / "reports", kind)
    join(_questions(), root / "reports")
    return root / "reports"


def _questions() -> Run:
    """The page of a question that two of the studies and one that hasn't run are to decide."""
    told = ("continuous16", "standalone16", "a-study-that-has-not-run")
    claims = studies.CLAIMS
    kind = {"network": "resnet156", "family": "resnet", "format": "float32", "tests": 0.2}
    kind |= {"backend": "tensorflow", "threads": 1, "devices": 1}
    asked = {
        "questions": [{"asks": "Is 16 bit as good as 32?", "studies": list(told)}],
        "studies": {
            name: {
                "title": name,
                "scale": "paper",
                "seeds": 2,
                "claims": claims,
                "trainings": ["0"],
            }
            for name in told
        },
        "kinds": {"one": kind | {"multiply_adds": 10**9}},
        "trainings": {"0": {"kind": "one", "items": 5_000_000}},
    }
    return Run("join", "reports/questions/0123456789ab", asked, {}, {}, {}, {})


def _open(chromium: Any, path: Path, width: int, media: str = "screen") -> Any:
    page = chromium.new_page(viewport={"width": width, "height": 900})
    page.emulate_media(media=media)
    page.goto(path.resolve().as_uri())
    return page


OVERLAPS = """() => Array.from(document.querySelectorAll('.badge'), badge => {
  const mine = badge.getBoundingClientRect();
  const cell = badge.closest('td, th');
  const others = cell ? Array.from(cell.parentElement.children).filter(other => other !== cell) : [];
  const lies = other => {
    const range = document.createRange();
    range.selectNodeContents(other);
    return Array.from(range.getClientRects()).some(box => box.width && box.height
      && mine.left < box.right - 0.5 && box.left < mine.right - 0.5
      && mine.top < box.bottom - 0.5 && box.top < mine.bottom - 0.5);
  };
  return others.some(lies) || mine.right > document.documentElement.clientWidth ? badge.innerText : null;
}).filter(Boolean)"""


@pytest.mark.parametrize("path", PAGES)
def test_a_badge_lies_over_nothing_and_no_page_is_wider_than_its_window(
    reports: Path, chromium: Any, path: str
) -> None:
    paper = 680  # CSS pixels between the margins of A4
    for width, media in [*((width, "screen") for width in WIDTHS), (paper, "print")]:
        page = _open(chromium, reports / path, width, media)
        assert page.locator(".badge").count() or path in UNCLAIMED
        assert page.evaluate(OVERLAPS) == [], (width, media)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, (width, media)
        page.close()


@pytest.fixture
def checkers() -> Path:
    """The folder of axe-core and html-validate, where they are installed."""
    modules = BROWSER / "node_modules"
    if shutil.which("node") is None or not modules.is_dir():
        pytest.skip("axe-core and html-validate aren't installed: call `npm ci` in tests/browser")
    return modules


@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_nothing(reports: Path, chromium: Any, checkers: Path, path: str) -> None:
    page = _open(chromium, reports / path, 1280)
    page.add_script_tag(path=checkers / "axe-core/axe.min.js")
    for opened in (False, True):
        page.evaluate(
            "opened => document.querySelectorAll('details').forEach(d => d.open = opened)", opened
        )
        for width in (390, 768, 1280):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate(AXE, None)["violations"] == [], (width, opened)
    # Where a box cuts a text off, or a shadow lies behind it, no contrast can be computed: without both it is.
    page.add_style_tag(content=".wide { background: none !important; overflow: visible; }")
    page.set_viewport_size({"width": 2000, "height": 900})
    assert page.evaluate(AXE, "color-contrast") == {"violations": [], "undecided": []}


AXE = """async only => {
  const rules = axe.getRules().map(rule => [rule.ruleId, {enabled: only === null || rule.ruleId === only}]);
  const found = await axe.run(document, {rules: Object.fromEntries(rules)});
  const told = list => list.map(one => [one.id, one.nodes.map(node => node.html.slice(0, 200))]);
  return {violations: told(found.violations), undecided: told(found.incomplete)};
}"""


def test_html_validate_finds_nothing(reports: Path, checkers: Path) -> None:
    program = [checkers / ".bin/html-validate", "--config", BROWSER / ".htmlvalidate.json"]
    done = subprocess.run(
        [*program, *(reports / path for path in PAGES)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", STUDIES)
def test_the_contents_list_every_heading_stay_in_view_and_lead_back(
    reports: Path, chromium: Any, path: str
) -> None:
    page = _open(chromium, reports / path, 1280)
    headings = page.evaluate(
        "Array.from(document.querySelectorAll('h2, h3'), h => ['#' + h.id, h.innerText])"
    )
    links = page.evaluate(
        "Array.from(document.querySelectorAll('nav li a'), a => [a.getAttribute('href'), a.innerText])"
    )
    assert links == [["#top", "Top"], *headings]
    assert len({name for name, _ in headings}) == len(headings) > 5
    assert ["#verdicts", "Verdicts"] in headings
    assert (reports / path).parent.joinpath(page.get_attribute("nav a.home", "href")).exists()
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        page.evaluate("scrollTo(0, document.body.scrollHeight)")
        assert page.locator("nav a.home").bounding_box()["y"] >= 0, width
        page.evaluate("document.querySelector('#verdicts').scrollIntoView()")
        bar = page.locator("nav").bounding_box()
        heading = page.locator("#verdicts").bounding_box()
        beside = bar["x"] + bar["width"] <= heading["x"]
        assert beside or bar["y"] + bar["height"] <= heading["y"] < 200, width


@pytest.mark.parametrize("path", STUDIES)
def test_what_is_folded_on_a_screen_is_printed(reports: Path, chromium: Any, path: str) -> None:
    count = "Array.from(document.querySelectorAll('details > :not(summary)'), e => e.checkVisibility({contentVisibilityAuto: true})).filter(Boolean).length"
    screen, paper = (_open(chromium, reports / path, 680, media) for media in ("screen", "print"))
    folded = screen.locator("details > :not(summary)").count()
    assert screen.evaluate(count) < folded == paper.evaluate(count)
    assert not paper.locator("nav").is_visible()


@pytest.mark.parametrize("path", PAGES)
def test_what_scrolls_sideways_can_be_reached_by_keyboard_and_says_so(
    reports: Path, chromium: Any, path: str
) -> None:
    page = _open(chromium, reports / path, 390)
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    page.wait_for_timeout(100)  # a frame, after which the browser knows what scrolls
    tables = page.evaluate(
        """Array.from(document.querySelectorAll('.wide'), box => [
          box.scrollWidth > box.clientWidth, box.tabIndex, box.getAttribute('aria-label'),
          getComputedStyle(box.querySelector('caption'), '::after').content])"""
    )
    assert all(index == 0 and name for _, index, name, _ in tables)
    assert len({name for _, _, name, _ in tables}) == len(tables)
    assert [scrolls for scrolls, *_ in tables] == ["scroll" in hint for *_, hint in tables]
    assert any(scrolls for scrolls, *_ in tables) == (path != "index.html")
    others = page.evaluate(
        """Array.from(document.querySelectorAll('main :not(.wide)')).filter(e =>
          e.scrollWidth > e.clientWidth && getComputedStyle(e).overflowX === 'auto').length"""
    )
    assert others == 0


@pytest.mark.parametrize("path", PAGES)
def test_there_is_one_minus_sign(reports: Path, chromium: Any, path: str) -> None:
    page = _open(chromium, reports / path, 1280)
    page.evaluate("document.querySelectorAll('code, pre').forEach(e => e.remove())")
    assert not HYPHEN.findall(page.evaluate("document.body.textContent"))
    drawn = (svg.read_text() for svg in (reports / path).parent.glob("figures/*.svg"))
    texts = [text for svg in drawn for text in re.findall("<!-- ([^$]*?) -->", svg)]
    assert [text for text in texts if HYPHEN.search(text)] == []


def test_the_verdicts_are_summed_up_before_anything_else(reports: Path, chromium: Any) -> None:
    page = _open(chromium, reports / "continuous16/index.html", 390)
    line = page.locator("p.outcome")
    assert line.inner_text() == (
        "5 claims: \N{CHECK MARK} 1 supported \N{BALLOT X} 0 refuted ? 4 inconclusive at toy scale."
    )
    assert line.bounding_box()["y"] < 300
