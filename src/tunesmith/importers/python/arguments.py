"""Arguments of a call by name."""

import ast
from collections.abc import Sequence

from tunesmith.importers.python.constants import source
from tunesmith.importers.refusal import Refused


def by_name(call: ast.Call, positions: Sequence[str]) -> dict[str, ast.expr]:
    """Return the arguments of a call by name.

    Args:
        call: to read.
        positions: names of the arguments that may be given without one.

    Raises:
        Refused: some are handed over in a way that only a run would tell.

    >>> sorted(by_name(ast.parse("f(1, b=2)", mode="eval").body, ("a",)))
    ['a', 'b']
    """
    starred = [a for a in call.args if isinstance(a, ast.Starred)]
    if starred or any(word.arg is None for word in call.keywords):
        raise Refused("arguments behind a star are known only if the script runs.", call)
    if len(call.args) > len(positions):
        raise Refused(f"`{source(call)}` has more arguments than are known.", call)
    named = dict(zip(positions, call.args, strict=False))
    return named | {str(word.arg): word.value for word in call.keywords}
