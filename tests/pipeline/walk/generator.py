"""Small repositories that differ as strangers' do, by where and how their stages are written.

A program finds the best depth, which stands in its data; a training program writes down the depth
that it took. All of it is drawn from a seed.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import yaml

FLAGS = {"cache": False, "persist": True}
BEST = "config/best_parameters.yaml"
FIT = """\
import csv
import os
import sys

if "FITS_LOG" in os.environ:
    open(os.environ["FITS_LOG"], "a").write(f"{sys.argv[1]} ")
goal = float(next(csv.reader(open("data.csv")))[0])
print(f"score={-abs(float(sys.argv[1]) - goal)}")
"""
TRAIN = """\
import json
import pathlib
import re

text = pathlib.Path("config/best_parameters.yaml").read_text()
depth = int(re.search(r"depth: (\\d+)", text)[1])
pathlib.Path("outputs").mkdir(exist_ok=True)
pathlib.Path("outputs/training_metrics.json").write_text(json.dumps({"depth": depth}))
"""
CALLS = (
    "tunesmith run{c}",
    "python -m tunesmith run -q{c}",
    "env TUNED_BY=team tunesmith run{long}",
    ["echo tuning", "tunesmith run{c}"],
    "echo 'now: tune'\ntunesmith run{c}  # all of it\n",
    "sh -c 'tunesmith run{c}'",
    "echo tuning; tunesmith run --quiet{c} 2>&1 | tail -n 3 # all",
)


def study(name: str) -> str:
    content = {
        "study": name,
        "objective": {
            "command": ["python", "fit.py", "{depth}"],
            "metrics_pattern": "score=(.*)",
            "metric": {"name": "score", "direction": "maximize"},
        },
        "space": {"depth": [1, 2, 3]},
        "search": {"method": "grid"},
        "execution": {"workers": 1},
    }
    return str(yaml.safe_dump(content, sort_keys=False))


@dataclass(frozen=True)
class Made:
    """A repository to be."""

    kind: str
    coupling: str
    files: dict[str, str]
    folder: str
    """The project that is walked through; there may be others beside it."""
    pipeline: str
    """The folder of its ``dvc.yaml``."""
    config: str
    """The configuration, relative to the project folder."""
    tuning: str
    """Stages as DVC names them."""
    training: str

    def __str__(self) -> str:
        return f"{self.kind}-{self.coupling}"


@dataclass(frozen=True)
class Draw:
    """Choices that a kind of repository leaves open."""

    rng: random.Random
    coupling: str

    def command(self, config: str = "") -> Any:
        """A way to call the study; an empty name of its configuration is the usual one."""
        found = self.rng.choice(CALLS)
        words = {"c": f" -c {config}" if config else "", "long": config and f" --config={config}"}
        if isinstance(found, str):
            return found.format(**words)
        return [line.format(**words) for line in found]

    def tuning(self, config: str = "", at: str = "", best: str = BEST) -> dict[str, Any]:
        """A stage as somebody wrote it before Tunesmith's own command was known to them."""
        outs: list[Any] = [{best: dict(FLAGS)}] if self.coupling == "tight" else []
        stage = {"desc": "looks for the best depth", "cmd": self.command(config)}
        stage |= {"deps": [f"{at}fit.py"], "outs": outs}
        if self.rng.random() < 0.5:
            stage["meta"] = {"owner": "team ${not a template}".replace("${", "{")}
        return stage if outs else {k: v for k, v in stage.items() if k != "outs"}

    def training(self, at: str = "") -> dict[str, Any]:
        run = f"cd {at} && python train.py" if at else "python train.py"
        return {
            "cmd": run,
            "deps": [f"{at}train.py", f"{at}data.csv"],
            "params": [{f"{at}{BEST}": ["params"]}],
            "metrics": [{f"{at}outputs/training_metrics.json": {"cache": False}}],
        }


def project(at: str = "", name: str = "small", config: str = "tuning.yaml") -> dict[str, str]:
    files = {"fit.py": FIT, "train.py": TRAIN, "data.csv": "9\n", config: study(name)}
    return {f"{at}{path}": text for path, text in files.items()}


def _text(stages: dict[str, Any], **more: Any) -> str:
    return str(yaml.safe_dump({**more, "stages": stages}, sort_keys=False))


def from_nothing(draw: Draw) -> Made:
    files = project()
    return Made("from-nothing", draw.coupling, files, "", "", "tuning.yaml", "tuning", "training")


def with_vars(draw: Draw) -> Made:
    """The case of the issue: the best parameters by a variable."""
    tune = draw.tuning("${config}", best="${best}")
    stages = {"tune": tune, "train": draw.training()}
    text = _text(stages, vars=[{"best": BEST}, {"config": "config/tuning.yaml"}])
    files = {**project(config="config/tuning.yaml"), "dvc.yaml": text}
    return Made("vars", draw.coupling, files, "", "", "config/tuning.yaml", "tune", "train")


def with_params_file(draw: Draw) -> Made:
    tune = draw.tuning("${tune.config}", best="${tune.best}")
    stages = {"tune": tune, "train": draw.training()}
    params = yaml.safe_dump({"tune": {"config": "studies/depth.yaml", "best": BEST}})
    files = {**project(config="studies/depth.yaml"), "params.yaml": params}
    files["dvc.yaml"] = _text(stages)
    return Made("params", draw.coupling, files, "", "", "studies/depth.yaml", "tune", "train")


def with_wdirs(draw: Draw) -> Made:
    """The other case of the issue: two studies, each called in its folder."""
    stages = {}
    for name in ("a", "b"):
        stages[f"tune_{name}"] = {"wdir": name, **draw.tuning()}
        stages[f"train_{name}"] = {"wdir": name, **draw.training()}
    files = {**project("a/", "of_a"), **project("b/", "of_b"), "dvc.yaml": _text(stages)}
    folder = draw.rng.choice("ab")
    names = f"tune_{folder}", f"train_{folder}"
    return Made("wdirs", draw.coupling, files, folder, "", "tuning.yaml", *names)


def with_foreach(draw: Draw) -> Made:
    items = [{"at": "models/a", "config": "tuning.yaml"}, {"at": "models/b", "config": "own.yaml"}]
    stages = {
        "tune": {"foreach": items, "do": {"wdir": "${item.at}", **draw.tuning("${item.config}")}},
        "train": {"foreach": ["a", "b"], "do": {"wdir": "models/${item}", **draw.training()}},
    }
    files = project("models/a/", "of_a") | project("models/b/", "of_b", "own.yaml")
    files["dvc.yaml"] = _text(stages)
    place, name, config = draw.rng.choice([("0", "a", "tuning.yaml"), ("1", "b", "own.yaml")])
    folder = f"models/{name}"
    return Made(
        "foreach", draw.coupling, files, folder, "", config, f"tune@{place}", f"train@{name}"
    )


def with_matrix(draw: Draw) -> Made:
    matrix = {"model": ["a", "b"]}
    stages = {
        "tune": {"matrix": matrix, "wdir": "${item.model}", **draw.tuning("tuning.yaml")},
        "train": {"matrix": matrix, "wdir": "${item.model}", **draw.training()},
    }
    files = {**project("a/", "of_a"), **project("b/", "of_b"), "dvc.yaml": _text(stages)}
    name = draw.rng.choice("ab")
    return Made(
        "matrix", draw.coupling, files, name, "", "tuning.yaml", f"tune@{name}", f"train@{name}"
    )


def aside(draw: Draw) -> Made:
    """``dvc.yaml`` in a folder of pipelines, its stages called at the top."""
    stages = {"tune": {"wdir": "..", **draw.tuning()}, "train": {"wdir": "..", **draw.training()}}
    files = {**project(), "pipelines/dvc.yaml": _text(stages)}
    return Made("aside", draw.coupling, files, "", "pipelines", "tuning.yaml", "tune", "train")


def above(draw: Draw) -> Made:
    """One ``dvc.yaml`` at the top for projects in folders, named by their paths."""
    at = "models/churn/"
    tune = draw.tuning(f"{at}tuning.yaml", at, f"{at}{BEST}")
    files = {**project(at), "dvc.yaml": _text({"tune": tune, "train": draw.training(at)})}
    return Made("above", draw.coupling, files, "models/churn", "", "tuning.yaml", "tune", "train")


def below(draw: Draw) -> Made:
    """Every project with its own ``dvc.yaml``."""
    files: dict[str, str] = {}
    for name in ("a", "b"):
        text = _text({"tune": draw.tuning(), "train": draw.training()})
        files |= {**project(f"{name}/", f"of_{name}"), f"{name}/dvc.yaml": text}
    return Made("below", draw.coupling, files, "b", "b", "tuning.yaml", "tune", "train")


KINDS: tuple[Callable[[Draw], Made], ...] = (
    with_vars,
    with_wdirs,
    with_foreach,
    with_matrix,
    aside,
    above,
    below,
    with_params_file,
    from_nothing,
)


def made(seed: int) -> Made:
    """The repository of a seed: every kind comes in turn, in either mode."""
    rng = random.Random(seed)
    kind = KINDS[seed % len(KINDS)]
    coupling = ("tight", "loose")[(seed + seed // len(KINDS)) % 2]
    return kind(Draw(rng, coupling))
