"""The documentation site, built as `make docs-site` builds it, and read in a real browser."""

import importlib.util
import re
import sys
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]
PHONE = {"width": 375, "height": 800}
WIDE = {"width": 1440, "height": 900}


@pytest.fixture(scope="module")
def tool() -> Any:
    spec = importlib.util.spec_from_file_location("site_tool", ROOT / "tools/site.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look for their module among those that are imported.
    sys.modules["site_tool"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def built(tool: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    site = tool.Site(ROOT, tmp_path_factory.mktemp("docs-site") / "built")
    site.collect()
    site.build()
    return site.target / "site"  # type: ignore[no-any-return]


class Page(HTMLParser):
    """Links, anchors and elements of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[tuple[str, str]] = []
        self.anchors: set[str] = set()
        self.n = Counter[str]()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.n[tag] += 1
        self.anchors |= {value for name in ("id", "name") if (value := given.get(name))}
        for name in ("href", "src"):
            if value := given.get(name):
                self.links.append((tag, value))


@pytest.fixture(scope="module")
def pages(built: Path) -> dict[Path, Page]:
    return {path: Page(path) for path in sorted(built.rglob("*.html"))}


@pytest.mark.slow
def test_every_link_leads_to_a_file_and_a_heading_of_the_site(
    built: Path, pages: dict[Path, Page]
) -> None:
    problems = []
    for path, page in pages.items():
        # The page for addresses that do not exist is served anywhere.
        if path.name == "404.html":
            continue
        for _, link in page.links:
            parts = urlsplit(link)
            if parts.scheme or link == "#":
                continue
            led = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            led = led / "index.html" if led.is_dir() else led
            wanted = unquote(parts.fragment)
            is_there = led.is_file() and (
                not wanted or wanted.startswith("__") or wanted in Page(led).anchors
                if led not in pages
                else not wanted or wanted.startswith("__") or wanted in pages[led].anchors
            )
            if not is_there:
                problems.append(f"{path.relative_to(built)}: {link}")
    assert problems == []


@pytest.mark.slow
def test_nothing_is_fetched_from_elsewhere(built: Path, pages: dict[Path, Page]) -> None:
    fetched = [
        (path.name, link)
        for path, page in pages.items()
        for tag, link in page.links
        # A link to another site is the reader's choice; everything else is loaded at once.
        if tag != "a" and urlsplit(link).scheme in ("http", "https")
    ]
    assert fetched == []
    for style in built.rglob("*.css"):
        assert not re.search(r"url\(['\"]?https?:|@import", style.read_text(encoding="utf-8"))


@pytest.mark.slow
def test_pages_have_the_lists_and_tables_that_the_git_host_shows(
    built: Path, tool: Any, pages: dict[Path, Page]
) -> None:
    # The parser of the site is another one than GitHub's: without a blank line before it, or with
    # too small an indent, it would not see a list.
    parser = MarkdownIt("gfm-like")
    problems = []
    for source, place in tool.Site(ROOT, built.parent).pages.items():
        text = (ROOT / source).read_text(encoding="utf-8")
        if "<!-- :::" in text:
            continue
        there = Counter(token.tag for token in parser.parse(text) if token.nesting == 1)
        html = (built / place).with_suffix(".html").read_text(encoding="utf-8")
        article = html.partition("<article")[2].partition("</article>")[0]
        for tag in ("table", "tr", "li", "ol"):
            here = len(re.findall(rf"<{tag}[ >]", article))
            if here != there[tag]:
                problems.append(f"{source}: {there[tag]} <{tag}> on the Git host, {here} here")
    assert problems == []


@pytest.mark.slow
def test_the_python_reference_is_filled_in(built: Path) -> None:
    import tunesmith
    import tunesmith.sklearn

    html = (built / "api.html").read_text(encoding="utf-8")
    for name in [n for n in tunesmith.__all__ if n not in ("__version__", "plot")]:
        assert f'id="tunesmith.{name}"' in html, name
    for name in tunesmith.sklearn.__all__:
        assert f'id="tunesmith.sklearn.{name}"' in html, name
    assert "<!-- :::" not in html
    assert "::: tunesmith" not in html


@pytest.fixture
def opened(browser: Any, built: Path) -> Iterator[Any]:
    """Open a page of the site from its folder, without a server and without a network."""
    contexts = []

    def open_page(place: str, **settings: Any) -> Any:
        context = browser.new_context(offline=True, **settings)
        contexts.append(context)
        page = context.new_page()
        page.goto((built / place).as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.mark.slow
def test_a_phone_never_scrolls_sideways(opened: Any, built: Path, tool: Any) -> None:
    page = opened("index.html", viewport=PHONE)
    # Every page reads and indexes the text of all of them, which takes longer than the rest and
    # changes no width; the search has a test of its own.
    page.route("**/search.js", lambda route: route.abort())
    places = list(tool.Site(ROOT, built.parent).pages.values())
    # Decision notes are prose alike: a tenth of them is enough.
    notes = [place for place in places if "decisions" in Path(place).parts]
    too_wide = []
    for place in [place for place in places if place not in notes] + notes[::10]:
        page.goto((built / place).with_suffix(".html").as_uri())
        width = page.evaluate("document.documentElement.scrollWidth")
        if width > PHONE["width"]:
            too_wide.append((place, width))
    assert too_wide == []


@pytest.mark.slow
def test_search_finds_a_key_without_a_server(opened: Any) -> None:
    page = opened("index.html", viewport=WIDE)
    page.keyboard.press("/")
    page.keyboard.type("min_improvement")
    # The first page has no such word: only a result of the search does.
    page.get_by_text("min_improvement").first.wait_for(state="visible")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"(reports|configuration|recipes)\.html"))


@pytest.mark.slow
def test_light_and_dark_follow_the_system_and_the_button(opened: Any) -> None:
    def ground(page: Any) -> str:
        return page.evaluate("getComputedStyle(document.body).backgroundColor")  # type: ignore[no-any-return]

    light = opened("index.html", viewport=WIDE, color_scheme="light")
    dark = opened("index.html", viewport=WIDE, color_scheme="dark")
    assert ground(light) != ground(dark)


# -- what is refused -----------------------------------------------------------------------------


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A small repository with pages in several folders."""
    root = tmp_path / "repository"
    for name in ("docs/migrate", "examples/mlops", "benchmarks"):
        (root / name).mkdir(parents=True)
    for name in ("examples/README.md", "examples/mlops/README.md", "benchmarks/results.md"):
        (root / name).write_text("# A page\n")
    for name in ("README.md", "CONTRIBUTING.md"):
        (root / name).write_text("# A page\n")
    (root / "docs/index.md").write_text("# Home\n\n[Deep](migrate/one.md#a) [code](../Makefile)\n")
    (root / "docs/migrate/one.md").write_text(
        "# One\n\n[Up](../../README.md)\n[more](../../examples/README.md)\n\n"
        "```text\n[not](a-link.md)\n```\n\nhttps://github.com/OWNER/tunesmith\n"
    )
    (root / "Makefile").write_text("all:\n")
    outside = '"examples.md", "mlops.md", "benchmarks.md", "contributing.md"'
    (root / "docs/zensical.toml").write_text(
        '[project]\nsite_name = "S"\nrepo_url = ""\n'
        'nav = ["index.md", { "Migrate" = "migrate/" }, { "Not here" = "none/?" }, '
        f"{outside}]\n"
        "[project.plugins.mkdocstrings.handlers.python]\n"
    )
    return root


def collected(tool: Any, root: Path, repository: str = "") -> Any:
    site = tool.Site(root, root / "build", repository)
    site.collect()
    return site


def test_links_lead_to_the_places_of_pages_and_files(tool: Any, repository: Path) -> None:
    docs = collected(tool, repository).docs
    assert "[Deep](migrate/one.md#a) [code](files/Makefile)" in (docs / "index.md").read_text()
    one = (docs / "migrate/one.md").read_text()
    assert "[Up](../index.md)" in one
    assert "[more](../examples.md)" in one
    assert "[not](a-link.md)" in one
    assert (docs / "files/Makefile").read_text() == "all:\n"


def test_links_of_a_page_that_only_links_lead_to(tool: Any, repository: Path) -> None:
    (repository / "docs/index.md").write_text("# Home\n\n[Notes](../examples/notes.md)\n")
    (repository / "examples/notes.md").write_text(
        "# Notes\n\n[List](README.md) [code](../Makefile) [more](more.md)\n"
    )
    (repository / "examples/more.md").write_text("# More\n\n[Back](notes.md)\n")
    files = collected(tool, repository).docs / "files/examples"
    assert "[List](../../examples.md) [code](../Makefile)" in (files / "notes.md").read_text()
    assert "[Back](notes.md)" in (files / "more.md").read_text()
    (repository / "examples/more.md").write_text("# More\n\n[Gone](gone.md)\n")
    with pytest.raises(tool.SiteError, match=r"examples/more\.md: gone\.md is neither"):
        collected(tool, repository)


def test_pages_of_a_folder_are_in_the_navigation(tool: Any, repository: Path) -> None:
    text = (collected(tool, repository).target / "zensical.toml").read_text()
    assert "migrate/one.md" in text
    assert "Not here" not in text
    assert "repo_url" not in text


def test_one_setting_names_the_repository(tool: Any, repository: Path) -> None:
    site = collected(tool, repository, "https://git.example.org/us/tunesmith")
    assert "https://git.example.org/us/tunesmith" in (site.docs / "migrate/one.md").read_text()
    assert "OWNER" not in (site.docs / "migrate/one.md").read_text()
    assert "https://git.example.org/us/tunesmith" in (site.target / "zensical.toml").read_text()


def test_a_link_to_nothing_is_named(tool: Any, repository: Path) -> None:
    (repository / "docs/index.md").write_text("# Home\n\n[Gone](gone.md) [Also](../nothing)\n")
    with pytest.raises(tool.SiteError) as caught:
        collected(tool, repository)
    assert "docs/index.md: gone.md is neither a page nor a file" in str(caught.value)
    assert "docs/index.md: ../nothing is neither a page nor a file" in str(caught.value)


def test_a_page_in_no_section_is_named(tool: Any, repository: Path) -> None:
    (repository / "docs/lost.md").write_text("# Lost\n")
    with pytest.raises(tool.SiteError, match=r"lost\.md is in no section"):
        collected(tool, repository)


def test_a_page_that_the_navigation_names_must_be_there(tool: Any, repository: Path) -> None:
    (repository / "docs/migrate/one.md").unlink()
    with pytest.raises(tool.SiteError, match="`nav` names migrate/, which is not there"):
        collected(tool, repository)


@pytest.mark.slow
def test_a_link_to_a_missing_heading_fails_the_build(tool: Any, repository: Path) -> None:
    with pytest.raises(tool.SiteError, match="anchor"):
        collected(tool, repository).build()
