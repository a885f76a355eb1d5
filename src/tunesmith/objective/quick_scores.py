"""Scikit-learn's scorers in a quick form, for many estimators on the same rows.

Many submodels are scored against the same truth. Scikit-learn's scorers check that truth every
time, which takes longer than predicting. Here it is checked once (``quick_metrics``). Every special
case is left to scikit-learn's own scorers: the user's functions, unusual labels, undefined values
with their warnings, errors.

The first quick score of each metric on each truth is compared with scikit-learn's own. If they
differ, the quick form of that metric is not used again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from weakref import ref

import numpy as np

from tunesmith.data.slices import is_read_only, own
from tunesmith.objective.quick_metrics import MAX_LABELS, Metric, Truth, are_labels, quick_metric
from tunesmith.sharing.proved import SCIKIT_LEARN

MAX_TRUTHS = 32
"""Number of truths that are remembered; a study has one per fold."""


class UnusualError(Exception):
    """A case that scikit-learn's own scorers must handle."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """One scorer taken apart."""

    scorer: Any
    score_func: Any
    sign: int
    options: Mapping[str, Any]
    methods: tuple[str, ...]
    """Methods of the estimator, by preference."""
    pos_label: Any
    quick: Metric | None

    @classmethod
    def of(cls, scorer: Any) -> "Part | None":
        """Take a scorer apart; ``None`` if it was not made by ``make_scorer`` in a known way."""
        from sklearn.metrics import get_scorer

        # Exactly this class: a subclass may score in a way of its own.
        if type(scorer) is not type(get_scorer("accuracy")):
            return None
        try:
            function, options = scorer._score_func, dict(scorer._kwargs)
            asked, sign, pos_label = scorer._response_method, scorer._sign, scorer._get_pos_label()
        # These are private names of scikit-learn: if a version lacks them, its scorers do the work.
        except AttributeError:
            return None
        methods = (asked,) if isinstance(asked, str) else tuple(asked)
        quick = quick_metric(function, options)
        return cls(
            scorer=scorer,
            score_func=function,
            sign=sign,
            options=options,
            methods=methods,
            pos_label=pos_label,
            quick=quick,
        )

    def own(self, y: np.ndarray, answers: Any) -> Any:
        """Score as scikit-learn computes it."""
        return self.sign * self.score_func(y, answers, **self.options)


def is_plain_scorer(scorer: Any) -> bool:
    """True for a metric of scikit-learn's or an estimator's own score, without the user's code."""
    from sklearn.metrics._scorer import _PassthroughScorer

    if isinstance(scorer, _PassthroughScorer):
        return True
    part = Part.of(scorer)
    if part is None:
        return False
    return str(getattr(part.score_func, "__module__", "")).startswith("sklearn.metrics")


def sees_answers_alone(scorer: Any) -> bool:
    """True for a scorer that gets a model's answers, or is its own ``score``, but no more of it.

    A function ``scorer(estimator, X, y)`` may read parameters of the estimator, so that two
    estimators that answer alike have different scores.
    """
    from sklearn.metrics._scorer import _PassthroughScorer

    return isinstance(scorer, _PassthroughScorer) or Part.of(scorer) is not None


class QuickScorers:
    """Several scorers at once, which call each method of an estimator once.

    Args:
        scoring: name -> scorer; a scorer of scikit-learn's, or any ``scorer(estimator, X, y)``.
    """

    def __init__(self, scoring: Mapping[str, Any]) -> None:
        self._scoring = dict(scoring)
        self._parts = {name: Part.of(scorer) for name, scorer in scoring.items()}
        has_quick = any(part and part.quick for part in self._parts.values())
        self._has_quick = has_quick and not SCIKIT_LEARN.blocker
        self._has_foreign = not all(map(is_plain_scorer, scoring.values()))
        self._truths: dict[int, Judge] = {}
        self._refuted: set[str] = set()

    @cached_property
    def _own(self) -> Any:
        from sklearn.metrics import check_scoring

        return check_scoring(scoring=self._scoring)

    def __call__(self, estimator: Any, X: Any, y: Any) -> dict[str, Any]:
        """Scores by name, equal to those of scikit-learn's combined scorer.

        Args:
            estimator: fitted.
            X: rows.
            y: their true values; quick if it is a read-only array, whose values never change.

        Raises:
            Exception: whatever the estimator or a metric raises.
        """
        _LAST.clear()
        if self._has_foreign:
            # The user's function may do with its arguments as it likes.
            X = X if is_read_only(X) else own(X)
            return dict(self._own(estimator, X, own(y)))
        if not self._has_quick or not _is_constant(y):
            return dict(self._own(estimator, X, y))
        judge = self._judge_of(y)
        try:
            answers = Answers(estimator, X, [part for part in self._parts.values() if part])
            scores = {name: self._score(name, judge, answers) for name in self._parts}
            _LAST[:] = answers.kept()
            return scores
        except UnusualError:
            return dict(self._own(estimator, X, y))

    def _judge_of(self, y: np.ndarray) -> "Judge":
        # By identity: the judge keeps the array alive, so that its id cannot be used again.
        if id(y) not in self._truths:
            if len(self._truths) >= MAX_TRUTHS:
                self._truths.clear()
            self._truths[id(y)] = Judge(Truth(y), set())
        return self._truths[id(y)]

    def _score(self, name: str, judge: "Judge", answers: "Answers") -> Any:
        part, y = self._parts[name], judge.truth.y
        if part is None:
            return self._scoring[name](answers.estimator, answers.X, y)
        answer = answers.to(part)
        quick = None if name in self._refuted else part.quick
        score = quick(judge.truth, answer) if quick else None
        if score is not None and name in judge.agreed:
            return part.sign * score
        expected = part.own(y, answer)
        if score is not None:
            # Compared as text: all bits count, and NaN equals NaN.
            is_same = repr(expected) == repr(part.sign * score)
            (judge.agreed if is_same else self._refuted).add(name)
        return expected


@dataclass(frozen=True, eq=False)
class Judge:
    """A truth, and the metrics whose quick score has agreed with scikit-learn's on it."""

    truth: Truth
    agreed: set[str]


class Answers:
    """Answers of one estimator for some rows, in the form that scikit-learn's metrics get.

    As in scikit-learn's combined scorer, each method is called once for all scorers.
    """

    def __init__(self, estimator: Any, X: Any, parts: Sequence[Part]) -> None:
        from sklearn.base import is_classifier

        self.estimator, self.X = estimator, X
        self._names = {part.methods: _first_of(part.methods, estimator) for part in parts}
        self._found: dict[str, Any] = {}
        self._labels: dict[str, Any] = {}
        self._classes: list[Any] = []
        if is_classifier(estimator):
            self._classes = _plain_classes(getattr(estimator, "classes_", None))

    def to(self, part: Part) -> Any:
        """Answers that one scorer needs."""
        name = self._names[part.methods]
        if name not in self._found:
            self._found[name] = self._asked(name, part.pos_label)
            self._labels[name] = part.pos_label
        return self._found[name]

    def kept(self) -> "list[Kept]":
        """What was asked, without holding on to the estimator; empty if that is impossible."""
        try:
            of = ref(self.estimator), ref(self.X)
        except TypeError:
            return []
        return [Kept(*of, self._names, self._found, self._labels)]

    def _asked(self, name: str, pos_label: Any) -> Any:
        is_binary = len(self._classes) == 2
        if is_binary and pos_label is not None and pos_label not in self._classes:
            raise UnusualError
        answer = getattr(self.estimator, name)(self.X)
        if not is_binary:
            return answer
        place = 1 if pos_label is None else self._classes.index(pos_label)
        if name in ("predict_proba", "predict_log_proba"):
            return _column(answer, place)
        return -1 * answer if name == "decision_function" and place == 0 else answer


@dataclass(frozen=True, eq=False)
class Kept:
    """Answers that an estimator has given on some rows."""

    estimator: "ref[Any]"
    X: "ref[Any]"
    names: Mapping[tuple[str, ...], str]
    answers: Mapping[str, Any]
    labels: Mapping[str, Any]

    def has(self, part: Part, estimator: Any, X: Any) -> bool:
        """True if this very estimator was asked for what a scorer needs, on these very rows."""
        name = self.names.get(part.methods)
        # Of probabilities, the column that was kept is that of the first scorer's class.
        if name is None or name not in self.answers or self.labels[name] != part.pos_label:
            return False
        return self.estimator() is estimator and self.X() is X


_LAST: list[Kept] = []
"""What the last score was made from, until it is taken; none if another way has scored."""


def taken_answers(part: Part, estimator: Any, X: Any) -> Any:
    """Answers for one scorer, right after a score of the same estimator: asked for once only.

    They are those that the score was made from. If that is not certain, the estimator is asked.

    Args:
        part: the scorer.
        estimator: fitted.
        X: rows.
    """
    last = _LAST.pop() if _LAST else None
    if last is not None and last.has(part, estimator, X):
        return last.answers[last.names[part.methods]]
    return Answers(estimator, X, [part]).to(part)


def _first_of(methods: Sequence[str], estimator: Any) -> str:
    for name in methods:
        if hasattr(estimator, name):
            return name
    raise UnusualError


def _column(table: Any, place: int) -> Any:
    if not isinstance(table, np.ndarray) or table.ndim != 2 or table.shape[1] < 2:
        raise UnusualError
    return table[:, place]


def _is_constant(y: Any) -> bool:
    return type(y) is np.ndarray and y.ndim == 1 and len(y) > 0 and not y.flags.writeable


def _plain_classes(classes: Any) -> list[Any]:
    if not are_labels(classes) or not 2 <= len(classes) <= MAX_LABELS:
        raise UnusualError
    plain: list[Any] = classes.tolist()
    return plain
