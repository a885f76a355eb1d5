"""A study's definition as ledgers and histories store it, read once into typed fields.

Earlier versions have stored fewer keys, a search in memory stores few of them, and people can edit
a history. A key that is missing, or holds what no version has written, gets the value that its
absence means; reading a definition never fails.
"""

import re
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, get_args

from tunesmith.data.leaks.sign import Sign
from tunesmith.types import MOST_REPEATS, SHARE, USUAL_SHARE, OutcomeConstraint, Params, Value

Selection: TypeAlias = Literal["best", "one_se", "simplest", "fastest"]
"""Rules that pick the winner."""
SELECTIONS: tuple[Selection, ...] = get_args(Selection)
PIPELINES = ("steps", "factory", "preprocess", "estimators")
"""Keys of the objective that may make a pipeline."""
SPLITS = ("cv", "data", "seeds", "splits")
"""Keys of the objective that make the folds."""
FIXING = ("objective", "search", "budget")
"""Sections of the configuration that fix the trials, besides the space."""
EMPTY: Mapping[str, Any] = {}
LARGEST = sys.float_info.max
MIN_LISTED = 3
PERCENT = re.compile(r"[0-9]{1,3}(\.[0-9]{1,20})?%")


@dataclass(frozen=True)
class RecordedParameter:
    """A parameter of a recorded space."""

    content: Any
    """Its definition as it is stored."""
    bounds: tuple[float, float] | None = None
    """Ends of its range; ``None`` unless it is a range of numbers."""
    is_log: bool = False
    """True if it is searched on a logarithmic scale."""

    @classmethod
    def of(cls, content: Any) -> "RecordedParameter":
        """Read a parameter; a list of values, and a distribution, have no bounds."""
        options = _mapping(content)
        ends = [_number(end) for end in _items(options.get("int") or options.get("float"))]
        match ends:
            case [float(low), float(high)]:
                return cls(content, (low, high), options.get("log") is True)
        return cls(content, None, options.get("log") is True)

    @property
    def ends(self) -> tuple[float, float] | None:
        """Smallest and largest of a list of numbers; ``None`` unless it lists three or more.

        Of two values, each is an end, which says nothing about a third.
        """
        values = self.content if isinstance(self.content, list | tuple) else ()
        numbers = {_number(value) for value in values if not isinstance(value, bool)}
        if len(numbers) < MIN_LISTED or len(numbers) < len(values):
            return None
        known = [number for number in numbers if number is not None]
        return (min(known), max(known)) if len(known) == len(values) else None

    def may_be(self, value: Value) -> bool:
        """False if it is known that the parameter does not have such a value."""
        if isinstance(self.content, list | tuple):
            # As text: `True` equals 1 otherwise.
            return repr(value) in map(repr, self.content)
        if self.bounds is None:
            return True
        number = _number(value)
        return number is not None and self.bounds[0] <= number <= self.bounds[1]


@dataclass(frozen=True)
class RecordedSpace:
    """A recorded search space."""

    content: Mapping[str, Any] | None = None
    """The space as it is stored; ``None`` if it is not."""
    boxes: tuple[Mapping[str, RecordedParameter], ...] = ()
    constraints: tuple[str, ...] = ()

    @classmethod
    def of(cls, content: Any) -> "RecordedSpace":
        """Read the JSON form of a space."""
        if not isinstance(content, Mapping):
            return cls()
        boxes = [_mapping(box) for box in _items(content.get("boxes"))]
        return cls(
            content,
            tuple({name: RecordedParameter.of(c) for name, c in box.items()} for box in boxes),
            tuple(map(str, _items(content.get("constraints")))),
        )

    def is_log(self, name: str) -> bool:
        """Tell whether a parameter is searched on a logarithmic scale, in any of the boxes."""
        return any(box[name].is_log for box in self.boxes if name in box)

    def around(self, params: Params) -> tuple[Mapping[str, RecordedParameter], ...]:
        """Boxes in which a point lies; all of them if it is in none, as points given by hand."""
        within = tuple(
            box
            for box in self.boxes
            if box.keys() <= params.keys() and all(own.may_be(params[n]) for n, own in box.items())
        )
        return within or self.boxes

    @property
    def names(self) -> frozenset[str] | None:
        """Names of its parameters; ``None`` if it is not stored."""
        if self.content is None:
            return None
        return frozenset(name for box in self.boxes for name in box)


@dataclass(frozen=True)
class RecordedFolds:
    """The recorded split of rows into folds, as far as the ratio of rows depends on it."""

    method: str = "auto"
    repeats: int = 1
    test_fraction: float | None = None

    @classmethod
    def of(cls, content: Any) -> "RecordedFolds":
        """Read the section ``cv``."""
        cv = _mapping(content)
        return cls(
            _text(cv.get("method")) or "auto",
            _whole(cv.get("repeats")) or 1,
            _number(cv.get("test_fraction")),
        )


@dataclass(frozen=True)
class RecordedObjective:
    """The recorded objective; each of its keys as it is stored."""

    content: Mapping[str, Any]
    folds: RecordedFolds = field(default_factory=RecordedFolds)
    estimator: str | None = None
    """Import path of the estimator, if it is a single one."""
    is_program: bool = False
    """True if a training program is scored."""
    may_be_pipeline: bool = False
    """True if its estimator may be a pipeline."""

    @classmethod
    def of(cls, content: Any) -> "RecordedObjective | None":
        """Read the section ``objective``; ``None`` if there is none, as in memory."""
        if not isinstance(content, Mapping):
            return None
        estimator = content.get("estimator")
        return cls(
            content,
            RecordedFolds.of(content.get("cv")),
            None if estimator is None else str(estimator),
            bool(content.get("command")),
            any(content.get(key) not in (None, [], {}, "none") for key in PIPELINES),
        )

    @property
    def variables(self) -> dict[str, str]:
        """Environment variables that the configuration sets for a program."""
        given = _mapping(_mapping(self.content.get("environment")).get("set"))
        return {str(name): str(value) for name, value in given.items()}

    def without(self, names: Collection[str]) -> dict[str, Any]:
        """Return all keys as they are stored, but for some."""
        return {name: value for name, value in self.content.items() if name not in names}


@dataclass(frozen=True)
class RecordedGate:
    """The recorded comparison with the current parameters."""

    min_improvement: float = 0.0
    keep: bool = True
    base: str | None = None

    @classmethod
    def of(cls, content: Any) -> "RecordedGate | None":
        """Read the section ``gate``; ``None`` if there is none."""
        if not isinstance(content, Mapping):
            return None
        return cls(
            _number(content.get("min_improvement")) or 0.0,
            # Only the word for it lets a winner through that was not weighed.
            content.get("keep") is not False,
            _text(content.get("base")),
        )


@dataclass(frozen=True)
class RecordedPreference:
    """The recorded trade-off between several metrics."""

    rule: Literal["lexicographic", "knee"] = "lexicographic"
    weights: Mapping[str, float] = field(default_factory=dict)
    """Weight per unit of each metric; empty unless the rule is a weighted sum."""

    @classmethod
    def of(cls, content: Any) -> "RecordedPreference":
        """Read the section ``preference``."""
        given = _mapping(content)
        weights = {str(k): _number(v) for k, v in _mapping(given.get("weights")).items()}
        return cls(
            "knee" if given.get("rule") == "knee" else "lexicographic",
            {name: weight for name, weight in weights.items() if weight is not None and weight > 0},
        )


@dataclass(frozen=True)
class RecordedConfirm:
    """The recorded limits of further evaluations after the search."""

    fits: str | int = USUAL_SHARE
    within: float | None = None

    @classmethod
    def of(cls, content: Any) -> "RecordedConfirm | Literal['off']":
        """Read the section ``confirm``; ``off`` if it is turned off."""
        if content == "off":
            return "off"
        given = _mapping(content)
        fits = given.get("fits")
        is_share = isinstance(fits, str) and re.fullmatch(SHARE, fits) is not None
        number = fits if is_share else _whole(fits)
        return cls(USUAL_SHARE if number is None else number, _number(given.get("within")))


@dataclass(frozen=True, kw_only=True)
class RecordedStudy:
    """A study's definition as a ledger or a history stores it."""

    sections: Mapping[str, Any] = field(default_factory=dict)
    """Sections of the configuration as they are stored; for comparisons."""
    space: RecordedSpace = field(default_factory=RecordedSpace)
    objective: RecordedObjective | None = None
    """``None`` for a search in memory."""
    method: str | None = None
    """Kind of search."""
    seed: int | None = None
    """Seed of the search."""
    budget_parameter: str | None = None
    """Parameter that holds the budget of a trial."""
    subject_to: tuple[OutcomeConstraint, ...] = ()
    """Constraints on outcomes."""
    selection: Selection = "best"
    within: float | str | None = None
    """Margin of ``selection``, in the metric's unit or in percent; ``None`` for the usual one."""
    preference: RecordedPreference = field(default_factory=RecordedPreference)
    gate: RecordedGate | None = None
    confirm: RecordedConfirm | Literal["off"] = RecordedConfirm()
    """Without a gate it has no effect."""
    outer_folds: int | None = None
    """Number of outer folds of nested cross-validation."""
    shares_fits: bool = True
    """False if sharing of fits was turned off."""
    outer: Mapping[str, Any] | None = None
    """The outer fold, as it is stored, if the search belongs to nested cross-validation."""
    start: tuple[tuple[str, Params], ...] | None = None
    """(origin, params) of the points to be tried first; ``None`` if they are not stored."""
    has_current: bool = False
    """True if the current parameters are stored, be it as missing."""
    current: Params | None = None
    """Parameters in the best-parameters file when the study began."""
    is_edited: bool = False
    """True if these had been edited by hand."""
    leaks: tuple[Sign, ...] = ()
    """Signs of a leak in the table when the study began."""
    no_further: str = ""
    """Reason, found in the rows when a run began, why they cannot be split anew."""
    n_further: int = MOST_REPEATS
    """Repeats at most that can be made of the rows, none with a split of another."""
    taken_from: str = ""
    """Place from which its trials were taken, if nobody has evaluated them here."""

    @classmethod
    def of(cls, content: Any) -> "RecordedStudy":
        """Read a definition as ``Definition.as_json`` gives it, with the keys that a run adds.

        Args:
            content: JSON of any version; what is not a mapping counts as empty.
        """
        given = _mapping(content)
        sections = _mapping(given.get("file"))
        search, outer = _mapping(sections.get("search")), given.get("outer")
        current, selection = given.get("incumbent"), sections.get("selection")
        choice = selection if isinstance(selection, Mapping) else {"rule": selection}
        return cls(
            sections=sections,
            space=RecordedSpace.of(given.get("space")),
            objective=RecordedObjective.of(sections.get("objective")),
            method=_text(search.get("method")),
            seed=_whole(search.get("seed")),
            budget_parameter=_text(_mapping(sections.get("budget")).get("parameter")),
            subject_to=_subject_to(sections.get("objective")),
            selection=next((rule for rule in SELECTIONS if rule == choice.get("rule")), "best"),
            within=_margin(choice.get("within")),
            preference=RecordedPreference.of(sections.get("preference")),
            gate=RecordedGate.of(sections.get("gate")),
            confirm=RecordedConfirm.of(sections.get("confirm")),
            outer_folds=_whole(sections.get("outer_folds")),
            shares_fits=_mapping(sections.get("execution")).get("share") != "off",
            outer=outer if isinstance(outer, Mapping) else None,
            start=_start(given.get("start")),
            has_current="incumbent" in given,
            current=current if isinstance(current, Mapping) else None,
            is_edited=bool(given.get("is_edited")),
            leaks=tuple(filter(None, map(Sign.of, _items(given.get("leaks"))))),
            no_further=_text(given.get("no_further")) or "",
            n_further=_whole(given.get("n_further")) or MOST_REPEATS,
            taken_from=_text(given.get("taken_from")) or "",
        )

    def section(self, name: str) -> Any:
        """Return a section of the configuration as it is stored; ``None`` if it is not."""
        return self.sections.get(name)

    @property
    def is_outer(self) -> bool:
        """True if the search belongs to another study's nested cross-validation."""
        return self.outer is not None

    @property
    def is_program(self) -> bool:
        """True if a training program is scored."""
        return self.objective is not None and self.objective.is_program

    @property
    def is_in_memory(self) -> bool:
        """True if objects in memory are scored, which no configuration describes."""
        objective = self.objective
        if objective is None:
            return False
        return not (objective.is_program or objective.content.get("data"))

    @property
    def folds(self) -> RecordedFolds:
        """Split of the rows into folds."""
        return RecordedFolds() if self.objective is None else self.objective.folds

    @property
    def split_settings(self) -> tuple[Any, ...]:
        """Everything in the configuration that makes the folds."""
        content = EMPTY if self.objective is None else self.objective.content
        return tuple(content.get(key) for key in SPLITS)

    @property
    def names(self) -> frozenset[str] | None:
        """Names of all parameters, that of the budget among them; ``None`` without a space."""
        names = self.space.names
        if names is None or self.budget_parameter is None:
            return names
        return names | {self.budget_parameter}

    def is_like(self, other: "RecordedStudy") -> bool:
        """Tell whether all parts of the configuration that fix the trials are the same."""
        is_same = all(self.section(part) == other.section(part) for part in FIXING)
        return is_same and self.space.content == other.space.content


def _subject_to(objective: Any) -> tuple[OutcomeConstraint, ...]:
    """Read the constraints on outcomes; one that cannot be read is met by no trial."""
    texts = map(str, _items(_mapping(objective).get("subject_to")))
    return tuple(map(_constraint, texts))


def _constraint(text: str) -> OutcomeConstraint:
    try:
        return OutcomeConstraint.read(text)
    except ValueError:
        return OutcomeConstraint.never(text)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else EMPTY


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _whole(value: Any) -> int | None:
    # Truth values are integers in Python.
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _number(value: Any) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    # An integer may be too large for a float; no version writes such a one.
    return float(value) if is_number and abs(value) < LARGEST else None


def _margin(value: Any) -> float | str | None:
    """Read a number above or equal to 0, or percent as text."""
    if isinstance(value, str):
        return value if PERCENT.fullmatch(value) else None
    number = _number(value)
    return None if number is None or number < 0 else number


def _start(value: Any) -> tuple[tuple[str, Params], ...] | None:
    """Read pairs of an origin and params; ``None`` if one is something else."""
    if not isinstance(value, list):
        return None
    pairs = [item for item in value if isinstance(item, list | tuple) and len(item) == 2]
    if len(pairs) < len(value) or not all(_is_point(*pair) for pair in pairs):
        return None
    return tuple((origin, params) for origin, params in pairs)


def _is_point(origin: Any, params: Any) -> bool:
    return isinstance(origin, str) and isinstance(params, dict)
