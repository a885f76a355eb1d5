"""The HTML report: as a parser reads it, and in a real browser."""

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tunesmith.history import Metric
from tunesmith.ledger.records import StudyRecord
from tunesmith.reporting import page as package
from tunesmith.reporting.page.content import Lists, content_of
from tunesmith.reporting.page.render import SCRIPTS, render
from tunesmith.testing.figures import HOSTILE, SPACE, points, records
from tunesmith.testing.records import make_record

ATTACK = '</script><img src=x onerror="document.title=1"><script>document.title=2</script>'


class Reader(HTMLParser):
    """What stands in a document."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, str] = {}
        self.place = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.place = str(dict(attrs).get("id") or tag)

    def handle_endtag(self, tag: str) -> None:
        self.place = ""

    def handle_data(self, data: str) -> None:
        self.texts[self.place] = self.texts.get(self.place, "") + data

    @property
    def policy(self) -> str:
        found = [a for _, a in self.tags if a.get("http-equiv") == "Content-Security-Policy"]
        return str(found[0]["content"])


def many(n: int, n_params: int = 12) -> StudyRecord:
    """A big study: continuous params, five folds, some failures."""
    rng = np.random.default_rng(0)
    names = [f"parameter_{i}" for i in range(n_params)]
    given = [dict(zip(names, map(float, rng.random(n_params)), strict=True)) for _ in range(n)]
    noise = rng.normal(0, 0.02, (n, 5))
    scores: list[list[float] | str] = [
        "out of memory" if i % 40 == 7 else (0.8 + 0.1 * p["parameter_0"] + noise[i]).tolist()
        for i, p in enumerate(given)
    ]
    return make_record(given, scores)


def test_one_record_gives_the_same_bytes() -> None:
    assert render(records()["many"]) == render(records()["many"])


def test_durations_can_be_left_out() -> None:
    record = records()["many"]
    kinds = [f["figure"] for f in content_of(record, has_times=False)["figures"]]
    assert "timeline" not in kinds
    assert "history" in kinds
    assert "timeline" in [f["figure"] for f in content_of(record)["figures"]]


def test_the_policy_names_this_style_and_this_script_and_nothing_else() -> None:
    reader = Reader(render(records()["many"]))
    for tag, source in (("style", "style-src"), ("script", "script-src")):
        text = reader.texts[tag]
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{source} 'sha256-{digest}'" in reader.policy
    assert reader.policy.startswith("default-src 'none'")
    assert "unsafe" not in reader.policy
    assert "connect-src" not in reader.policy


def test_nothing_is_loaded_from_elsewhere() -> None:
    reader = Reader(render(records()["many"]))
    links = [a.get("src") or a.get("href") for _, a in reader.tags]
    assert [link for link in links if link] == ["data:,", "#trials"]
    assert not re.search(r"url\(|@import", reader.texts["style"])


def test_hostile_texts_are_data_and_nothing_else() -> None:
    record = make_record(
        [{ATTACK: ATTACK, "x": i} for i in range(9)],
        [[0.1, 0.2]] * 8 + [ATTACK],
        metrics=(Metric(ATTACK),),
        study=ATTACK,
        stopped_by=ATTACK,
    )
    plain, attacked = Reader(render(records()["many"])), Reader(render(record))
    assert [tag for tag, _ in attacked.tags] == [tag for tag, _ in plain.tags]
    assert json.loads(attacked.texts["data"])["study"] == ATTACK
    assert render(records()["hostile texts"]).encode()


def test_every_module_imports_what_an_earlier_one_exports() -> None:
    # In the page they are one script, in that order; in an editor and in Node they are modules.
    folder = Path(str(package.__file__)).parent / "scripts"
    exported: dict[str, set[str]] = {}
    declared: list[str] = []
    for name in SCRIPTS:
        text = (folder / f"{name}.js").read_text()
        for names, place in re.findall(r'import \{([^}]+)\} from "\./(\w+)\.js";', text):
            assert {found.strip() for found in names.split(",")} <= exported[place], name
        exports = r"^export (?:const|function|class) (\w+)"
        exported[name] = set(re.findall(exports, text, re.MULTILINE))
        tops = r"^(?:export )?(?:async )?(?:const|let|function|class) (\w+)"
        declared += re.findall(tops, text, re.MULTILINE)
    assert len(declared) == len(set(declared)) > 50
    assert {f"{name}.js" for name in SCRIPTS} == {file.name for file in folder.glob("*.js")}


def test_equal_lists_are_kept_once() -> None:
    lists = Lists()
    column = [0.5] * 9
    assert lists.shared({"a": column, "b": list(column), "c": [True] * 9, "d": [1.0] * 9}) == {
        "a": {"$": 0},
        "b": {"$": 0},
        "c": {"$": 1},
        "d": {"$": 2},
    }
    assert len(lists.kept) == 3


def test_a_thousand_trials_of_twelve_parameters_take_less_than_400_kb() -> None:
    assert len(render(many(1000)).encode()) < 400_000


# -- in a browser --------------------------------------------------------------------------------


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Iterator[Any]:
    """Opens a record's page; nothing may be complained of, and nothing asked of a network."""
    complaints: list[str] = []
    requests: list[str] = []
    context = browser.new_context(viewport={"width": 1200, "height": 900})

    def show(record: StudyRecord) -> Any:
        file = tmp_path / "report.html"
        file.write_text(render(record), encoding="utf-8")
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(file.as_uri())
        page.wait_for_selector("figure svg")
        return page

    yield show
    context.close()
    assert complaints == []
    assert {url.partition(":")[0] for url in requests} <= {"file", "data"}


def shown_trials(page: Any) -> list[int]:
    numbers = "rows => rows.map(row => row.dataset.trial)"
    return [int(n) for n in page.eval_on_selector_all("tbody tr[data-trial]", numbers)]


def scroll_through(page: Any) -> None:
    """Figures are drawn when they come near."""
    height = page.evaluate("document.documentElement.scrollHeight")
    page.set_viewport_size({"width": page.viewport_size["width"], "height": height})
    page.wait_for_selector(".canvas:not(:has(svg))", state="detached")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["many", "two objectives", "one", "all failed", "huge numbers"])
def test_every_study_is_drawn_without_complaint(opened: Any, name: str) -> None:
    # A study without figures still has its table.
    page = opened(records()[name])
    scroll_through(page)
    assert page.inner_text("h1") == "example"
    assert shown_trials(page)
    assert page.locator(".canvas svg").count() >= 1


@pytest.mark.slow
def test_the_filter_keeps_what_was_asked_for(opened: Any) -> None:
    page, record = opened(records()["many"]), records()["many"]
    expected = {
        "depth>6": [t.number for t in record.history if t.params["depth"] > 6],  # type: ignore[operator]
        "kernel=rbf rate>=0.01": [
            t.number
            for t in record.history
            if t.params["kernel"] == "rbf" and t.params["rate"] >= 0.01  # type: ignore[operator]
        ],
        "failed": [t.number for t in record.history if t.failure],
        "flag = true": [t.number for t in record.history if t.params["flag"]],
    }
    for text, numbers in expected.items():
        page.fill("#filter", text)
        assert sorted(shown_trials(page)) == numbers, text
        assert page.inner_text(".count").startswith(f"{len(numbers)} of 40")
    page.fill("#filter", "deph>3")
    assert "No column is called deph" in page.inner_text(".count")


@pytest.mark.slow
def test_columns_sort_by_mouse_and_keyboard(opened: Any) -> None:
    page = opened(records()["many"])
    best = [trial.number for trial in records()["many"].history.successful]
    first = max(best, key=lambda n: (records()["many"].history[n].mean("gain"), -n))
    assert shown_trials(page)[0] == first
    button = page.get_by_role("button", name="trial", exact=True)
    button.focus()
    page.keyboard.press("Enter")
    assert shown_trials(page) == list(range(25))
    page.keyboard.press("Enter")
    assert shown_trials(page) == list(range(39, 14, -1))
    assert page.locator("th[aria-sort=descending]").inner_text().startswith("trial")
    page.get_by_role("button", name="Next").click()
    assert shown_trials(page) == list(range(14, -1, -1))


@pytest.mark.slow
def test_parameters_may_be_called_as_columns_are(opened: Any) -> None:
    names = ("rank", "trial", "folds", "score", "reason")
    page = opened(
        make_record([{name: 100 * i + k for k, name in enumerate(names)} for i in (2, 1)])
    )
    cells = page.locator("tbody tr[data-trial='0'] td").all_inner_texts()
    assert set(cells[-5:]) == {"200", "201", "202", "203", "204"}
    page.locator("button[data-of=param][data-name=rank]").click()
    assert shown_trials(page) == [1, 0]


@pytest.mark.slow
def test_brushing_an_axis_filters_the_table_and_fades_the_rest(opened: Any) -> None:
    page = opened(records()["many"])
    grip = page.locator(".upright-axis[data-axis=depth] .grip")
    grip.scroll_into_view_if_needed()
    box = grip.bounding_box()
    x = box["x"] + box["width"] / 2
    # The upper half of the axis: depth runs from 1 to 9.
    page.mouse.move(x, box["y"] + 2)
    page.mouse.down()
    page.mouse.move(x, box["y"] + box["height"] * 0.47, steps=4)
    page.mouse.up()
    found = shown_trials(page)
    depths = {records()["many"].history[n].params["depth"] for n in found}
    assert depths == {6, 7, 8, 9}
    assert page.locator("figure.parallel path.off").count() >= 1
    assert page.locator("figure.history path.off").count() >= 1
    page.get_by_role("button", name="Free depth").click()
    assert page.inner_text(".count").startswith("40 of 40")


@pytest.mark.slow
def test_a_trial_chosen_in_the_table_is_ringed_in_the_charts(opened: Any) -> None:
    page = opened(records()["many"])
    page.locator("tbody button").first.click()
    assert page.locator("tr.focused").count() == 1
    assert page.locator("figure.history .ring[visibility=visible]").count() == 1
    assert page.locator("figure.parallel path.line.best").count() == 1


@pytest.mark.slow
def test_hostile_texts_stay_inert(opened: Any) -> None:
    given = [{ATTACK: ATTACK if i % 2 else "b", HOSTILE: i, "__proto__": i} for i in range(12)]
    scores: list[list[float] | str] = [[0.1 * i, 0.1] if i % 5 else ATTACK for i in range(12)]
    record = make_record(given, scores, metrics=(Metric(ATTACK),), study=ATTACK)
    page = opened(record)
    scroll_through(page)
    assert page.locator("img").count() == 0
    assert page.inner_text("h1") == ATTACK
    assert page.title().startswith("</script><img")
    assert ATTACK in page.inner_text("tr.failed >> nth=0")
    page.locator("figure.history .canvas svg").hover(position={"x": 200, "y": 100})
    assert page.locator("#tip img, #tip script").count() == 0


def settled(page: Any, expression: str, expected: Any) -> Any:
    """Value of an expression once it is as expected, or as it is after thirty seconds.

    The charts are drawn anew only when the browser has told them of their new width. The page's own
    security policy forbids Playwright's `wait_for_function`, which evaluates text in the page.
    """
    for _ in range(300):
        if page.evaluate(expression) == expected:
            break
        page.wait_for_timeout(100)
    return page.evaluate(expression)


@pytest.mark.slow
def test_it_fits_a_phone_and_thousands_of_trials_are_a_page_at_a_time(opened: Any) -> None:
    page = opened(many(1500, 4))
    # Charts that were drawn for the wide screen and are out of sight now widen nothing.
    scroll_through(page)
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_timeout(500)
    page.set_viewport_size({"width": 375, "height": 300})
    assert settled(page, "document.documentElement.scrollWidth", 375) == 375
    assert len(shown_trials(page)) == 25
    assert page.inner_text(".pager").split("\n")[0].startswith("First")
    page.fill("#filter", "parameter_0>0.998")
    assert 0 < len(shown_trials(page)) < 10


@pytest.mark.slow
def test_the_reader_chooses_light_or_dark(opened: Any) -> None:
    page = opened(make_record(points(12), space=SPACE))
    colour = "getComputedStyle(document.querySelector('.card')).backgroundColor"
    light = page.evaluate(colour)
    page.get_by_role("button", name="Light or dark").click()
    dark = page.evaluate(colour)
    assert (light, dark) == ("rgb(255, 255, 255)", "rgb(18, 22, 29)")
    page.emulate_media(media="print")
    assert page.evaluate(colour) == "rgb(255, 255, 255)"
    page.emulate_media(media="screen", color_scheme="dark")
    page.reload()
    assert page.evaluate(colour) == dark


@pytest.mark.slow
def test_the_reader_chooses_the_axes(opened: Any) -> None:
    record = records()["many"]
    page = opened(record)
    contour = page.locator("figure.contour")
    contour.scroll_into_view_if_needed()
    page.wait_for_selector("figure.contour svg")
    cells = "paths => paths.map(path => path.getAttribute('class') + path.getAttribute('d'))"
    given = contour.locator("path[class^=cell]").evaluate_all(cells)
    x, y = contour.locator("#contour-x").input_value(), contour.locator("#contour-y").input_value()
    # One parameter on both axes shows nothing: they change places.
    contour.locator("#contour-x").select_option(y)
    assert contour.locator("#contour-y").input_value() == x
    turned = contour.locator("path[class^=cell]").evaluate_all(cells)
    assert turned != given
    contour.locator("#contour-x").select_option(x)
    # What the page works out itself is what Python has drawn.
    again = contour.locator("path[class^=cell]").evaluate_all(cells)
    same = sum(a == b for a, b in zip(given, again, strict=True))
    assert same >= len(given) - 1
    contour.locator("#contour-metric").select_option("loss")
    assert "lower is better" in contour.inner_text()
    slices = page.locator("figure.slice")
    assert slices.locator("svg[role=img]").count() == 5
    slices.locator("#slice-x").select_option("depth")
    assert slices.locator("svg[role=img]").count() == 1
    slices.locator("#slice-y").select_option("rate")
    assert "rate" in slices.locator("svg[role=img]").text_content()


@pytest.mark.slow
def test_a_chosen_trial_shows_its_failure_its_folds_and_its_notes(opened: Any) -> None:
    scores: list[list[float] | str] = [[0.1, 0.2], ATTACK, [0.3, 0.4]]
    record = make_record(points(3), scores).with_notes({0: (ATTACK,)})
    page = opened(record)
    page.locator("tr[data-trial='1'] button").click()
    drawer = page.locator(".drawer")
    assert "Trial 1" in drawer.inner_text()
    assert ATTACK in drawer.inner_text()
    page.keyboard.press("Escape")
    assert not drawer.is_visible()
    page.locator("tr[data-trial='0'] button").click()
    text = drawer.inner_text()
    assert "fold 1" in text
    assert ATTACK in text.split("Notes")[1]
    # A file has nobody to whom a note could be sent.
    assert drawer.locator("textarea").count() == 0
    assert page.locator(".drawer img").count() == 0


@pytest.mark.slow
def test_scores_beyond_the_scale_are_marked(opened: Any) -> None:
    record = make_record(
        [{"x": i} for i in range(20)], [[0.8 + i / 100] for i in range(19)] + [[-9]]
    )
    page = opened(record)
    assert "beyond the scale" in page.inner_text("figure.history .legend")
    assert page.locator("figure.history .canvas path.cross").count() == 1


@pytest.mark.slow
def test_the_legend_has_the_forms_of_the_marks(opened: Any) -> None:
    scores: list[list[float] | str] = [*([0.8 + i / 100] for i in range(9)), "no memory"]
    record = make_record([{"x": i} for i in range(10)], scores, origins=["current"])
    page = opened(record)
    legend = page.locator("figure.history .legend")
    assert "current parameters (trial 0)" in legend.inner_text()
    assert legend.locator("path.line.dashed.current").count() == 1
    assert legend.locator("path.line.best").count() == 1
    # The failed trial has a row of its own below the panel, and can be chosen there.
    history = page.locator("figure.history .canvas svg")
    assert "failed" in history.locator("text.end").all_text_contents()
    assert history.locator("path.cross.failed").count() == 1
    history.scroll_into_view_if_needed()
    box = history.locator("path.cross.failed").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert page.locator("tr.focused").get_attribute("data-trial") == "9"


@pytest.mark.slow
def test_every_chart_is_drawn_although_nobody_scrolls(opened: Any) -> None:
    page = opened(records()["many"])
    # For a picture of the whole page, and on paper.
    page.wait_for_selector(".canvas:not(:has(svg))", state="detached")
    page.emulate_media(media="print")
    widths = "svgs => svgs.every(svg => svg.getBoundingClientRect().right <= innerWidth)"
    page.set_viewport_size({"width": 700, "height": 900})
    assert page.locator(".canvas svg").evaluate_all(widths)
