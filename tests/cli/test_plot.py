"""``plot`` and ``report --html``."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from tests.cli.conftest import Run


def test_a_drawing_goes_to_stdout_or_a_file(finished: Path, tunesmith: Run) -> None:
    printed = tunesmith("plot", "history")
    assert printed.returncode == 0
    assert ElementTree.fromstring(printed.stdout).tag.endswith("svg")  # noqa: S314 - our own
    written = tunesmith("plot", "history", "-o", "figures/history.svg")
    assert written.stdout == ""
    assert "history drawn into figures/history.svg" in written.stderr
    assert (finished / "figures/history.svg").read_text() == printed.stdout


def test_png_is_made_where_its_extra_is_installed(finished: Path, tunesmith: Run) -> None:
    pytest.importorskip("resvg_py")
    assert tunesmith("plot", "slice", "-o", "slice.png").returncode == 0
    assert (finished / "slice.png").read_bytes().startswith(b"\x89PNG")


def test_data_are_printed_as_json(finished: Path, tunesmith: Run) -> None:
    done = tunesmith("plot", "slice", "--param", "max_depth", "--json")
    content = json.loads(done.stdout)
    assert (content["kind"], content["figure"]) == ("plot", "slice")
    assert [one["column"]["name"] for one in content["data"]["slices"]] == ["max_depth"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["histroy"], "Did you mean `history`?"),
        (["history", "-o", "x.pdf"], "End it in .svg or .png."),
        (["history", "--metric", "acuracy"], "Did you mean `accuracy`?"),
        (["slice", "--param", "depth"], "no parameter `depth`."),
    ],
)
def test_errors_help(finished: Path, tunesmith: Run, arguments: list[str], said: str) -> None:
    done = tunesmith("plot", *arguments)
    assert done.returncode == 2
    assert said in done.stderr


def test_every_kind_has_json_even_of_sets(finished: Path, tunesmith: Run) -> None:
    for kind in ("pareto", "folds", "timeline", "race", "contour"):
        assert json.loads(tunesmith("plot", kind, "--json").stdout)["figure"] == kind


def test_the_html_report_is_written_where_it_is_named(finished: Path, tunesmith: Run) -> None:
    done = tunesmith("report", "--html", "out/report.html")
    assert "written    out/report.html" in done.stdout
    assert (finished / "out/report.html").read_text().startswith("<!doctype html>")


def test_the_configuration_can_name_it(project: Path, tunesmith: Run) -> None:
    config = project / "tuning.yaml"
    config.write_text(config.read_text() + "outputs: {html: outputs/tuning_report.html}\n")
    assert tunesmith("run", "--workers", "1", "-q").returncode == 0
    page = project / "outputs/tuning_report.html"
    assert page.read_text().startswith("<!doctype html>")
    assert "unchanged  outputs/tuning_report.html" in tunesmith("report").stdout


def test_help_lists_figures_of_installed_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    from click.testing import CliRunner

    from tunesmith import registry
    from tunesmith.cli.plot import command

    monkeypatch.setattr(registry, "outside", lambda group: {"ours": "a.b:KIND", "pareto": "a.c:K"})
    shown = " ".join(CliRunner().invoke(command, ["--help"]).output.split())
    assert "timeline, ours." in shown
    assert shown.count("pareto") == 1
