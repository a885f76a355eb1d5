"""The parameters that a function proposes, told by following its statements; nothing is run.

Every statement that may be reached is followed once, with the conditions under which it is reached:
branches by their tests, loops by their rounds, calls of functions of the same file. If a parameter
is proposed at a place that only a run would tell of, it is refused.
"""

import ast
from collections.abc import Callable
from typing import Any, Protocol

from tunesmith.errors import Path
from tunesmith.importers.draft import Draft
from tunesmith.importers.python.abstract import (
    Abstract,
    ChosenValue,
    Drawn,
    Function,
    Instance,
    KnownValue,
    TrialValue,
    Unknown,
    computed,
    copied,
    dependent,
    joined,
    known,
)
from tunesmith.importers.python.conditions import Route, are_disjoint, is_in, united
from tunesmith.importers.python.constants import Constants, binary, source
from tunesmith.importers.python.expressions import CallFrame, Expressions
from tunesmith.importers.python.module import FUNCTIONS, PythonModule, rebound_names
from tunesmith.importers.python.proposal import Proposal
from tunesmith.importers.python.variants import Box, boxes_of
from tunesmith.importers.ranges import with_conditions
from tunesmith.importers.refusal import Refusals, Refused, place_of

MAX_DEPTH = 20
ENDS = (ast.Return, ast.Raise, ast.Continue, ast.Break)


class Dialect(Protocol):
    """The part of a tool: its calls that propose parameters."""

    first_counts: bool
    """True if a name keeps its first range, whatever a later call says."""

    def propose(self, follower: "Follower", call: ast.Call, method: str) -> Proposal | None:
        """Return the parameter that a method of the trial proposes; ``None`` for another method."""

    def is_harmless(self, path: str) -> bool:
        """Tell whether a function of another file may be given the trial."""

    def scope(self, follower: "Follower", node: ast.expr) -> Route | None:
        """Return the path within a ``with`` that is a condition; ``None`` for any other."""


class Follower(Expressions):
    """Follows one function, and collects what it proposes."""

    def __init__(self, module: PythonModule, dialect: Dialect) -> None:
        super().__init__(module)
        self.dialect = dialect
        self.proposals: dict[str, Proposal] = {}
        """First proposal of each name."""
        self.variants: list[Proposal] = []
        """All proposals, of which one name may have several with different ranges."""
        self.refusals = Refusals()
        self._calls: list[int] = []
        self._left = ""
        """Place at which the whole trial may have ended, if there is one."""

    def run(self, function: Function, trial: str) -> list[Abstract]:
        """Follow a function.

        Args:
            function: to follow.
            trial: name of the argument that proposes values.

        Returns:
            What it may return.
        """
        names: dict[str, Abstract] = dict(function.around)
        arguments = function.node.args
        for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
            names[argument.arg] = Unknown()
        for name, default in _defaults(arguments):
            # A study calls its objective with the trial alone.
            names[name] = self._default(default)
        if function.owner is not None and arguments.args:
            names[arguments.args[0].arg] = function.owner
        names[trial] = TrialValue()
        self.frame = CallFrame(names, Route())
        self._run(function)
        return self.frame.returned

    def _run(self, function: Function) -> None:
        self.rebound |= set(rebound_names(function.node))
        if isinstance(function.node, ast.Lambda):
            self.frame.returned.append(self.value(function.node.body))
        else:
            self.block(function.node.body)

    def _default(self, node: ast.expr) -> Abstract:
        try:
            return KnownValue(Constants(self.module).value(node))
        except Refused:
            return Unknown()

    # -- proposals -------------------------------------------------------------------------------

    def is_harmless(self, path: str) -> bool:
        """True if a function of another package may be given the trial."""
        return self.dialect.is_harmless(path)

    def suggest(self, call: ast.Call, method: str) -> Abstract | None:
        """Record a parameter that a call proposes; ``None`` if it proposes none."""
        try:
            proposal = self.dialect.propose(self, call, method)
            if proposal is None:
                return None
            proposal.place = place_of(call)
            self._record(proposal, call)
        except Refused as refused:
            self.refusals.items.append(refused)
            return Unknown()
        stored = self.proposals[proposal.name]
        if stored.values is not None and stored.definition == self._counted(proposal):
            return ChosenValue(stored.name, stored.values)
        return Drawn(frozenset({proposal.name}))

    def _counted(self, proposal: Proposal) -> Any:
        """Return the definition that counts for a name."""
        if self.dialect.first_counts:
            return self.proposals[proposal.name].definition
        return proposal.definition

    def _record(self, proposal: Proposal, call: ast.Call) -> None:
        doubt = self.frame.path.doubt or self._left
        if doubt:
            message = f"`{proposal.name}` may or may not be proposed here: {doubt}."
            raise Refused(message, call)
        same = [p for p in self.variants if p.name == proposal.name]
        for before in same:
            if self.dialect.first_counts and before.definition != proposal.definition:
                note = f"another range in line {place_of(call)[0]} has no effect in Keras Tuner"
                before.notes = (*before.notes, note)
            if self.dialect.first_counts or repr(before.definition) == repr(proposal.definition):
                before.paths.append(self.frame.path)
                return
        for before in same:
            if not all(are_disjoint(p.needs, self.frame.path.needs) for p in before.paths):
                line = before.place[0]
                message = f"`{proposal.name}` was proposed with another range in line {line}."
                raise Refused(message, call)
        proposal.paths.append(self.frame.path)
        self.variants.append(proposal)
        self.proposals.setdefault(proposal.name, proposal)

    # -- statements ------------------------------------------------------------------------------

    def block(self, statements: list[ast.stmt]) -> bool:
        """Follow statements in order; return True if the end is never reached.

        The path afterwards is that of the end: narrower if some cases have left before.
        """
        for statement in statements:
            try:
                is_end = self._statement(statement)
            except RecursionError:
                raise Refused("this is nested too deeply.", statement) from None
            if is_end:
                return True
        return False

    def _statement(self, node: ast.stmt) -> bool:
        reader = STATEMENTS.get(type(node))
        if reader is not None:
            return bool(reader(self, node))
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self.value(child)
        return isinstance(node, ENDS)

    def _assign(self, node: Any) -> bool:
        value = self.value(node.value)
        for target in node.targets:
            self.bind(target, value)
        return False

    def _annotated(self, node: Any) -> bool:
        if node.value is not None:
            self.bind(node.target, self.value(node.value))
        return False

    def _augmented(self, node: Any) -> bool:
        before = self.value(node.target)
        operation = ast.BinOp(node.target, node.op, node.value)
        ast.copy_location(operation, node)
        value = computed(lambda a, b: binary(operation, a, b), before, self.value(node.value))
        self.bind(node.target, value)
        return False

    def _return(self, node: Any) -> bool:
        self.frame.returned.append(
            KnownValue(None) if node.value is None else self.value(node.value)
        )
        return True

    def _raise(self, node: Any) -> bool:
        # Unlike a return, it ends the callers, too.
        is_conditional = self.frame.path.doubt or (self._calls and self.frame.path.needs)
        if is_conditional and not self._left and not is_error([node]):
            self._left = f"the trial may have ended in line {node.lineno}"
        return True

    def _if(self, node: Any) -> bool:
        test = self.value(node.test)
        sides = self.branch(test, source(node.test))
        return self._sides(test, sides, (node.body, node.orelse))

    def _sides(
        self,
        test: Abstract | None,
        sides: tuple[Route | None, Route | None],
        blocks: tuple[list[ast.stmt], list[ast.stmt]],
    ) -> bool:
        before = {name: copied(value) for name, value in self.frame.names.items()}
        after: list[tuple[Route, dict[str, Abstract]]] = []
        is_whole = True
        for path, block in zip(sides, blocks, strict=True):
            if path is None:
                continue
            self.frame.names = {name: copied(value) for name, value in before.items()}
            with self.at(path):
                is_end = self.block(block)
                ended = self.frame.path
            # A trial that fails with some values is a failed trial, and not another space.
            is_whole = is_whole and ended == path and (not is_end or is_error(block))
            if not is_end:
                after.append((ended, self.frame.names))
        if not after:
            return True
        if len(after) == 2:
            self.frame.names = joined(test, after[0][1], after[1][1])
        else:
            self.frame.names = after[0][1]
        if not is_whole:
            # Some cases have left: what follows is reached by the others alone.
            self.frame.path = self._reached([path for path, _ in after])
        return False

    def _reached(self, paths: list[Route]) -> Route:
        doubt = next((path.doubt for path in paths if path.doubt), "")
        needs = united([path.needs for path in paths])
        if needs is None:
            return Route({}, doubt or "some cases end before, in a way that `when` cannot say")
        return Route(needs, doubt)

    def _for(self, node: Any) -> bool:
        entered = self.frame.path
        leaves = _leaves(node.body)
        reached = entered
        for path, item in self.rounds(node.iter):
            self.bind(node.target, item)
            before = dict(self.frame.names)
            own = _both(path, reached)
            if own is None:
                break
            with self.at(own):
                is_end = self.block(node.body)
                ended = self.frame.path
            if own != entered:
                self.frame.names = joined(None, before, self.frame.names)
            if is_end and leaves != {ast.Continue}:
                break
            if ended != own and leaves != {ast.Continue}:
                reached = ended if leaves == {ast.Break} else ended.doubtful(_may_end(node))
        if ast.Return in leaves and reached != entered:
            self.frame.path = entered.doubtful(_may_end(node))
        self.block(node.orelse)
        return False

    def _while(self, node: Any) -> bool:
        self.value(node.test)
        with self.at(self.frame.path.doubtful(f"the loop in line {node.lineno} may not begin")):
            self.block(node.body)
        if ast.Return in _leaves(node.body):
            self.frame.path = self.frame.path.doubtful(_may_end(node))
        return False

    def _try(self, node: Any) -> bool:
        is_end = self.block(node.body)
        names = {name: copied(value) for name, value in self.frame.names.items()}
        for handler in node.handlers:
            doubt = f"line {handler.lineno} handles an error that may not happen"
            with self.at(self.frame.path.doubtful(doubt)):
                self.block(handler.body)
            names = joined(None, names, self.frame.names)
        self.frame.names = names
        is_end = self.block(node.orelse) or is_end
        # A handler may go on where the body has ended.
        return self.block(node.finalbody) or (is_end and not node.handlers)

    def _with(self, node: Any) -> bool:
        for item in node.items:
            path = self.dialect.scope(self, item.context_expr)
            if path is not None:
                with self.at(path):
                    return self.block(node.body)
            value = self.value(item.context_expr)
            if item.optional_vars is not None:
                self.bind(item.optional_vars, value)
        return self.block(node.body)

    def _match(self, node: Any) -> bool:
        subject = self.value(node.subject)
        return self._cases(subject, node.subject, node.cases)

    def _cases(self, subject: Abstract, shown: ast.expr, cases: list[ast.match_case]) -> bool:
        if not cases:
            return False
        first, *others = cases
        test = Unknown() if first.guard else self._matches(subject, first.pattern)
        sides = self.branch(test, f"case {ast.unparse(first.pattern)}")
        rest: list[ast.stmt] = []
        if others:
            rest = [ast.copy_location(ast.Match(shown, others), first.body[0])]
        return self._sides(test, sides, (first.body, rest))

    def _matches(self, subject: Abstract, pattern: ast.pattern) -> Abstract:
        if isinstance(pattern, ast.MatchAs) and pattern.pattern is None:
            return KnownValue(True)
        options = pattern.patterns if isinstance(pattern, ast.MatchOr) else [pattern]
        values = []
        for option in options:
            if isinstance(option, ast.MatchSingleton):
                values.append(option.value)
            elif isinstance(option, ast.MatchValue):
                is_known, value = known(self.value(option.value))
                if not is_known:
                    return Unknown()
                values.append(value)
            else:
                return Unknown()
        return computed(lambda own: own in values, subject)

    def _function(self, node: Any) -> bool:
        self.frame.names[node.name] = Function(node, self.frame.names)
        return False

    # -- calls -----------------------------------------------------------------------------------

    def follow(self, function: Function, call: ast.Call, values: list[Abstract]) -> Abstract:
        """Follow a call of a function of the file."""
        key = id(function.node)
        if self._calls.count(key) > 1 or len(self._calls) > MAX_DEPTH:
            raise Refused(f"`{source(call.func)}` calls itself.", call)
        frame = CallFrame(self._names(function, call, values), self.frame.path)
        before, self.frame = self.frame, frame
        self._calls.append(key)
        try:
            self._run(function)
        finally:
            self._calls.pop()
            self.frame = before
        if len(frame.returned) == 1:
            return frame.returned[0]
        return dependent(*frame.returned) if frame.returned else KnownValue(None)

    def _names(
        self, function: Function, call: ast.Call, values: list[Abstract]
    ) -> dict[str, Abstract]:
        arguments, names = function.node.args, dict(function.around)
        positional = [a.arg for a in (*arguments.posonlyargs, *arguments.args)]
        for argument in (*positional, *(a.arg for a in arguments.kwonlyargs)):
            names[argument] = Unknown()
        for argument, default in _defaults(arguments):
            names[argument] = self._default(default)
        if function.owner is not None and positional:
            names[positional.pop(0)] = function.owner
        is_starred = any(isinstance(a, ast.Starred) for a in call.args)
        if is_starred or any(word.arg is None for word in call.keywords):
            raise Refused("arguments behind a star are known only if the script runs.", call)
        names |= dict(zip(positional, values, strict=False))
        for word, value in zip(call.keywords, values[len(call.args) :], strict=True):
            names[str(word.arg)] = value
        return names


def is_error(block: list[ast.stmt]) -> bool:
    """Tell whether a block ends with an error, and not with the end of a pruned trial."""
    last = block[-1] if block else None
    return isinstance(last, ast.Raise) and "Pruned" not in ast.unparse(last)


def _may_end(node: ast.stmt) -> str:
    return f"the loop in line {node.lineno} may end before"


def _leaves(statements: list[ast.stmt]) -> set[type[ast.stmt]]:
    """Return the kinds of statements by which a loop's body is left before its end."""
    kinds: set[type[ast.stmt]] = set()
    for statement in statements:
        for node in ast.walk(statement):
            if isinstance(node, ast.Return | ast.Continue | ast.Break):
                kinds.add(type(node))
    return kinds


def _both(one: Route, other: Route) -> Route | None:
    """Return the path on which two paths are taken; ``None`` if that is never."""
    needs = dict(one.needs)
    for name, values in other.needs.items():
        needs[name] = tuple(v for v in needs.get(name, values) if is_in(v, values))
        if not needs[name]:
            return None
    return Route(needs, one.doubt or other.doubt)


def _defaults(arguments: ast.arguments) -> list[tuple[str, ast.expr]]:
    positional = [*arguments.posonlyargs, *arguments.args]
    last = positional[len(positional) - len(arguments.defaults) :]
    pairs = list(zip((a.arg for a in last), arguments.defaults, strict=True))
    words = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    return [*pairs, *((a.arg, d) for a, d in words if d is not None)]


def proposals_of(
    module: PythonModule, dialect: Dialect, function: Function, trial: str
) -> list[Box]:
    """Return the boxes of what a function proposes.

    Raises:
        RefusedAll: all the parts that have no equal.
    """
    follower = Follower(module, dialect)
    with follower.refusals.collecting():
        follower.run(function, trial)
    follower.refusals.done()
    return boxes_of(follower.variants)


def put_proposals(draft: Draft, boxes: list[Box]) -> None:
    """Set the space.

    Raises:
        Refused: a definition is not valid.
    """
    if len(boxes) > 1:
        draft.content["space"] = [{} for _ in boxes]
    for index, box in enumerate(boxes):
        where: Path = ("space", index) if len(boxes) > 1 else ("space",)
        for proposal, when in box:
            path = (*where, proposal.name)
            draft.put(path, with_conditions(proposal.definition, when), *proposal.notes)
            draft.places[path] = proposal.place
    if len(boxes) > 1:
        draft.note(("space",), "one name has several ranges: each list entry is a space of its own")


def self_of(module: PythonModule, node: ast.AST) -> Instance | None:
    """Return an object of the class around a method; ``None`` for a function."""
    around = module.parents.get(node)
    return Instance(around) if isinstance(around, ast.ClassDef) else None


STATEMENTS: dict[type[ast.stmt], Callable[[Follower, Any], bool]] = {
    ast.Assign: Follower._assign,
    ast.AnnAssign: Follower._annotated,
    ast.AugAssign: Follower._augmented,
    ast.Return: Follower._return,
    ast.Raise: Follower._raise,
    ast.If: Follower._if,
    ast.For: Follower._for,
    ast.AsyncFor: Follower._for,
    ast.While: Follower._while,
    ast.Try: Follower._try,
    ast.With: Follower._with,
    ast.AsyncWith: Follower._with,
    ast.Match: Follower._match,
    **dict.fromkeys(FUNCTIONS, Follower._function),
}
