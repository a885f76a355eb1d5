"""Values reach the program, or the study does not start: every port, and what people slip on."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tunesmith.config.load import load_definition
from tunesmith.errors import ConfigError, UsageError
from tunesmith.objective.program.build import build_program

SPACE = {"lr": [0.1, 0.2], "depth": {"int": [1, 9]}}
PRINTS = 'import sys\nprint("loss: 1", sys.argv)\n'
ARGS = ["--lr={lr}", "--depth={depth}"]


USUAL = (
    "results depend",
    "not seen, and not counted",
    "runs work in",
    "left out of runs",
    "runs are",
)
"""How notes begin that are not about values."""


def notes(
    root: Path,
    files: Mapping[str, str],
    objective: Mapping[str, Any],
    space: Any = None,
    **more: Any,
) -> list[str]:
    """What is noted about a project, but for what results depend on.

    Raises:
        ConfigError: the study does not start.
    """
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    whole = {
        "study": "s",
        "objective": {
            "metric": {"name": "loss", "direction": "minimize"},
            "metrics_pattern": r"loss: (\S+)",
            **objective,
        },
        "space": SPACE if space is None else space,
        "stop": {"trials": 3},
        **more,
    }
    (root / "tuning.yaml").write_text(yaml.safe_dump(whole, sort_keys=False))
    definition = load_definition(root / "tuning.yaml")
    found = build_program(definition, n_workers=1, restored={}).notes
    return [note for note in found if not note.startswith(USUAL)]


def refused(root: Path, files: Mapping[str, str], objective: Mapping[str, Any], **more: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        notes(root, files, objective, **more)
    return str(caught.value)


PYTHON = {"command": ["python", "train.py"]}
SHELL = {"command": ["sh", "run.sh"]}
CARRIED: dict[str, tuple[dict[str, str], dict[str, Any]]] = {
    "arguments": ({"train.py": PRINTS}, {"command": ["python", "train.py", *ARGS]}),
    "file of all": ({"train.py": PRINTS}, {"command": ["python", "train.py", "{params}"]}),
    "hydra": ({"train.py": PRINTS}, {**PYTHON, "overrides": "hydra"}),
    "read by itself": ({"train.py": "lr, depth = os.environ['TUNESMITH_PARAMS']\n"}, PYTHON),
    "helper": ({"train.py": "import tunesmith\np = tunesmith.params()\np.lr, p.depth\n"}, PYTHON),
    "imported": (
        {"train.py": "from pkg.a import b\n", "pkg/a/b.py": "# TUNESMITH_PARAMS lr depth\n"},
        PYTHON,
    ),
    "relative": (
        {"pkg/__main__.py": "from . import b\n", "pkg/b.py": "# TUNESMITH_PARAMS lr depth\n"},
        {"command": ["python", "-m", "pkg"]},
    ),
    "src": (
        {"src/pkg/go.py": "# TUNESMITH_PARAMS lr depth\n"},
        {"command": ["python", "-m", "pkg.go"]},
    ),
    "through sh": (
        {"run.sh": "python -u train.py\n", "train.py": "TUNESMITH_PARAMS lr depth\n"},
        SHELL,
    ),
    "through sh -m": (
        {"run.sh": "exec python -m pkg\n", "pkg/__main__.py": "'TUNESMITH_PARAMS lr depth'\n"},
        SHELL,
    ),
    "through make": (
        {"Makefile": "train:\n\tRscript ml/train.R\n", "ml/train.R": "TUNESMITH_PARAMS lr depth\n"},
        {"command": ["make", "train"]},
    ),
    "within the command": (
        {},
        {"command": ["sh", "-c", "cat $TUNESMITH_PARAMS # lr depth"]},
    ),
    "imported by the command": (
        {"train.py": "TUNESMITH_PARAMS lr depth\n"},
        {"command": ["python", "-c", "import train"]},
    ),
    "started by the command": (
        {"pkg/__main__.py": "TUNESMITH_PARAMS lr depth\n"},
        {"command": ["sh", "-c", "exec python -m pkg"]},
    ),
    "yaml": (
        {"train.py": "open('conf/p.yaml')\n", "conf/p.yaml": "a: {lr: 1, depth: 2}\n"},
        {**PYTHON, "params_file": {"path": "conf/p.yaml", "at": "a"}},
    ),
    "ini with defaults": (
        {"train.py": "open('p.ini')\n", "p.ini": "[DEFAULT]\nLR = 1\n[a]\ndepth = 2\n"},
        {**PYTHON, "params_file": {"path": "p.ini", "at": "a"}},
    ),
    "made anew": (
        {"train.py": "open('p.json')\n"},
        {**PYTHON, "params_file": "p.json"},
    ),
    "made and handed over": (
        {"train.py": PRINTS},
        {"command": ["python", "train.py", "{params}"], "params_file": "p.json"},
    ),
    "module": (
        {"train.py": "import settings\n", "settings.py": "LR = 1\nclass C:\n    depth = 2\n"},
        {
            **PYTHON,
            "params_file": {"path": "settings.py", "names": {"lr": "LR", "depth": "C.depth"}},
        },
    ),
    "half and half": (
        {"train.py": "open('p.yaml'), sys.argv\n", "p.yaml": "lr: 1\n"},
        {"command": ["python", "train.py", "--depth={depth}"], "params_file": "p.yaml"},
    ),
    "hydra's own": (
        {"train.py": "@hydra.main(config_name='base')\n", "conf/base.yaml": "lr: 1\ndepth: 2\n"},
        {**PYTHON, "params_file": "conf/base.yaml"},
    ),
}


@pytest.mark.parametrize("case", CARRIED)
def test_every_way_is_known(tmp_path: Path, case: str) -> None:
    assert notes(tmp_path, *CARRIED[case]) == []


NOWHERE = "does not reach the program"
REFUSED: dict[str, tuple[dict[str, str], dict[str, Any], list[str]]] = {
    "nothing carries them": (
        {"train.py": PRINTS},
        PYTHON,
        [
            f"tuning.yaml:11:3: space.lr: `lr` {NOWHERE}: the command holds no `{{lr}}`, ",
            " and TUNESMITH_PARAMS is read nowhere in train.py.\n  Name the file that",
            f"tuning.yaml:14:3: space.depth: `depth` {NOWHERE}",
        ],
    ),
    "one of them": (
        {"train.py": PRINTS},
        {"command": ["python", "train.py", "--lr={lr}"]},
        [f"space.depth: `depth` {NOWHERE}"],
    ),
    "through a shell": (
        {"run.sh": "python train.py\n", "train.py": "import lib\n", "lib.py": ""},
        SHELL,
        ["read nowhere in run.sh, train.py, lib.py."],
    ),
    "of make": (
        {"Makefile": "train:\n\tpython train.py\n", "train.py": PRINTS},
        {"command": ["make", "train"]},
        ["read nowhere in Makefile, train.py."],
    ),
    "within the command": ({}, {"command": ["sh", "-c", "echo loss: 1"]}, [f"`lr` {NOWHERE}"]),
    "a slip in a key": (
        {"train.py": "open('p.yaml')\n", "p.yaml": "lrr: 1\ndepth: 2\n"},
        {**PYTHON, "params_file": "p.yaml"},
        [f"space.lr: `lr` {NOWHERE}: p.yaml has no `lr`.\n  Did you mean `lrr`?"],
    ),
    "a key in a section": (
        {"train.py": "open('p.yaml')\n", "p.yaml": "train: {lr: 1}\ndepth: 2\n"},
        {**PYTHON, "params_file": "p.yaml"},
        ["Did you mean `train.lr`? Write `names: {lr: train.lr}` there."],
    ),
    "a slip in at": (
        {"train.py": "open('p.yaml')\n", "p.yaml": "train: {lr: 1, depth: 2}\n"},
        {**PYTHON, "params_file": {"path": "p.yaml", "at": "trian"}},
        ["p.yaml has no `trian.lr`", "p.yaml has no `trian.depth`"],
    ),
    "a slip in names": (
        {"train.py": "open('p.yaml')\n", "p.yaml": "rate: 1\ndepth: 2\n"},
        {**PYTHON, "params_file": {"path": "p.yaml", "names": {"lrr": "rate"}}},
        ["params_file.names.lrr: no parameter is named `lrr`.", "p.yaml has no `lr`"],
    ),
    "one place for two": (
        {"train.py": "open('p.yaml')\n", "p.yaml": "rate: 1\ndepth: 2\n"},
        {**PYTHON, "params_file": {"path": "p.yaml", "names": {"lr": "rate", "depth": "rate"}}},
        ["`lr` and `depth` have one place in p.yaml."],
    ),
    "a file that nothing reads": (
        {"train.py": "open('conf/q.yaml')\n"},
        {**PYTHON, "params_file": "p.yaml"},
        ["nor is p.yaml, which is not there."],
    ),
    "the name of a variable": (
        {"train.py": PRINTS},
        {**PYTHON, "environment": {"set": {"LR": "{lr}", "DEPTH": "{depth}"}}},
        [
            "objective.environment.set.LR: `{lr}` is not replaced here.\n  Begin `command`",
            ' `env, "LR={lr}"`.',
        ],
    ),
    "no constant": (
        {"train.py": "import settings\n", "settings.py": "lr = float('1')\ndepth = 1\ndepth = 2\n"},
        {**PYTHON, "params_file": "settings.py"},
        [
            f"`lr` {NOWHERE}: settings.py: `lr` is the result of a call (line 1), no literal",
            f"`depth` {NOWHERE}: settings.py: `depth` is set more than once (lines 2, 3).",
        ],
    ),
    "a slip in a module": (
        {"train.py": "import settings\n", "settings.py": "lrr = 1\ndepth = 1\n"},
        {**PYTHON, "params_file": "settings.py"},
        ["settings.py has no `lr`.\n  Did you mean `lrr`?"],
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_never_arrives_is_refused(tmp_path: Path, case: str) -> None:
    files, objective, words = REFUSED[case]
    text = refused(tmp_path, files, objective)
    for expected in words:
        assert expected in text, text


def test_fixed_parameters_and_budgets_have_to_arrive_too(tmp_path: Path) -> None:
    objective = {"command": ["python", "train.py", *ARGS], "params": {"batch": 3}}
    text = refused(
        tmp_path, {"train.py": PRINTS}, objective, budget={"parameter": "epochs", "max": 9}
    )
    assert f"objective.params.batch: `batch` {NOWHERE}" in text
    assert f"budget.parameter: `epochs` {NOWHERE}" in text


@pytest.mark.parametrize(
    "space",
    [
        [{"lr": [1, 2]}, {"lr": [3], "depth": [1]}],
        {"parameters": {"lr": [1, 2]}, "constraints": ["lr > 0"]},
        {"parameters": [{"lr": [1, 2]}], "constraints": ["lr > 0"]},
    ],
)
def test_every_form_of_a_space_has_places(tmp_path: Path, space: Any) -> None:
    text = refused(tmp_path, {"train.py": PRINTS}, PYTHON, space=space)
    lines = (tmp_path / "tuning.yaml").read_text().splitlines()
    place, _, rest = text.partition(": space.lr: `lr` ")
    assert rest.startswith(NOWHERE)
    _, line, column = place.rsplit(":", 2)
    assert lines[int(line) - 1][int(column) - 1 :].startswith("lr")


def test_a_space_in_a_file_of_its_own_is_pointed_into(tmp_path: Path) -> None:
    files = {"train.py": PRINTS, "space.json": '{\n "lr": [1, 2]\n}\n'}
    text = refused(tmp_path, files, PYTHON, space="space.json")
    assert "space.json:2:2: space.lr: `lr` does not reach the program" in text


SUGGESTED: dict[str, tuple[dict[str, str], str]] = {
    "a constant": (
        {"train.py": "import sys\n\nlr = 0.1\n"},
        "train.py:3 sets `lr`, a constant: write `params_file: train.py`.",
    ),
    "in capitals": (
        {"train.py": "LR = 0.1\n"},
        "train.py:1 sets `LR`, a constant: write `params_file: {path: train.py, names: {lr: LR}}`.",
    ),
    "in a module": (
        {"train.py": "from pkg import conf\n", "pkg/conf.py": "class C:\n    lr: float = 0.1\n"},
        "pkg/conf.py:2 sets `C.lr`, a constant: write `params_file: {path: pkg/conf.py, names",
    ),
    "an option": (
        {"train.py": "parser.add_argument('--lr', type=float)\nlr = 0.1\n"},
        'train.py takes `--lr`: write `"--lr={lr}"` in `command`.',
    ),
    "a key": (
        {"train.py": "open('conf/my.toml')\n", "conf/my.toml": "[a]\nlr = 1\n"},
        "conf/my.toml has a key `a.lr`: write `params_file: {path: conf/my.toml, names: {lr: a",
    ),
    "a variable": (
        {"train.py": "os.environ.get('LR', 1)\n"},
        'train.py reads `LR` from the environment: begin `command` with `env, "LR={lr}"`.',
    ),
}


@pytest.mark.parametrize("case", SUGGESTED)
def test_the_likely_way_is_named(tmp_path: Path, case: str) -> None:
    files, words = SUGGESTED[case]
    assert f"\n  {words}" in refused(tmp_path, files, PYTHON, space={"lr": [0.1, 0.2]})


@pytest.mark.parametrize(
    ("files", "objective", "words"),
    [
        ({}, {"command": ["true", "train"]}, "whether lr, depth reach the program cannot be seen"),
        (
            {"train.py": "import tunesmith as t\np = t.params({'rate': 1, 'depth': 2})\n"},
            PYTHON,
            "train.py reads TUNESMITH_PARAMS, but nothing in the program is named lr:",
        ),
        (
            {"train.py": "open('q.yaml')\n", "p.yaml": "lr: 1\ndepth: 2\n"},
            {**PYTHON, "params_file": "p.yaml"},
            "nothing in the program names p.yaml: if it reads another file",
        ),
        (
            {"train.py": "print('loss: 1')\n"},
            {"command": ["python", "train.py", *ARGS]},
            "nothing in train.py looks at its arguments, such as `--lr={lr}`",
        ),
        (
            {"run.sh": "echo loss: 1\n"},
            {"command": ["sh", "run.sh", *ARGS]},
            "nothing in run.sh looks at its arguments, such as `--lr={lr}`",
        ),
        (
            {"train.py": "p.add_argument('--lr')\np.parse_known_args()\n"},
            {"command": ["python", "train.py", *ARGS]},
            "train.py leaves unknown arguments alone, and knows no `--depth`",
        ),
        (
            {"train.py": "print('loss: 1')\n"},
            {**PYTHON, "overrides": "hydra"},
            "`overrides: hydra` is given, but nothing in train.py speaks of Hydra",
        ),
        (
            {"train.py": "load_dotenv()\n", ".env": "lr=1\nDEPTH=2\n"},
            {
                **PYTHON,
                "params_file": {"path": ".env", "names": {"depth": "DEPTH"}},
                "environment": {"set": {"DEPTH": "3"}},
            },
            "DEPTH is set in objective.environment.set, too: libraries such as python-dotenv",
        ),
    ],
)
def test_what_cannot_be_told_is_noted(
    tmp_path: Path, files: dict[str, str], objective: dict[str, Any], words: str
) -> None:
    assert any(note.startswith(words) for note in notes(tmp_path, files, objective))


def test_taking_the_winner_over_into_the_file_changes_no_key(tmp_path: Path) -> None:
    def context(text: str) -> Mapping[str, str]:
        (tmp_path / "settings.py").write_text(text)
        definition = load_definition(tmp_path / "tuning.yaml")
        return build_program(definition, n_workers=1, restored={}).context

    files = {"train.py": "import settings\n", "settings.py": "lr = 1\ndepth = 2\nother = 3\n"}
    notes(tmp_path, files, {**PYTHON, "params_file": "settings.py"})
    before = context(files["settings.py"])
    assert context("lr = 0.2\ndepth = 5\nother = 3\n") == before
    assert context("lr = 1\ndepth = 2\nother = 4\n") != before
    assert context("lr = 1\ndepth = 2\nother = 3  # why\n") != before


@pytest.mark.parametrize("place", range(7))
def test_every_choice_is_looked_at_before_the_first_run(tmp_path: Path, place: int) -> None:
    words: list[Any] = [f"w{n}" for n in range(7)]
    words[place] = "50% off"
    ini = {"train.py": "import configparser\nopen('own.ini')\n", "own.ini": "[a]\nword = w0\n"}
    by_file = {"command": ["python", "train.py"], "params_file": {"path": "own.ini", "at": "a"}}
    with pytest.raises(UsageError, match="takes % for a reference"):
        notes(tmp_path, ini, by_file, {"word": words})
    words[place] = {"an odd key": 1}
    by_hydra = {"command": ["python", "train.py"], "overrides": "hydra"}
    # A condition does not hide it either.
    space = {"on": [True, False], "word": {"values": words, "when": {"on": False}}}
    with pytest.raises(UsageError, match="cannot name `an odd key`"):
        notes(tmp_path, ini, by_hydra, space)


OVERRIDDEN = {
    "by its module": "import settings\nsettings.LR = 3\n",
    "by another name": "from pkg import settings as s\nif x:\n    s.LR += 1\n",
    "by setattr": "import pkg.settings\nsetattr(pkg.settings, name, 3)\n",
    "a part": "from settings import M\nM['depth'] = 3\n",
    "a method": "from .settings import M as m\nm.update(depth=3)\n",
}


@pytest.mark.parametrize("case", OVERRIDDEN)
def test_a_constant_that_another_file_sets_is_noted(tmp_path: Path, case: str) -> None:
    module = "LR = 1\nM = {'depth': 2, 'other': 3}\n"
    places = {"path": "settings.py", "names": {"lr": "LR", "depth": "M.depth"}}
    files = {"train.py": OVERRIDDEN[case], "settings.py": module, "pkg/__init__.py": ""}
    said = notes(tmp_path, files, {**PYTHON, "params_file": places})
    (note, *more) = [note for note in said if "of settings.py, too" in note]
    assert note.startswith("train.py:")
    assert len(more) == (case == "by setattr")
    own = "import settings\nLR = settings.LR\nsettings.M['other'] = M = 1\n"
    own += "from settings import LR\nLR = 2\n"
    assert notes(tmp_path, {"train.py": own}, {**PYTHON, "params_file": places}) == []


@pytest.mark.parametrize(
    ("declared", "word"),
    [
        ("action='store_true', help='so (or not)'", "takes no value"),
        ("default=str(len(x)), type=bool", "takes each text for true"),
    ],
)
def test_options_that_take_no_words_for_true_are_noted(
    tmp_path: Path, declared: str, word: str
) -> None:
    script = f"import argparse\np.add_argument('--aug', {declared})\np.add_argument('--b')\n"
    command = ["python", "train.py", "--aug={aug}", "--b={b}"]
    space = {"aug": [True, False], "b": [1, 2]}
    (note,) = notes(tmp_path, {"train.py": script}, {"command": command}, space)
    assert note.startswith("`--aug` of train.py")
    assert word in note
