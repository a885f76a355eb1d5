"""Pages say nothing that does not work: commands are run, files are the examples' own."""

import ast
import re
import shutil
from importlib.util import find_spec
from pathlib import Path

import click
import pytest
from ruamel.yaml import YAML
from tests.docs.pages import DOCS, ROOT, Session, blocks, finished, first_missing

from tunesmith.cli import cli
from tunesmith.config.load import load_definition

TUTORIALS = DOCS / "tutorials"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
WITH_COMMANDS = [page for page in PAGES if "decisions" not in page.parts]


def named(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.fixture
def session(tmp_path: Path) -> Session:
    clone = tmp_path / "clone"
    shutil.copytree(ROOT / "examples", clone / "examples")
    return Session(clone)


# -- pages that are typed ------------------------------------------------------------------------


@pytest.mark.slow
def test_the_first_five_minutes(session: Session) -> None:
    session.read(DOCS / "start.md")
    assert (session.folder / "config/best_parameters.yaml").is_file()
    assert (session.folder / "outputs/tuning_results.md").is_file()


@pytest.mark.slow
def test_classification_then_recipes_then_figures(session: Session) -> None:
    session.read(TUTORIALS / "classification.md")
    assert (session.folder / "models/churn.joblib").is_file()
    finished(session)
    session.read(DOCS / "recipes.md")
    session.read(DOCS / "gallery.md")


@pytest.mark.slow
def test_forecasting(session: Session) -> None:
    session.read(TUTORIALS / "forecasting.md")
    finished(session)


@pytest.mark.slow
def test_a_script_of_lightgbm(session: Session) -> None:
    # Each run imports LightGBM anew.
    session.n_trials = 2
    session.read(TUTORIALS / "lightgbm.md")
    finished(session)


@pytest.mark.slow
@pytest.mark.parametrize("example", ["numpy_epochs", "pytorch_epochs"])
def test_a_program_with_epochs(session: Session, example: str) -> None:
    if example == "pytorch_epochs" and find_spec("torch") is None:
        pytest.skip("torch is not installed; the NumPy version is tested")
    session.read(TUTORIALS / "epochs.md", instead=("pytorch_epochs", example))
    finished(session)


@pytest.mark.slow
def test_a_pipeline_from_nothing_and_its_review(session: Session) -> None:
    session.read(TUTORIALS / "dvc.md")
    session.read(TUTORIALS / "review.md")


@pytest.mark.slow
def test_a_job_of_slurm(session: Session) -> None:
    session.read(TUTORIALS / "slurm.md")
    finished(session)


# -- what is shown on them -----------------------------------------------------------------------


def test_the_two_programs_with_epochs_have_the_same_structure() -> None:
    # The page is tested on the NumPy version, and shows the other one.
    def skeleton(name: str) -> list[str]:
        text = (ROOT / "examples" / name / "train.py").read_text()
        return re.findall(r"tunesmith\.\w+|for epoch in range\(done \+ 1|if state", text)

    assert skeleton("numpy_epochs") == skeleton("pytorch_epochs")
    studies = [
        YAML(typ="safe").load((ROOT / "examples" / name / "tuning.yaml").read_text())
        for name in ("numpy_epochs", "pytorch_epochs")
    ]
    for study in studies:
        del study["space"], study["study"], study["stop"], study["search"]["start_with"]
    assert studies[0] == studies[1]


def test_what_is_shown_of_a_file_stands_in_it() -> None:
    n_shown = 0
    for page in PAGES:
        for block in blocks(page):
            if block.key == "from":
                n_shown += 1
                text = (ROOT / block.value).read_text()
                assert block.body in text, f"{named(page)}: not in {block.value}:\n{block.body}"
    assert n_shown > 10


BASE = {
    "study": "s",
    "objective": {
        "estimator": "sklearn.svm.SVC",
        "data": {"path": "data.csv", "target": "y"},
        "metric": "roc_auc",
    },
    "space": {"max_depth": [3, 7]},
    "stop": {"trials": 9},
}


def sections() -> list[tuple[str, str]]:
    pages = [DOCS / "recipes.md", *TUTORIALS.glob("*.md")]
    return [
        (named(page), block.body)
        for page in pages
        for block in blocks(page)
        # A part of a section is shown from its file, which is run.
        if block.language == "yaml" and not block.body.startswith(" ")
    ]


@pytest.mark.parametrize(("page", "text"), sections())
def test_sections_of_yaml_are_valid(tmp_path: Path, page: str, text: str) -> None:
    shown = YAML(typ="safe").load(text)
    # Names of parameters stand for those of the reader's estimator or program.
    (tmp_path / "config").mkdir()
    (tmp_path / "config/parameters.json").write_text('{"C": [1.0, 2.0]}')
    if {"command", "params_file"} & set(shown.get("objective", {})):
        shown.setdefault("space", {"x": {"float": [0.0, 1.0]}})
    if "budget" in shown:
        program = {"command": ["python", "train.py"], "progress_file": "p.jsonl"}
        shown["objective"] = {**program, "metric": {"name": "loss", "direction": "minimize"}}
    with (tmp_path / "tuning.yaml").open("w") as file:
        YAML(typ="safe").dump({**BASE, **shown}, file)
    load_definition(tmp_path / "tuning.yaml")


def test_blocks_of_python_are_python() -> None:
    for page in WITH_COMMANDS:
        for block in blocks(page):
            if block.language == "python" and not block.body.startswith((" ", ">>>")):
                ast.parse(block.body, filename=named(page))


# -- commands, wherever they are named -----------------------------------------------------------

INLINE = re.compile(r"(?<!`)`((?:[A-Z_]+=\S+ )*tunesmith [^`]+)`(?!`)")


def typed(page: Path) -> list[str]:
    """Every command line of Tunesmith that a page names, in a sentence or in a block."""
    text = page.read_text()
    found = INLINE.findall(re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL))
    for block in blocks(page):
        # In a console, other lines are what a command prints.
        typed = re.findall(r"^\$ (.*)", block.body, re.MULTILINE)
        lines = typed if block.language == "console" else block.body.splitlines()
        if block.language in ("console", "bash", "zsh", "fish"):
            found += [m[0] for line in lines if (m := re.search(r"\btunesmith [a-z-]+.*", line))]
    return found


@pytest.mark.parametrize("page", WITH_COMMANDS, ids=named)
def test_commands_and_options_exist(page: Path) -> None:
    for line in typed(page):
        problem = unknown(line)
        assert problem is None, f"{named(page)}: `{line}`: {problem}"


def unknown(line: str) -> str | None:
    """The first word of a command line that Tunesmith does not know."""
    words = re.split(r"\s+", re.split(r"&&|\|\||[|;>)#]", line)[0].strip())
    words = words[words.index("tunesmith") + 1 :]
    context = click.Context(cli, info_name="tunesmith")
    command: click.Command = cli
    for position, word in enumerate(words):
        if not isinstance(command, click.Group):
            break
        if not re.fullmatch(r"[a-z][a-z-]*", word):
            continue
        below = command.get_command(context, word)
        if below is None:
            return f"there is no command `{' '.join(words[: position + 1])}`"
        command = below
    options = {o for p in command.get_params(context) for o in (*p.opts, *p.secondary_opts)}
    return next(
        (
            f"there is no option {word}"
            for word in (w.partition("=")[0].strip("`',.\"") for w in words)
            if re.fullmatch(r"--?[a-z][a-z-]*", word) and word not in options
        ),
        None,
    )


def test_the_comparison_can_fail() -> None:
    assert first_missing(["a 1", "b"], "a 2.5\nx\nb\n") is None
    assert first_missing(["b", "a 1"], "a 2.5\nb\n") == "a 1"
    assert unknown("tunesmith rum") is not None
    assert unknown("tunesmith run --worker 3") == "there is no option --worker"
    assert unknown("tunesmith ci init github && x --y") is None
