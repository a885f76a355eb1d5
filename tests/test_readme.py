"""The README claims nothing that does not work."""

import re
from pathlib import Path

import click
import pytest
from ruamel.yaml import YAML

from tunesmith import load_definition
from tunesmith.cli import cli
from tunesmith.errors import ConfigError

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def blocks(language: str, document: str = README) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", document, re.MULTILINE | re.DOTALL)


def test_the_configuration_is_valid(tmp_path: Path) -> None:
    text, _ = blocks("yaml")
    (tmp_path / "tuning.yaml").write_text(text)
    definition = load_definition(tmp_path / "tuning.yaml")
    assert definition.file.study == "churn"
    assert set(definition.space.names) == set(YAML(typ="safe").load(text)["space"])


def test_what_is_shown_of_programs_is_valid(tmp_path: Path) -> None:
    page = (ROOT / "docs/programs.md").read_text()
    whole, module, budget = blocks("yaml", page)
    assert "path: train.py" in module
    part = "study: s\nspace: {lr: {float: [0.0, 1.0]}}\nstop: {trials: 9}\n" + blocks("yaml")[1]
    for number, text in enumerate((whole, whole + budget, part)):
        path = tmp_path / f"{number}.yaml"
        path.write_text(text)
        assert load_definition(path).file.objective.command == ("python", "train.py")


def test_the_error_reads_as_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (text,) = blocks("text")
    monkeypatch.chdir(tmp_path)
    good = [
        "study: s",
        "objective: {estimator: a.B, data: {path: d.csv, target: y}, metric: r2}",
        "stop: {trials: 3}",
    ]
    lines = [*good, *["# more"] * 9, "space:", "  learning_rate: {float: [0.0, 0.1], log: true}"]
    Path("tuning.yaml").write_text("\n".join(lines) + "\n")
    with pytest.raises(ConfigError) as caught:
        load_definition(Path("tuning.yaml"))
    shown = re.sub(r":14:\d+:", ":14:9:", str(caught.value))
    assert shown.split("\n")[0] == text.split("\n")[0]
    assert str(caught.value).split("\n")[1] == text.split("\n")[1]


def test_every_command_exists() -> None:
    context = click.Context(cli)
    named = set(re.findall(r"`tunesmith ([\w-]+)|^\$ tunesmith ([\w-]+)", README, re.MULTILINE))
    for name in {a or b for a, b in named}:
        assert cli.get_command(context, name) is not None, name


def test_every_link_leads_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).exists(), target
