"""Spaces that are drawn at random come back with their bounds, steps and scales."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith.errors import ConfigError, UsageError
from tunesmith.importers.convert import choose, convert, find, label
from tunesmith.importers.source import Source

floats = st.floats(0.001, 1000, allow_nan=False).map(lambda x: float(f"{x:.4g}"))
bounds = st.tuples(floats, floats).filter(lambda b: b[0] != b[1]).map(sorted)
numbers = st.tuples(st.integers(1, 50), st.integers(51, 500))
words = st.lists(st.sampled_from(["a", "b c", "1", "no", "é"]), min_size=2, unique=True)
kinds: dict[str, st.SearchStrategy[Any]] = {
    "uniform": bounds,
    "log": bounds,
    "whole": numbers,
    "steps": st.tuples(numbers, st.integers(2, 9)),
    "choice": words | st.lists(st.integers(-5, 5), min_size=2, unique=True),
}
spaces = st.dictionaries(
    st.sampled_from([f"p{i}" for i in range(6)]),
    st.one_of(*(s.map(lambda v, k=k: (k, v)) for k, s in kinds.items())),  # type: ignore[misc]
    min_size=1,
)


def expected(kind: str, value: Any) -> Any:
    if kind == "choice":
        return value
    if kind == "whole":
        return {"int": list(value)}
    if kind == "steps":
        return {"int": list(value[0]), "step": value[1]}
    return {"float": list(value)} | ({"log": True} if kind == "log" else {})


def optuna_text(name: str, kind: str, value: Any) -> str:
    if kind == "choice":
        return f"trial.suggest_categorical({name!r}, {value!r})"
    if kind == "whole":
        return f"trial.suggest_int({name!r}, {value[0]}, {value[1]})"
    if kind == "steps":
        return f"trial.suggest_int({name!r}, {value[0][0]}, {value[0][1]}, step={value[1]})"
    return f"trial.suggest_float({name!r}, {value[0]!r}, {value[1]!r}, log={kind == 'log'})"


def keras_text(name: str, kind: str, value: Any) -> str:
    if kind == "choice":
        return f"hp.Choice({name!r}, {value!r})"
    if kind == "whole":
        return f"hp.Int({name!r}, {value[0]}, {value[1]})"
    if kind == "steps":
        return f"hp.Int({name!r}, {value[0][0]}, {value[0][1]}, step={value[1]})"
    sampling = "log" if kind == "log" else "linear"
    return f"hp.Float({name!r}, {value[0]!r}, {value[1]!r}, sampling={sampling!r})"


def skopt_text(name: str, kind: str, value: Any) -> str:
    if kind == "choice":
        return f"Categorical({value!r}, name={name!r})"
    if kind == "whole":
        return f"Integer({value[0]}, {value[1]}, name={name!r})"
    prior = "log-uniform" if kind == "log" else "uniform"
    return f"Real({value[0]!r}, {value[1]!r}, {prior!r}, name={name!r})"


def ray_text(name: str, kind: str, value: Any) -> str:
    if kind == "choice":
        return f"{name!r}: tune.choice({value!r})"
    if kind == "whole":
        return f"{name!r}: tune.randint({value[0]}, {value[1] + 1})"
    return f"{name!r}: tune.{'log' if kind == 'log' else ''}uniform({value[0]!r}, {value[1]!r})"


def wandb_entry(kind: str, value: Any) -> Any:
    if kind == "choice":
        return {"values": value}
    low, high = value
    if kind == "whole":
        return {"min": low, "max": high}
    return {
        "distribution": f"{'log_' if kind == 'log' else ''}uniform",
        "min": low,
        "max": high,
    } | ({"distribution": "log_uniform_values"} if kind == "log" else {})


def katib_entry(name: str, kind: str, value: Any) -> Any:
    if kind == "choice":
        is_text = isinstance(value[0], str)
        listed = {"list": [str(v) for v in value]}
        return {
            "name": name,
            "parameterType": "categorical" if is_text else "discrete",
            "feasibleSpace": listed,
        }
    low, high = value[0] if kind == "steps" else value
    space = {"min": str(low), "max": str(high)}
    space |= {"step": str(value[1])} if kind == "steps" else {}
    space |= {"distribution": "logUniform"} if kind == "log" else {}
    whole = "int" if kind in ("whole", "steps") else "double"
    return {"name": name, "parameterType": whole, "feasibleSpace": space}


def hydra_text(kind: str, value: Any) -> str:
    if kind == "choice":
        return f"choice({','.join(map(repr, value))})"
    if kind == "steps":
        return f"range({value[0][0]}, {value[0][1]}, step={value[1]})"
    inner = f"interval({value[0]!r}, {value[1]!r})"
    if kind == "whole":
        return f"int({inner})"
    return f"tag(log, {inner})" if kind == "log" else inner


def determined_entry(kind: str, value: Any) -> Any:
    if kind == "choice":
        return {"type": "categorical", "vals": value}
    if kind == "whole":
        return {"type": "int", "minval": value[0], "maxval": value[1] + 1}
    return {"type": "double", "minval": value[0], "maxval": value[1]}


def joined(space: dict[str, Any], text: Any, separator: str) -> str:
    return separator.join(text(name, *item) for name, item in space.items())


def files(space: dict[str, Any]) -> dict[str, tuple[str, str, tuple[str, ...]]]:
    """A file of each tool, and the kinds of parameters that the tool does not have."""
    objective = {"type": "minimize", "objectiveMetricName": "loss"}
    spec = {
        "objective": objective,
        "algorithm": {"algorithmName": "grid"},
        "parameters": [katib_entry(name, *item) for name, item in space.items()],
    }
    experiment = {"apiVersion": "kubeflow.org/v1", "kind": "Experiment", "spec": spec}
    sweeper = {"n_trials": 3, "params": {n: hydra_text(*item) for n, item in space.items()}}
    searcher = {"name": "random", "metric": "loss"}
    return {
        "optuna": (
            "a.py",
            f"def objective(trial):\n  {joined(space, optuna_text, chr(10) + '  ')}",
            (),
        ),
        "keras_tuner": (
            "a.py",
            f"def build(hp):\n  {joined(space, keras_text, chr(10) + '  ')}",
            (),
        ),
        "skopt": (
            "a.py",
            f"from skopt import *\ngp_minimize(f, [{joined(space, skopt_text, ', ')}])",
            ("steps",),
        ),
        "ray": (
            "a.py",
            f"from ray import tune\nspace = {{{joined(space, ray_text, ', ')}}}",
            ("steps",),
        ),
        "katib": ("a.yaml", json.dumps(experiment), ()),
        "hydra": ("a.json", json.dumps({"hydra": {"sweeper": sweeper}}), ()),
    } | {
        tool: ("a.json", json.dumps(content), ("steps",) if tool == "wandb" else ("steps", "log"))
        for tool, content in {
            "wandb": {
                "method": "random",
                "parameters": {
                    n: wandb_entry(*item) for n, item in space.items() if item[0] != "steps"
                },
            },
            "determined": {
                "searcher": searcher,
                "hyperparameters": {
                    n: determined_entry(*item)
                    for n, item in space.items()
                    if item[0] not in ("steps", "log")
                },
            },
        }.items()
    }


@settings(max_examples=25)
@given(space=spaces)
def test_a_space_comes_back(space: dict[str, Any]) -> None:
    for tool, (_, _, missing) in files(space).items():
        own = {name: item for name, item in space.items() if item[0] not in missing}
        if not own:
            continue
        name, text, _ = files(own)[tool]
        source = Source(Path(name), text)
        (setup,) = find(source, tool)
        written = convert(source, setup).content["space"]
        assert written == {key: expected(*item) for key, item in own.items()}, tool


def test_several_setups_are_listed_and_chosen() -> None:
    text = "def one(trial):\n  trial.suggest_int('x', 1, 2)\n"
    source = Source(Path("a.py"), f"{text}{text.replace('one', 'two')}")
    setups = find(source)
    assert [setup.name for setup in setups] == ["one", "two"]
    with pytest.raises(UsageError, match="choose one with --name"):
        choose(source.path, setups, None)
    assert choose(source.path, setups, "two").place == (3, 1)
    with pytest.raises(UsageError, match="Did you mean `two`"):
        choose(source.path, setups, "tow")
    with pytest.raises(UsageError, match="no tuning setup was found"):
        choose(source.path, [], None)
    assert list(label([setups[0], setups[0]])) == ["one", "one-2"]


def test_an_unknown_tool() -> None:
    with pytest.raises(UsageError, match="unknown tool `optun`"):
        find(Source(Path("a.py"), ""), "optun")


def test_all_refusals_are_told_at_once() -> None:
    text = "def objective(trial):\n  trial.suggest_int('x', 1, n)\n  trial.suggest_int('y', m, 2)\n"
    source = Source(Path("a.py"), text)
    with pytest.raises(ConfigError) as caught:
        convert(source, find(source)[0])
    assert [v.place.line for v in caught.value.violations if v.place] == [2, 3]
