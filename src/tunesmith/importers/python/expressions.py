"""Evaluation of expressions, as far as they are known without running the function."""

import ast
import operator
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tunesmith.importers.python.abstract import (
    Abstract,
    ChosenValue,
    Class,
    Drawn,
    Function,
    Instance,
    Joint,
    KnownValue,
    Listed,
    Struct,
    TrialValue,
    Unknown,
    computed,
    dependent,
    known,
)
from tunesmith.importers.python.conditions import Route
from tunesmith.importers.python.constants import METHODS, Constants, binary, compare, source
from tunesmith.importers.python.module import PythonModule
from tunesmith.importers.refusal import Refused, place_of
from tunesmith.space.expression import SIGNS

MAX_ROUNDS = 200
READING = ("report", "should_prune", "set_user_attr", "number", "params", "user_attrs")
"""Attributes of a trial that propose nothing."""
UNARY_OR_INVERT: dict[type[ast.AST], Callable[[Any], Any]] = {
    **SIGNS,
    ast.Invert: operator.invert,
}


@dataclass
class CallFrame:
    """A call that is being followed."""

    names: dict[str, Abstract]
    path: Route
    returned: list[Abstract] = field(default_factory=list)


class Expressions:
    """Evaluator of expressions; statements and calls of functions are left to its subclass."""

    def __init__(self, module: PythonModule) -> None:
        self.module = module
        self.frame = CallFrame({}, Route())
        self.rebound: set[str] = set()
        """Names that inner functions set, by ``nonlocal`` or ``global``: only a run tells when."""

    def suggest(self, call: ast.Call, method: str) -> Abstract | None:
        """Record a parameter that a call proposes; ``None`` if it proposes none."""
        raise NotImplementedError

    def follow(self, function: Function, call: ast.Call, values: list[Abstract]) -> Abstract:
        """Follow a call of a function of the file."""
        raise NotImplementedError

    def is_harmless(self, path: str) -> bool:
        """True if a function of another package may be given the trial."""
        raise NotImplementedError

    @contextmanager
    def at(self, path: Route) -> Iterator[None]:
        """Be on a narrower path for a while."""
        before, self.frame.path = self.frame.path, path
        try:
            yield
        finally:
            self.frame.path = before

    def value(self, node: ast.expr) -> Abstract:
        """Evaluate an expression; parameters that it proposes are recorded."""
        reader = READERS.get(type(node))
        if reader is not None:
            return reader(self, node)
        return dependent(*self._inner(node))

    def _inner(self, node: ast.AST) -> list[Abstract]:
        return [self.value(c) for c in ast.iter_child_nodes(node) if isinstance(c, ast.expr)]

    def constant(self, node: ast.expr, what: str) -> Any:
        """Return a constant.

        Raises:
            Refused: it depends on another parameter, or only a run tells it.
        """
        value = self.value(node)
        is_known, plain = known(value)
        if is_known:
            return plain
        if isinstance(value, ChosenValue | Drawn):
            names = {value.name} if isinstance(value, ChosenValue) else value.names
            listed = ", ".join(f"`{name}`" for name in sorted(names))
            raise Refused(f"{what} `{source(node)}` depends on {listed}.", node)
        raise Refused(f"{what} `{source(node)}` is known only if the script runs.", node)

    # -- kinds of expressions --------------------------------------------------------------------

    def _name(self, node: Any) -> Abstract:
        name = node.id
        if name in self.frame.names:
            value = self.frame.names[name]
            is_doubtful = name in self.rebound and not isinstance(value, TrialValue)
            return Unknown() if is_doubtful else value
        if name in self.module.functions:
            return Function(self.module.functions[name], {})
        if name in self.module.classes:
            return Class(self.module.classes[name])
        try:
            return KnownValue(Constants(self.module).value(node))
        except Refused:
            return Unknown()

    def _dict(self, node: Any) -> Abstract:
        items: dict[Any, Abstract] = {}
        for key, value in zip(node.keys, node.values, strict=True):
            inner = self.value(value)
            if key is None:
                items |= inner.items if isinstance(inner, Struct) else {}
                continue
            is_known, name = known(self.value(key))
            if is_known and isinstance(name, str | int | float | bool | None):
                items[name] = inner
        return Struct(items)

    def _list(self, node: Any) -> Abstract:
        items = [self.value(item) for item in node.elts]
        if any(isinstance(item, ast.Starred) for item in node.elts):
            return dependent(*items)
        pairs = [known(item) for item in items]
        if isinstance(node, ast.Tuple) and all(is_known for is_known, _ in pairs):
            return KnownValue(tuple(value for _, value in pairs))
        return Listed(items)

    def _subscript(self, node: Any) -> Abstract:
        whole = self.value(node.value)
        if isinstance(node.slice, ast.Slice):
            return dependent(whole, *self._inner(node.slice))
        index = self.value(node.slice)
        is_known, key = known(index)
        if isinstance(whole, Struct) and is_known:
            return whole.items.get(key, Unknown())
        if isinstance(whole, Listed) and is_known and isinstance(key, int):
            return whole.items[key] if -len(whole.items) <= key < len(whole.items) else Unknown()
        return computed(operator.getitem, whole, index)

    def _attribute(self, node: Any) -> Abstract:
        whole = self.value(node.value)
        if isinstance(whole, Instance):
            if node.attr in whole.fields:
                return whole.fields[node.attr]
            method = self.module.method(whole.node, node.attr)
            return Unknown() if method is None else Function(method, {}, whole)
        if isinstance(whole, ChosenValue | Drawn):
            return dependent(whole)
        try:
            return KnownValue(Constants(self.module).value(node))
        except Refused:
            return Unknown()

    def _binary(self, node: Any) -> Abstract:
        left, right = self.value(node.left), self.value(node.right)
        return computed(lambda a, b: binary(node, a, b), left, right)

    def _unary(self, node: Any) -> Abstract:
        operand = self.value(node.operand)
        if isinstance(operand, Joint) and isinstance(node.op, ast.Not):
            return operand.opposite
        return computed(UNARY_OR_INVERT[type(node.op)], operand)

    def _compare(self, node: Any) -> Abstract:
        parts = [self.value(part) for part in (node.left, *node.comparators)]

        def test(*values: Any) -> bool:
            pairs = zip(node.ops, values[:-1], values[1:], strict=True)
            return all(compare(op, left, right) for op, left, right in pairs)

        return computed(test, *parts)

    def _boolean(self, node: Any) -> Abstract:
        first, *others = node.values
        value = self.value(first)
        for item in others:
            holds = value if isinstance(node.op, ast.And) else _opposite(value)
            # The next part is evaluated only if the ones before it do not decide.
            path = self.branch(holds, source(first))[0]
            if path is None:
                return value
            with self.at(path):
                other = self.value(item)
            value = _both(value, other, is_and=isinstance(node.op, ast.And))
        return value

    def branch(self, test: Abstract, text: str) -> tuple[Route | None, Route | None]:
        """Return the paths on which a test holds, and fails; ``None`` for one never taken."""
        path = self.frame.path
        is_known, value = known(test)
        if is_known:
            return (path, None) if value else (None, path)
        if isinstance(test, ChosenValue):
            holds = tuple(own for own, value in test.table if value)
            fails = tuple(own for own, value in test.table if not value)
            return (
                path.narrowed(test.name, holds, test.every),
                path.narrowed(test.name, fails, test.every),
            )
        if isinstance(test, Joint):
            return self._branches(test, text)
        reason = f"`{text}` is known only if the script runs"
        if isinstance(test, Drawn):
            names = ", ".join(f"`{name}`" for name in sorted(test.names))
            reason = f"`{text}` depends on {names} in a way that `when` cannot say"
        return path.doubtful(reason), path.doubtful(reason)

    def _branches(self, test: Joint, text: str) -> tuple[Route | None, Route | None]:
        """Return the paths of a test of several parameters: one of its sides is a path."""
        if not test.is_all:
            fails, holds = self._branches(test.opposite, text)
            return holds, fails
        path: Route | None = self.frame.path
        for part in test.parts:
            values = tuple(own for own, value in part.table if value)
            path = None if path is None else path.narrowed(part.name, values, part.every)
        names = ", ".join(f"`{part.name}`" for part in test.parts)
        reason = f"`{text}` depends on {names} in a way that `when` cannot say"
        return path, self.frame.path.doubtful(reason)

    def _condition(self, node: Any) -> Abstract:
        test = self.value(node.test)
        sides: list[Abstract] = []
        for path, side in zip(
            self.branch(test, source(node.test)), (node.body, node.orelse), strict=True
        ):
            if path is not None:
                with self.at(path):
                    sides.append(self.value(side))
        if len(sides) == 1:
            return sides[0]
        if isinstance(test, ChosenValue):
            return computed(lambda t, a, b: a if t else b, test, *sides)
        return dependent(test, *sides)

    def _text(self, node: Any) -> Abstract:
        parts: list[Abstract] = []
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                if part.format_spec is not None:
                    return dependent(self.value(part.value))
                parts.append(self.value(part.value))
            else:
                parts.append(KnownValue(part.value))
        return computed(lambda *texts: "".join(map(str, texts)), *parts)

    def _comprehension(self, node: Any) -> Abstract:
        element = node.value if isinstance(node, ast.DictComp) else node.elt
        generator = node.generators[0]
        if len(node.generators) > 1 or generator.ifs:
            raise_if_proposing(self, node)
            return Unknown()
        items: list[Abstract] = []
        before = dict(self.frame.names)
        for path, item in self.rounds(generator.iter):
            self.bind(generator.target, item)
            with self.at(path):
                if isinstance(node, ast.DictComp):
                    self.value(node.key)
                items.append(self.value(element))
        self.frame.names = before
        return Listed(items) if items and not isinstance(node, ast.DictComp) else Unknown()

    def rounds(self, node: ast.expr) -> Iterator[tuple[Route, Abstract]]:
        """Yield the path and the item of each round of a loop.

        A loop over something unknown has one round, with an unknown item.
        """
        whole = self.value(node)
        is_known, items = known(whole)
        if is_known and hasattr(items, "__iter__"):
            for item in list(items)[:MAX_ROUNDS]:
                yield self.frame.path, KnownValue(item)
        elif isinstance(whole, Listed):
            for inner in whole.items[:MAX_ROUNDS]:
                yield self.frame.path, inner
        elif isinstance(whole, ChosenValue) and all(hasattr(v, "__len__") for _, v in whole.table):
            for index in range(max(len(v) for _, v in whole.table)):
                long = tuple(own for own, v in whole.table if len(v) > index)
                path = self.frame.path.narrowed(whole.name, long, whole.every)
                values = [v[index] for _, v in whole.table if len(v) > index]
                same = all(value == values[0] for value in values)
                if path is not None:
                    yield path, KnownValue(values[0]) if same else dependent(whole)
        else:
            yield self.frame.path, dependent(whole)

    def bind(self, target: ast.expr, value: Abstract) -> None:
        """Assign a value to the names of a target."""
        if isinstance(target, ast.Name):
            self.frame.names[target.id] = value
        elif isinstance(target, ast.Tuple | ast.List):
            for index, inner in enumerate(target.elts):
                self.bind(inner, _item(value, index))
        elif isinstance(target, ast.Subscript):
            whole = self.value(target.value)
            is_known, key = known(self.value(target.slice))
            if isinstance(whole, Struct) and is_known:
                whole.items[key] = value
        elif isinstance(target, ast.Attribute):
            whole = self.value(target.value)
            if isinstance(whole, Instance):
                whole.fields[target.attr] = value
        elif isinstance(target, ast.Starred):
            self.bind(target.value, Unknown())

    def _named(self, node: Any) -> Abstract:
        value = self.value(node.value)
        self.bind(node.target, value)
        return value

    def _lambda(self, node: Any) -> Abstract:
        return Function(node, self.frame.names)

    # -- calls -----------------------------------------------------------------------------------

    def _call(self, node: Any) -> Abstract:
        if isinstance(node.func, ast.Attribute):
            owner = self.value(node.func.value)
            if isinstance(owner, TrialValue):
                proposed = self.suggest(node, node.func.attr)
                return dependent(*self._arguments(node)) if proposed is None else proposed
            if isinstance(owner, Struct | Listed):
                return self._changed(owner, node.func.attr, node)
        function = self.value(node.func)
        values = self._arguments(node)
        takes_trial = any(map(_holds_trial, values)) or _closes_over_trial(function)
        if isinstance(function, Class) and takes_trial:
            return self._made(function, node, values)
        if isinstance(function, Function) and takes_trial:
            return self.follow(function, node, values)
        path = self.module.dotted(node.func) or source(node.func)
        if isinstance(function, Function | Class):
            return dependent(*values)
        if takes_trial and not self.is_harmless(path) and not all(map(self._is_reader, values)):
            raise Refused(
                f"the trial goes to `{path}`, which is not in this file.",
                node,
                "Parameters may be proposed there, too.",
            )
        return self._constant_call(node, values)

    def _is_reader(self, value: Abstract) -> bool:
        """True for values by which a function of another file cannot propose a parameter.

        Those are objects of this file's classes that keep the trial to themselves, such as a
        callback that reports to it.
        """
        if isinstance(value, Struct):
            return all(map(self._is_reader, value.items.values()))
        if isinstance(value, Listed):
            return all(map(self._is_reader, value.items))
        if not isinstance(value, Instance):
            return not _holds_trial(value)
        held = {name for name, inner in value.fields.items() if _holds_trial(inner)}
        of_trial = {name for name in held if isinstance(value.fields[name], TrialValue)}
        every = list(ast.walk(value.node))
        stored = {
            source(node.value)
            for node in every
            if isinstance(node, ast.Assign)
            and any(isinstance(t, ast.Attribute) and t.attr in held for t in node.targets)
        }
        return held == of_trial and all(
            self._only_reads(node)
            for node in every
            if (isinstance(node, ast.Attribute) and node.attr in held)
            or (isinstance(node, ast.Name) and node.id in stored)
        )

    def _only_reads(self, node: ast.expr) -> bool:
        """True for ``node.report`` and its like, and where an object takes the trial."""
        around = self.module.parents.get(node)
        if isinstance(around, ast.Attribute):
            return around.attr in READING
        is_stored = isinstance(getattr(node, "ctx", None), ast.Store)
        return is_stored or (isinstance(around, ast.Assign) and around.value is node)

    def _arguments(self, node: ast.Call) -> list[Abstract]:
        return [self.value(a) for a in (*node.args, *(word.value for word in node.keywords))]

    def _constant_call(self, node: ast.Call, values: list[Abstract]) -> Abstract:
        if any(isinstance(a, ast.Starred) for a in node.args) or any(
            word.arg is None for word in node.keywords
        ):
            return dependent(*values)
        owner: list[Abstract] = []
        is_method = isinstance(node.func, ast.Attribute) and node.func.attr in METHODS
        if is_method and isinstance(node.func, ast.Attribute):
            owner = [self.value(node.func.value)]
            if isinstance(owner[0], Unknown | Drawn):
                owner = []
        names = [str(word.arg) for word in node.keywords]
        function = None
        if not owner:
            try:
                function = Constants(self.module, lookup=self._lookup)._function(node)
            except Refused:
                return dependent(*values, *self._inner(node.func))

        method = node.func.attr if isinstance(node.func, ast.Attribute) else ""

        def call(*everything: Any) -> Any:
            callee, *rest = everything if function is None else (function, *everything)
            if function is None:
                callee = getattr(callee, method)
            n = len(rest) - len(names)
            return callee(*rest[:n], **dict(zip(names, rest[n:], strict=True)))

        return computed(call, *owner, *values)

    def _lookup(self, node: ast.Name) -> Any:
        is_known, value = known(self.frame.names.get(node.id, Unknown()))
        if node.id in self.frame.names and (not is_known or node.id in self.rebound):
            raise Refused(f"`{node.id}` is known only if the script runs.", node)
        if not is_known:
            raise KeyError(node.id)
        return value

    def _changed(self, owner: Struct | Listed, method: str, node: ast.Call) -> Abstract:
        values = self._arguments(node)
        if isinstance(owner, Listed) and method == "append" and values:
            owner.items.append(values[0])
        elif isinstance(owner, Struct) and method == "update":
            for value in values[: len(node.args)]:
                owner.items |= value.items if isinstance(value, Struct) else {}
            for word, value in zip(node.keywords, values[len(node.args) :], strict=True):
                if word.arg is not None:
                    owner.items[word.arg] = value
        elif isinstance(owner, Struct) and method in ("items", "keys", "values") and not values:
            pairs: dict[str, list[Abstract]] = {
                "items": [Listed([KnownValue(key), value]) for key, value in owner.items.items()],
                "keys": [KnownValue(key) for key in owner.items],
                "values": list(owner.items.values()),
            }
            return Listed(pairs[method])
        elif isinstance(owner, Struct) and method in ("get", "pop") and values:
            is_known, key = known(values[0])
            return owner.items.get(key, Unknown()) if is_known else dependent(*values)
        return Unknown()

    def _made(self, cls: Class, node: ast.Call, values: list[Abstract]) -> Abstract:
        instance = Instance(cls.node)
        maker = self.module.method(cls.node, "__init__")
        if maker is not None:
            self.follow(Function(maker, {}, instance), node, values)
        return instance


def _opposite(value: Abstract) -> Abstract:
    return value.opposite if isinstance(value, Joint) else computed(operator.not_, value)


def _both(left: Abstract, right: Abstract, *, is_and: bool) -> Abstract:
    """Return ``left and right``, or ``left or right``."""
    value = computed((lambda a, b: a and b) if is_and else (lambda a, b: a or b), left, right)
    if not isinstance(value, Drawn):
        return value
    parts: list[ChosenValue] = []
    for side in (left, right):
        if isinstance(side, Joint) and side.is_all is is_and:
            parts += side.parts
        elif isinstance(side, ChosenValue):
            parts.append(side)
        else:
            return value
    return Joint(tuple(parts), is_and)


def _item(value: Abstract, index: int) -> Abstract:
    if isinstance(value, Listed):
        return value.items[index] if index < len(value.items) else Unknown()
    return computed(lambda whole: whole[index], value)


def _holds_trial(value: Abstract) -> bool:
    if isinstance(value, Struct):
        return any(map(_holds_trial, value.items.values()))
    if isinstance(value, Listed):
        return any(map(_holds_trial, value.items))
    if isinstance(value, Instance):
        return any(map(_holds_trial, value.fields.values()))
    return isinstance(value, TrialValue)


def _closes_over_trial(function: Abstract) -> bool:
    if not isinstance(function, Function):
        return False
    if function.owner is not None and _holds_trial(function.owner):
        return True
    used = {n.id for n in ast.walk(function.node) if isinstance(n, ast.Name)}
    return any(name in used and _holds_trial(value) for name, value in function.around.items())


def raise_if_proposing(expressions: Expressions, node: ast.AST) -> None:
    """Refuse a part that cannot be followed, if it could propose parameters.

    Raises:
        Refused: it uses the trial.
    """
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name) and isinstance(
            expressions.frame.names.get(inner.id), TrialValue
        ):
            raise Refused("parameters that are proposed here have no equal.", place_of(node))


READERS: dict[type[ast.expr], Callable[[Expressions, Any], Abstract]] = {
    ast.Constant: lambda _, node: KnownValue(node.value),
    ast.Name: Expressions._name,
    ast.Dict: Expressions._dict,
    ast.List: Expressions._list,
    ast.Tuple: Expressions._list,
    ast.Subscript: Expressions._subscript,
    ast.Attribute: Expressions._attribute,
    ast.BinOp: Expressions._binary,
    ast.UnaryOp: Expressions._unary,
    ast.Compare: Expressions._compare,
    ast.BoolOp: Expressions._boolean,
    ast.IfExp: Expressions._condition,
    ast.JoinedStr: Expressions._text,
    ast.ListComp: Expressions._comprehension,
    ast.GeneratorExp: Expressions._comprehension,
    ast.SetComp: Expressions._comprehension,
    ast.DictComp: Expressions._comprehension,
    ast.NamedExpr: Expressions._named,
    ast.Lambda: Expressions._lambda,
    ast.Call: Expressions._call,
}
