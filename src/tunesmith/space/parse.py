"""Parser of the written forms of a search space, which collects every violation.

A space is a mapping from names to definitions, or a list of such mappings (a union of boxes, like
scikit-learn's list of param grids), or ``{parameters: …, constraints: […]}``.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tunesmith.errors import Path, Violation, did_you_mean
from tunesmith.space.expression import Expression, ExpressionError
from tunesmith.space.parameter import Categorical, Distribution, Float, Int, Parameter
from tunesmith.space.space import Box, Condition, SearchSpace

KINDS = ("float", "int", "values", "value", "scipy")
OPTIONS = {
    "float": ("log", "step", "when"),
    "int": ("log", "step", "when"),
    "values": ("when",),
    "value": ("when",),
    "scipy": ("args", "kwds", "when"),
}
FORMS = (
    "Write a list of values, `{float: [low, high]}`, `{int: [low, high]}`"
    " or `{values: [...], when: {...}}`."
)

COMPARISON = re.compile(r"[<>=]")


def parse_space(data: Any) -> tuple[SearchSpace | None, list[Violation]]:
    """Read a space as a configuration or a JSON file writes it.

    Returns:
        The space, or ``None`` with all violations; paths start at the space.
    """
    parser = _Parser()
    space = parser.space(data)
    return (None if parser.violations else space), parser.violations


@dataclass
class _Parser:
    """Collects violations while it reads."""

    violations: list[Violation] = field(default_factory=list)

    def add(self, path: Path, message: str, hint: str = "") -> None:
        """Add a violation."""
        self.violations.append(Violation(path, message, hint))

    def space(self, data: Any) -> SearchSpace | None:
        """Parse the whole space."""
        # Exactly these keys, because a program may have a parameter that is called `parameters`.
        if isinstance(data, Mapping) and set(data) == {"parameters", "constraints"}:
            boxes = self.boxes(data["parameters"], ("parameters",))
            constraints = self.constraints(data["constraints"])
        else:
            boxes, constraints = self.boxes(data, ()), ()
            self._check_no_constraints(data)
        if self.violations:
            return None
        try:
            return SearchSpace(boxes, constraints)
        except ValueError as error:
            self.add(("constraints",), str(error))
            return None

    def _check_no_constraints(self, data: Any) -> None:
        """Report conditions among the parameters: the level above them was forgotten."""
        conditions = data.get("constraints") if isinstance(data, Mapping) else None
        if isinstance(conditions, list) and any(
            COMPARISON.search(str(item)) for item in conditions
        ):
            hint = "Write `space: {parameters: {…}, constraints: […]}`."
            self.add(("constraints",), "constraints stand beside the parameters.", hint)

    def boxes(self, data: Any, path: Path) -> tuple[Box, ...]:
        """Parse one box or a list of them."""
        if isinstance(data, list):
            parsed = [self.box(item, (*path, index)) for index, item in enumerate(data)]
        else:
            parsed = [self.box(data, path)]
        if not parsed:
            self.add(path, "an empty list", "A space needs at least one parameter.")
        return tuple(box for box in parsed if box is not None)

    def box(self, data: Any, path: Path) -> Box | None:
        """Parse named parameters."""
        if not isinstance(data, Mapping):
            self.add(path, f"expected names with their values, found {_show(data)}.", FORMS)
            return None
        if not data:
            self.add(path, "no parameter here", "A space needs at least one parameter.")
        parameters: dict[str, Parameter] = {}
        conditions: dict[str, tuple[Condition, ...]] = {}
        for name, definition in data.items():
            parameter = self.parameter(definition, (*path, name))
            if parameter is not None:
                parameters[name] = parameter
            if isinstance(definition, Mapping) and "when" in definition:
                conditions[name] = self.conditions(definition["when"], (*path, name, "when"))
        self._check_conditions(parameters, conditions, path, known=list(data))
        # With a violation, the checks of the box itself would report the same mistake once more.
        if len(parameters) < len(data) or self.violations:
            return None
        try:
            return Box(parameters, conditions)
        except ValueError as error:
            self.add(path, f"{error}.")
            return None

    def _check_conditions(
        self,
        parameters: Mapping[str, Parameter],
        conditions: Mapping[str, tuple[Condition, ...]],
        path: Path,
        known: list[str],
    ) -> None:
        for name, own in conditions.items():
            for condition in own:
                where, parent = (*path, name, "when", condition.parent), condition.parent
                if parent not in known or parent == name:
                    others = [other for other in known if other != name]
                    message = f"there is no other parameter `{parent}`."
                    self.add(where, message, did_you_mean(parent, others))
                elif parent in parameters:
                    self._check_values(parameters[parent], condition, where)

    def _check_values(self, parent: Parameter, condition: Condition, path: Path) -> None:
        for value in condition.values:
            try:
                parent.canonical(value)
            except ValueError as error:
                self.add(path, f"`{condition.parent}` never has this value: {error}.")

    def conditions(self, data: Any, path: Path) -> tuple[Condition, ...]:
        """Parse ``when: {parent: value or list of values}``."""
        if not isinstance(data, Mapping) or not data:
            message = f"expected a parameter and its values, found {_show(data)}."
            self.add(path, message, "For example `when: {kernel: rbf}`.")
            return ()
        return tuple(
            Condition(parent, tuple(values if isinstance(values, list) else [values]))
            for parent, values in data.items()
        )

    # -- one parameter -----------------------------------------------------------------------

    def parameter(self, data: Any, path: Path) -> Parameter | None:
        """Parse one definition."""
        if isinstance(data, list):
            return self.make(path, lambda: Categorical(tuple(data)))
        if not isinstance(data, Mapping):
            return self.make(path, lambda: Categorical((data,)))
        kind = self._kind(data, path)
        if kind is None:
            return None
        self._check_options(data, kind, path)
        # Functions, because a reader reports violations as soon as it is called.
        readers: dict[str, Callable[[], Parameter | None]] = {
            "float": lambda: self.number(Float, data, "float", path),
            "int": lambda: self.number(Int, data, "int", path),
            "values": lambda: self.choices(data["values"], (*path, "values")),
            "value": lambda: self.make(path, lambda: Categorical((data["value"],))),
            "scipy": lambda: self.distribution(data, path),
        }
        return readers[kind]()

    def _kind(self, data: Mapping[str, Any], path: Path) -> str | None:
        kinds = [kind for kind in KINDS if kind in data]
        if len(kinds) == 1:
            return kinds[0]
        if kinds:
            self.add(path, f"both `{kinds[0]}` and `{kinds[1]}` are given; one of them is enough.")
        else:
            keys = ", ".join(f"`{key}`" for key in data) or "nothing"
            self.add(path, f"expected one of {', '.join(KINDS)}; found {keys}.", FORMS)
        return None

    def _check_options(self, data: Mapping[str, Any], kind: str, path: Path) -> None:
        known = (kind, *OPTIONS[kind])
        for key in data:
            if key not in known:
                message = f"unknown key `{key}`."
                self.add((*path, key), message, did_you_mean(str(key), known))
        if "log" in data and not isinstance(data["log"], bool):
            self.add((*path, "log"), f"expected true or false, found {_show(data['log'])}.")

    def choices(self, data: Any, path: Path) -> Parameter | None:
        """Parse ``values: [...]``."""
        if not isinstance(data, list):
            self.add(path, f"expected a list, found {_show(data)}.", f"Write `[{data}]`.")
            return None
        return self.make(path, lambda: Categorical(tuple(data)))

    def number(
        self, make: type[Float] | type[Int], data: Mapping[str, Any], kind: str, path: Path
    ) -> Parameter | None:
        """Parse ``float: [low, high]`` or ``int: [low, high]``."""
        bounds = data[kind]
        if not (isinstance(bounds, list) and len(bounds) == 2):
            message = f"expected [low, high], found {_show(bounds)}."
            self.add((*path, kind), message, f"For example `{kind}: [1, 10]`.")
            return None
        numbers = {"low": bounds[0], "high": bounds[1]}
        numbers |= {"step": data["step"]} if data.get("step") is not None else {}
        wrong = [name for name, value in numbers.items() if not _is_number(value)]
        for name in wrong:
            message = f"{name} must be a number, found {_show(numbers[name])}."
            self.add(
                (*path, kind if name != "step" else "step"), message, _number_hint(numbers[name])
            )
        if wrong:
            return None
        log = data.get("log") is True
        if log and bounds[0] <= 0:
            self._refuse_log(bounds[0], bounds[1], path)
            return None
        return self.make((*path, kind), lambda: make(**numbers, log=log))

    def _refuse_log(self, low: float, high: float, path: Path) -> None:
        near = high / 10_000 if high > 0 else 1e-5
        self.add(
            path,
            f"low {low} is not allowed with log: true.",
            f"A log scale needs low > 0 (found low={low}, high={high})."
            f" Did you mean low: {near:.1e}?",
        )

    def distribution(self, data: Mapping[str, Any], path: Path) -> Parameter | None:
        """Parse ``scipy: name`` with ``args`` and ``kwds``."""
        name, args, kwds = data["scipy"], data.get("args", []), data.get("kwds", {})
        if not isinstance(name, str) or not isinstance(args, list) or not isinstance(kwds, Mapping):
            example = "For example `{scipy: expon, kwds: {scale: 2.0}}`."
            self.add(path, "expected a distribution's name, args and kwds.", example)
            return None
        return self.make(path, lambda: _checked_distribution(name, tuple(args), dict(kwds)))

    def make(self, path: Path, maker: Callable[[], Parameter]) -> Parameter | None:
        """Call the constructor; an error of it is a violation."""
        try:
            return maker()
        except ValueError as error:
            self.add(path, f"{error}.")
            return None

    def constraints(self, data: Any) -> tuple[Expression, ...]:
        """Parse a list of conditions over parameters."""
        if not isinstance(data, list):
            self.add(("constraints",), f"expected a list of conditions, found {_show(data)}.")
            return ()
        expressions = []
        for index, text in enumerate(data):
            try:
                expressions.append(Expression(str(text)))
            except ExpressionError as error:
                self.add(("constraints", index), f"`{text}`: {error}.")
        return tuple(expressions)


def _checked_distribution(name: str, args: tuple[Any, ...], kwds: dict[str, Any]) -> Distribution:
    import numpy as np
    from scipy import stats

    if not isinstance(getattr(stats, name, None), stats.rv_continuous | stats.rv_discrete):
        raise ValueError(f"scipy.stats has no distribution `{name}`")
    distribution = Distribution(name, args, kwds)
    try:
        # The arguments are used here for the first time: the distribution is made on demand. What
        # overflows is told below, and not by a warning of NumPy's.
        with np.errstate(all="ignore"):
            drawn = [distribution.at(place) for place in (0.0, 0.5, 1.0)]
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"scipy.stats.{name} does not accept these arguments: {error}") from None
    # For arguments that are out of range scipy gives no error but values that are no numbers.
    if not all(map(math.isfinite, drawn)):
        raise ValueError(f"scipy.stats.{name} gives no numbers with these arguments")
    return distribution


def _is_number(value: Any) -> bool:
    # In Python, bool is a subclass of int: `[false, true]` would be a range.
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number_hint(value: Any) -> str:
    try:
        return f"Without quotes it is one: {float(value):g}." if isinstance(value, str) else ""
    except ValueError:
        return ""


def _show(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, str):
        return f"the text '{value}'"
    return f"{value!r}" if not isinstance(value, Mapping) else "a mapping"
