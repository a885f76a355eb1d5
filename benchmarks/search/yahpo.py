"""Tuning problems of YAHPO Gym: surrogates of logged tuning runs, microseconds an evaluation.

The data (Pfisterer et al. 2022, "YAHPO Gym", Apache-2.0) is not part of this repository. A folder
holds one subfolder per scenario, each with ``config_space.json``, ``encoding.json`` and the network
``model.onnx`` (``new_model.onnx`` for ``rbv2_super``). Reading it needs ``onnxruntime``.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.search.references import stored_ends, worked_out
from tunesmith.space import Box, Categorical, Condition, Float, Int, Parameter, SearchSpace
from tunesmith.types import Params

NUMBERS = {
    "lcbench": "epoch batch_size learning_rate momentum weight_decay num_layers max_units"
    " max_dropout",
    "rbv2_xgboost": "nrounds eta gamma lambda alpha subsample max_depth min_child_weight"
    " colsample_bytree colsample_bylevel rate_drop skip_drop trainsize repl",
    "rbv2_rpart": "cp maxdepth minbucket minsplit trainsize repl",
    "rbv2_super": "svm.cost svm.gamma svm.tolerance svm.degree glmnet.alpha glmnet.s rpart.cp"
    " rpart.maxdepth rpart.minbucket rpart.minsplit ranger.num.trees ranger.sample.fraction"
    " ranger.mtry.power ranger.min.node.size ranger.num.random.splits aknn.k aknn.M aknn.ef"
    " aknn.ef_construction xgboost.nrounds xgboost.eta xgboost.gamma xgboost.lambda xgboost.alpha"
    " xgboost.subsample xgboost.max_depth xgboost.min_child_weight xgboost.colsample_bytree"
    " xgboost.colsample_bylevel xgboost.rate_drop xgboost.skip_drop trainsize repl",
}
"""Inputs of each network that are numbers, in its order."""
CHOICES = {
    "lcbench": "OpenML_task_id",
    "rbv2_xgboost": "task_id booster num.impute.selected.cpo",
    "rbv2_rpart": "task_id num.impute.selected.cpo",
    "rbv2_super": "task_id learner svm.kernel ranger.respect.unordered.factors ranger.splitrule"
    " aknn.distance xgboost.booster num.impute.selected.cpo",
}
"""Inputs of each network that are choices, in its order."""
FIXED: Mapping[str, Mapping[str, float]] = {
    "lcbench": {"epoch": 52},
    "rbv2": {"trainsize": 1.0, "repl": 10},
}
"""Inputs that are no parameters to tune, by the beginning of the scenario's name."""
LOSSES = {"lcbench": (1, -0.01), "rbv2": (0, -1.0), "rbv2_super": (0, 1.0)}
"""Output and factor that make the loss: an error rate, or minus an accuracy."""
TASKS = {
    "flat": (
        ("lcbench", "189906"),
        ("lcbench", "167168"),
        ("lcbench", "168335"),
        ("rbv2_rpart", "46"),
        ("rbv2_rpart", "1489"),
    ),
    "conditional": (
        ("rbv2_xgboost", "1501"),
        ("rbv2_xgboost", "42"),
        ("rbv2_xgboost", "22"),
        ("rbv2_xgboost", "40981"),
        ("rbv2_super", "1063"),
        ("rbv2_super", "1489"),
        ("rbv2_super", "40536"),
    ),
}
"""Development tasks; all others stay held out."""


class MissingError(Exception):
    """The surrogates cannot be read: a folder or a package is missing."""


@dataclass(frozen=True)
class Surrogate:
    """One task of a scenario, as a loss to minimise over a search space."""

    folder: Path
    scenario: str
    task: str

    @property
    def name(self) -> str:
        """Scenario and task."""
        return f"{self.scenario} {self.task}"

    @cached_property
    def space(self) -> SearchSpace:
        """Parameters to tune, with their conditions."""
        return space_of(read(self.folder / self.scenario / "config_space.json"), self._given)

    @cached_property
    def _given(self) -> Mapping[str, Any]:
        task = "OpenML_task_id" if self.scenario == "lcbench" else "task_id"
        return {**FIXED[self.scenario.split("_")[0]], task: self.task}

    @cached_property
    def _codes(self) -> Any:
        return read(self.folder / self.scenario / "encoding.json")

    @property
    def ends(self) -> tuple[float, float]:
        """Best loss known, and median loss of a random point."""
        return stored_ends(self.name, lambda: worked_out(self))

    def folds(self, params: Params, seed: int) -> list[float]:
        """Loss of one point; the surrogates have no noise."""
        return [self.truth(params)]

    def truth(self, params: Params) -> float:
        """Loss of one point."""
        return float(self.losses([params])[0])

    def losses(self, points: Sequence[Params]) -> np.ndarray:
        """Loss of each point, ``(n,)``."""
        full = [{**params, **self._given} for params in points]
        numbers = NUMBERS[self.scenario].split()
        choices = CHOICES[self.scenario].split()
        # Inactive numbers are 0, inactive choices have a code of their own.
        floats = np.array([[float(p.get(n, 0)) for n in numbers] for p in full], np.float32)
        codes = np.array(
            [[self._codes[n].get(p.get(n, "#na#"), 0) for n in choices] for p in full], np.int32
        )
        output, factor = LOSSES.get(self.scenario, LOSSES[self.scenario.split("_")[0]])
        return factor * self._outputs(codes, floats)[:, output].astype(float)

    def _outputs(self, codes: np.ndarray, floats: np.ndarray) -> np.ndarray:
        run, names = network(self.folder / self.scenario)
        if self.scenario != "rbv2_super":
            return np.asarray(run([names[2]], {names[0]: codes, names[1]: floats})[0])
        # This network takes one point at a time.
        rows = [
            run([names[2]], {names[0]: codes[i : i + 1], names[1]: floats[i : i + 1]})[0]
            for i in range(len(floats))
        ]
        return np.array(rows).reshape(len(floats), -1)


def surrogates(folder: Path | None) -> dict[str, list[Surrogate]]:
    """Development tasks by kind.

    Raises:
        MissingError: with what is missing.
    """
    if folder is None or not folder.is_dir():
        raise MissingError(
            f"The surrogates of YAHPO Gym are not at {folder}; name their folder with --yahpo or"
            " the environment variable TUNESMITH_YAHPO."
        )
    try:
        import_module("onnxruntime")
    except ImportError:
        raise MissingError("The surrogates need onnxruntime: pip install onnxruntime") from None
    return {kind: [Surrogate(folder, *task) for task in tasks] for kind, tasks in TASKS.items()}


@cache
def read(path: Path) -> Any:
    """Content of a JSON file."""
    return json.loads(path.read_text())


@cache
def network(folder: Path) -> tuple[Any, tuple[str, str, str]]:
    """Function that runs a network, and the names of its inputs and its output."""
    onnx = import_module("onnxruntime")
    onnx.set_default_logger_severity(3)
    options = onnx.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    newer = folder / "new_model.onnx"
    path = newer if newer.exists() else folder / "model.onnx"
    session = onnx.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    inputs = [item.name for item in session.get_inputs()]
    return session.run, (inputs[0], inputs[1], session.get_outputs()[0].name)


def space_of(definition: Mapping[str, Any], given: Mapping[str, Any]) -> SearchSpace:
    """Search space of a ConfigSpace definition, without the parameters that are given."""
    parameters = {
        item["name"]: parameter_of(item)
        for item in definition["hyperparameters"]
        if item["name"] not in given
    }
    conditions: dict[str, tuple[Condition, ...]] = {}
    for item in definition["conditions"]:
        for part in item.get("conditions", [item]):
            values = part["values"] if part["type"] == "IN" else [part["value"]]
            found = Condition(part["parent"], tuple(values))
            conditions[item["child"]] = (*conditions.get(item["child"], ()), found)
    return SearchSpace((Box(parameters, conditions),))


def parameter_of(item: Mapping[str, Any]) -> Parameter:
    """One parameter of a ConfigSpace definition."""
    if item["type"] == "categorical":
        return Categorical(tuple(item["choices"]))
    kind = Int if item["type"] == "uniform_int" else Float
    return kind(item["lower"], item["upper"], log=bool(item["log"]))
