"""The command of one run: words in braces are replaced within an item, never by a shell."""

import json
import re
import string
from collections.abc import Iterator, Mapping, Sequence

from tunesmith.errors import UsageError, did_you_mean
from tunesmith.types import Params, Value

PLACES = (
    "params",
    "metrics",
    "predictions",
    "progress",
    "fold",
    "train",
    "test",
    "seed",
    "checkpoint",
    "run",
    "workspace",
)
"""Words in braces that stand for something else than a parameter."""
NAME = re.compile(r"[\w.]+\Z")
BRACES = "A literal brace is written twice: {{ or }}."


def words_of(item: str) -> list[str]:
    """List the words in braces of an item; doubled braces are plain ones.

    >>> words_of("--lr={learning_rate}{{x}}")
    ['learning_rate']
    """
    return [name for _, name, _, _ in string.Formatter().parse(item) if name is not None]


def blockers(command: Sequence[str], known: Sequence[str]) -> Iterator[str]:
    """List the mistakes in a command.

    Args:
        command: items as configured.
        known: names of parameters, and all other words that may be in braces.
    """
    for index, item in enumerate(command):
        try:
            words = words_of(item)
        except ValueError as error:
            yield (f"objective.command.{index}: {item!r}: {error}. {BRACES}")
            continue
        yield from (f"objective.command.{index}: {text}" for text in _unknown(words, known))
        yield from (f"objective.command.{index}: {text}" for text in _formatted(item))


def _unknown(words: Sequence[str], known: Sequence[str]) -> Iterator[str]:
    for word in words:
        if word not in known:
            is_name = bool(NAME.match(word))
            hint = did_you_mean(word, known) if is_name else BRACES
            yield f"nothing is named `{{{word}}}`. {hint}"


def _formatted(item: str) -> Iterator[str]:
    for _, name, form, conversion in string.Formatter().parse(item):
        if form or conversion:
            yield f"`{{{name}}}` stands for the value as it is: no format may follow the name."


def ambiguous(command: Sequence[str], names: Sequence[str]) -> list[str]:
    """List words that are both a parameter and something else.

    Args:
        command: items as configured, of which ``blockers`` finds nothing wrong.
        names: of the parameters.
    """
    used = {word for item in command for word in _words_if_any(item)}
    return [
        f"objective.command: `{{{name}}}` is the name of a parameter, and of something that every"
        " run has. Call the parameter something else."
        for name in sorted(used & {*names} & {*PLACES})
    ]


def _words_if_any(item: str) -> list[str]:
    try:
        return words_of(item)
    except ValueError:
        return []


def fill(command: Sequence[str], values: Mapping[str, str], params: Params) -> list[str]:
    """Fill in the items of one run.

    An item with a parameter that is not active in these params is left out, so write ``--lr={lr}``
    as one item, not as two.

    Args:
        command: items as configured.
        values: texts for words that are no parameters.
        params: the trial's params.

    Raises:
        UsageError: a value would be taken for an option.

    >>> fill(["train", "--lr={lr}", "--depth={depth}"], {}, {"lr": 0.1})
    ['train', '--lr=0.1']
    """
    texts = {name: text_of(value) for name, value in params.items()} | dict(values)
    items = []
    for item in command:
        words = words_of(item)
        if any(word not in texts for word in words):
            continue
        # Not by `str.format`, which takes a dot in a name for an attribute.
        filled = "".join(
            literal + (texts[name] if name is not None else "")
            for literal, name, _, _ in string.Formatter().parse(item)
        )
        if "\0" in filled:
            raise UsageError(f"objective.command: {item} holds a null byte, which no argument can")
        items.append(filled)
    return items


def risky(command: Sequence[str], names: Sequence[str]) -> list[str]:
    """List items that begin with a parameter: a value such as ``-1`` would look like an option."""
    starts = {f"{{{name}}}" for name in names}
    return [item for item in command if any(item.startswith(start) for start in starts)]


def text_of(value: Value) -> str:
    """Write a value as an argument: words as they are, anything else as JSON.

    >>> [text_of(value) for value in (0.1, True, None, "a b", [1, 2])]
    ['0.1', 'true', 'null', 'a b', '[1, 2]']
    """
    return value if isinstance(value, str) else json.dumps(value, allow_nan=False)
