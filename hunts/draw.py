"""Draws cases."""

from collections.abc import Mapping
from dataclasses import replace
from random import Random
from typing import Any

from hunts.case import Call, Case
from hunts.data import BINARY, NUMBERS, SEVERAL, draw_groups, draw_table, draw_weights
from hunts.kinds import KINDS, PLAIN_STEPS, TRANSFORMERS, Kind, cls
from hunts.values import constraints

SHARED, ANY, CONFIGURED = "shared", "any", "configured"
STRATA = (SHARED, ANY, CONFIGURED)
"""Cases in which something is shared, any case, and cases that are written as configurations."""
Box = dict[str, tuple[str, ...]]

CLASS_SCORERS = (
    *("None", "'accuracy'", "'balanced_accuracy'", "'f1_macro'", "'neg_log_loss'"),
    *("'neg_log_loss'", "'matthews_corrcoef'", "['accuracy', 'neg_log_loss']", "own.plain"),
    *("own.several", "own.sized", "own.touching", "own.picky", "own.nothing"),
    "{'a': 'accuracy', 'b': make_scorer(fbeta_score, beta=2, average='macro')}",
)
BINARY_SCORERS = (
    *(*CLASS_SCORERS, "'roc_auc'", "'roc_auc'", "'average_precision'", "'neg_brier_score'"),
    *("['roc_auc', 'f1', 'precision']", "'f1'", "'recall'"),
    "make_scorer(recall_score, pos_label=0)",
)
SEVERAL_SCORERS = (*CLASS_SCORERS, "'roc_auc_ovr'", "'top_k_accuracy'", "'f1_weighted'")
NUMBER_SCORERS = (
    *("None", "'r2'", "'neg_mean_squared_error'", "'neg_root_mean_squared_error'"),
    *("'neg_mean_absolute_error'", "'neg_max_error'", "'neg_median_absolute_error'"),
    *("'explained_variance'", "'neg_mean_poisson_deviance'", "own.error", "own.sized"),
    *("['r2', 'neg_mean_absolute_error']", "make_scorer(mean_pinball_loss, alpha=0.3)"),
)
SCORERS = {BINARY: BINARY_SCORERS, SEVERAL: SEVERAL_SCORERS, NUMBERS: NUMBER_SCORERS}
SPLITTERS = (
    *(["2"] * 12),
    *("3", "3", "None"),
    *("KFold(2)", "KFold(3, shuffle=True, random_state=0)", "ShuffleSplit(2, random_state=0)"),
    *("GroupKFold(2)", "LeaveOneGroupOut()", "TimeSeriesSplit(2)", "RepeatedKFold(n_splits=2)"),
    "PredefinedSplit(np.arange(len(y)) % 3 - 1)",
    "[(np.arange(6, len(y)), np.arange(6)), (np.arange(len(y) - 5), np.arange(5, len(y)))]",
)
GROUPED = ("GroupKFold", "LeaveOneGroupOut")
WRAPPED = {
    "own.Wrapped": "inner",
    "BaggingClassifier": "estimator",
    "BaggingRegressor": "estimator",
    "TransformedTargetRegressor": "regressor",
    "MultiOutputRegressor": "estimator",
    "OneVsRestClassifier": "estimator",
    "CalibratedClassifierCV": "estimator",
}


def draw_case(seed: int, stratum: str, number: int, family: str | None = None) -> Case:
    """The case of a number, always the same one.

    Args:
        seed: of the hunt.
        stratum: one of ``STRATA``.
        number: of the case.
        family: only of this one.
    """
    random = Random(f"{seed}/{stratum}/{number}/{family or ''}")  # noqa: S311 - no secret
    families = [name for name in KINDS if stratum == ANY or name != "others"]
    chosen = family or random.choice(families)
    return _Drawing(random, chosen, KINDS[chosen], is_tame=stratum != ANY).case()


class _Drawing:
    """What is drawn with for one case."""

    def __init__(self, random: Random, family: str, kind: Kind, *, is_tame: bool) -> None:
        self.random, self.family, self.kind, self.is_tame = random, family, kind, is_tame
        self.task = random.choice([BINARY, BINARY, SEVERAL, NUMBERS, NUMBERS])

    def often(self, share: float) -> bool:
        return self.random.random() < share

    def case(self) -> Case:
        table = draw_table(self.random, self.task, is_tame=self.is_tame, may_gap=self.kind.may_gap)
        name = self.random.choice(self.kind.classes(self.task))
        estimator, boxes, prefix = self._in_front(*self._estimator(name))
        fit = {f"{prefix}{key}": value for key, value in self._fit().items()}
        options = self._options(len(boxes))
        case = Case(self.family, table.lines, estimator, boxes, options=options, fit=fit)
        return self._as_random_search(self._with_rows(case))

    # -- the estimator -----------------------------------------------------------------------

    def _estimator(self, name: str) -> tuple[Call, list[Box]]:
        n_most = self.random.choice([0, 0, 1, 1, 2, 3] if self.is_tame else [0, 1, 1, 2, 3, 5])
        usual = self.kind.usual if self.is_tame or self.often(0.7) else {}
        fixed = {**usual, **self.kind.fixed}
        fixed = {k: v for k, v in fixed.items() if k in self._takes(name)}
        others = {n: self.kind.value(self.random, name, n) for n in self._some(name, n_most)}
        boxes = self._boxes(name)
        if self.kind.table and any(name in self.kind.along for box in boxes for name in box):
            # Two names of one thing would be refused.
            fixed = {n: value for n, value in fixed.items() if n not in self.kind.along}
        return Call(name, (), fixed | others), boxes

    def _takes(self, name: str) -> Any:
        if self.kind.table:
            return {**self.kind.table(), **self.kind.fixed}
        return constraints(cls(name))

    def _some(self, name: str, n: int) -> list[str]:
        known = self.kind.names(name)
        if self.is_tame and self.often(0.9):
            known = [other for other in self.kind.tame if other in known]
        return self.random.sample(known, min(n, len(known)))

    def _boxes(self, name: str) -> list[Box]:
        count = 2 if self.often(0.07) else 1
        return [self._box(name) for _ in range(count)]

    def _box(self, name: str) -> Box:
        box: Box = {}
        along = [n for n in self.kind.along if n in self._takes(name) or self.kind.table]
        if along and (self.is_tame or self.often(0.85)):
            chosen = self.random.choice(along)
            pool = self.kind.along[chosen]
            n = min(self.random.choice([2, 3, 3, 4, 5]), len(pool))
            box[chosen] = tuple(self.random.sample(pool, n))
        if not box or self.often(0.2):
            n = 2 if self.often(0.9) else 3
            for other in self._some(name, 1):
                drawn = [self.kind.value(self.random, name, other) for _ in range(n)]
                box[other] = tuple(dict.fromkeys(drawn))
        if not box:
            box["random_state"] = ("0", "1")
        return box

    # -- what stands around it ---------------------------------------------------------------

    def _in_front(self, estimator: Call, boxes: list[Box]) -> tuple[Call, tuple[Box, ...], str]:
        if self.family == "pipeline":
            return self._pipeline(estimator, boxes, self.random.randint(1, 3))
        if self.often(0.12):
            return self._pipeline(estimator, boxes, 1)
        if not self.is_tame and self.often(0.15):
            return self._wrapped(estimator, boxes)
        return estimator, tuple(boxes), ""

    def _pipeline(
        self, estimator: Call, boxes: list[Box], n_steps: int
    ) -> tuple[Call, tuple[Box, ...], str]:
        names = self.random.sample(list(TRANSFORMERS), n_steps)
        steps = [Call(name, (), self._step_options(name)) for name in names]
        prefix = f"{_step(estimator.name)}__"
        found = [{f"{prefix}{name}": listed for name, listed in box.items()} for box in boxes]
        if self.family == "pipeline" or self.often(0.3):
            found = [self._varied(names, box) for box in found]
        return Call("make_pipeline", (*steps, estimator)), tuple(found), prefix

    def _step_options(self, name: str) -> Mapping[str, str | Call]:
        options: dict[str, str | Call] = dict(PLAIN_STEPS.get(name, {}))
        if name == "SelectFromModel":
            is_number = self.task == NUMBERS
            options["estimator"] = "Ridge()" if is_number else "LogisticRegression(max_iter=30)"
        if name.startswith(("SelectK", "SelectP")):
            options["score_func"] = "f_regression" if self.task == NUMBERS else "f_classif"
        if name == "PCA" and self.often(0.5):
            options["svd_solver"] = self.random.choice(["'auto'", "'covariance_eigh'", "'full'"])
        return options

    def _varied(self, names: list[str], box: Box) -> Box:
        """A box that varies a step in front, too; small all the same."""
        name = self.random.choice(names)
        parameter, pool = self.random.choice(list(TRANSFORMERS[name].items()))
        chosen = tuple(self.random.sample(pool, min(len(pool), self.random.randint(2, 3))))
        kept = dict(list(box.items())[:1])
        return {f"{_step(name)}__{parameter}": chosen, **kept}

    def _wrapped(self, estimator: Call, boxes: list[Box]) -> tuple[Call, tuple[Box, ...], str]:
        is_number = self.task == NUMBERS
        usable = [name for name in WRAPPED if ("Regressor" if is_number else "Classifier") in name]
        name = self.random.choice(["own.Wrapped", "own.Wrapped", *usable])
        place = WRAPPED[name]
        options: dict[str, str | Call] = {place: estimator}
        if name == "own.Wrapped":
            options["touch"] = self.random.choice(["''", "'X'", "'y'", "'w'"])
        found = [{f"{place}__{n}": listed for n, listed in box.items()} for box in boxes]
        return Call(name, (), options), tuple(found), ""

    # -- the search --------------------------------------------------------------------------

    def _fit(self) -> dict[str, str]:
        found = {}
        if self.kind.is_weighted and self.often(0.2):
            found["sample_weight"] = "w"
        if self.kind.fit and self.often(0.05 if self.is_tame else 0.3):
            n = self.random.choice([1, 1, 2, 3])
            for name in self.random.sample(list(self.kind.fit), min(n, len(self.kind.fit))):
                found[name] = self.random.choice(self.kind.fit[name])
        return found

    def _options(self, n_boxes: int) -> dict[str, str]:
        scoring = self.random.choice(SCORERS[self.task])
        options = {"cv": self.random.choice(SPLITTERS)}
        if scoring != "None":
            options["scoring"] = scoring
        options["refit"] = "False" if self.often(0.9) or scoring[0] in "[{" else "True"
        if scoring == "own.several":
            options["refit"] = "False"
        if self.often(0.15):
            options["return_train_score"] = "True"
        if self.often(0.1):
            options["error_score"] = self.random.choice(["0.0", "'raise'", "-1"])
        return options

    def _with_rows(self, case: Case) -> Case:
        """The statements of weights and groups, where they are used."""
        lines, fit = list(case.data), dict(case.fit)
        if any("w" in value.replace("[", " ").split() or "w[" in value for value in fit.values()):
            lines.append(draw_weights(self.random, is_tame=self.is_tame))
        if case.options["cv"].startswith(GROUPED):
            lines.append(draw_groups(self.random))
            fit["groups"] = "g"
        options = dict(case.options)
        if options["cv"] == "RepeatedKFold(n_splits=2)":
            options["cv"] = "RepeatedKFold(n_splits=2, n_repeats=2, random_state=0)"
        return replace(case, data=tuple(lines), fit=fit, options=options)

    def _as_random_search(self, case: Case) -> Case:
        if not self.often(0.15):
            return case
        n = max(2, min(case.n_candidates, 5))
        options = {"n_iter": f"{n}", "random_state": f"{self.random.randint(0, 9)}"}
        return replace(case, search="RandomizedSearchCV", options={**case.options, **options})


def _step(name: str) -> str:
    return name.rpartition(".")[2].lower()
