"""The best-parameters file: what the training program reads.

Two keys: ``params`` holds the winner, ``meta`` where it came from. A file written by hand may hold
the parameters alone. YAML is written so that YAML 1.1 readers (PyYAML) and YAML 1.2 readers find
the same values in it.
"""

import json
import math
import re
from pathlib import Path
from typing import Any

from tunesmith.errors import UsageError
from tunesmith.fingerprint import digest
from tunesmith.report.ranking import Ranked
from tunesmith.report.summary import Summary

FORMATS = (".json", ".yaml", ".yml", ".toml")
PLAIN_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*\Z")
MAX_PLAIN_KEY = 1000
NOT_TEXT = {"y", "n", "yes", "no", "on", "off", "true", "false", "null", "none", "nan", "inf"}
"""Words that some YAML reader takes for something else than text."""


def best_parameters(summary: Summary, suffix: str) -> str:
    """The content of the best-parameters file.

    Args:
        summary: with a complete trial.
        suffix: ``.yaml``, ``.yml``, ``.json`` or ``.toml``.

    Raises:
        UsageError: TOML cannot hold a null, and there is one.
    """
    best = summary.best
    if best is None:
        raise UsageError(f"study `{summary.study}` has no complete trial")
    content = {"params": dict(sorted(best.params.items())), "meta": meta(summary, best)}
    if suffix == ".json":
        return json.dumps(content, indent=2, allow_nan=False, ensure_ascii=False) + "\n"
    if suffix == ".toml":
        return _toml(content)
    return _header(summary) + yaml_text(content)


def meta(summary: Summary, best: Ranked) -> dict[str, Any]:
    """Where the parameters come from; the digest shows whether somebody edited them since."""
    return {
        "study": summary.study,
        "trial": best.number,
        "metric": summary.metric.name,
        "mean": best.means[summary.metric.name],
        "std": best.stds[summary.metric.name],
        "folds": summary.n_folds,
        "digest": digest(dict(best.params)),
    }


def read_parameters(path: Path) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """The params of a best-parameters file, and its ``meta`` if it has one.

    Raises:
        UsageError: it cannot be read, or does not hold parameters.
    """
    from tunesmith.config.source import read_document

    data = read_document(path).data
    if not isinstance(data, dict):
        raise UsageError(f"{path}: expected parameters by name")
    if isinstance(data.get("params"), dict) and set(data) <= {"params", "meta"}:
        return data["params"], data.get("meta")
    return data, None


def _header(summary: Summary) -> str:
    return f"# The best parameters of study {summary.study}, written by Tunesmith.\n"


# -- YAML that all readers agree on --------------------------------------------------------------


def yaml_text(content: dict[str, Any], indent: int = 0) -> str:
    """Block mappings of scalars; lists and nested values in JSON's flow style.

    >>> print(yaml_text({"lr": 1e-05, "mode": "no", "layers": [64, 32]}), end="")
    lr: 1.0e-05
    mode: "no"
    layers: [64, 32]
    """
    lines = []
    for key, value in content.items():
        name = _key(key, f"\n{' ' * indent}")
        if isinstance(value, dict) and value:
            lines.append(f"{' ' * indent}{name}:\n{yaml_text(value, indent + 2)}")
        else:
            lines.append(f"{' ' * indent}{name}: {flow(value)}\n")
    return "".join(lines)


def _key(text: str, before_colon: str = " ") -> str:
    # Readers look at most 1024 characters ahead for a colon; a longer key has to say what it is.
    written = scalar(text)
    return written if len(written) < MAX_PLAIN_KEY else f"? {written}{before_colon}"


def flow(value: Any) -> str:
    """A value on one line."""
    if isinstance(value, list):
        return f"[{', '.join(map(flow, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_key(k)}: {flow(v)}' for k, v in value.items())}}}"
    return scalar(value)


def scalar(value: Any) -> str:
    """A scalar that YAML 1.1 and 1.2 read alike.

    >>> [scalar(v) for v in (None, True, 3, 1e22, "rbf", "1e-3", "12:30", "a: b")]
    ['null', 'true', '3', '1.0e+22', 'rbf', '"1e-3"', '"12:30"', '"a: b"']
    """
    if value is None or isinstance(value, bool | int):
        return json.dumps(value)
    if isinstance(value, float):
        return _float(value)
    is_plain = PLAIN_WORD.match(value) and value.lower() not in NOT_TEXT
    return value if is_plain else _quoted(value)


def _float(value: float) -> str:
    if not math.isfinite(value):
        raise UsageError(f"{value} cannot be written to a parameters file")
    # YAML 1.1 wants a point in the mantissa and a sign in the exponent.
    mantissa, e, exponent = repr(value).partition("e")
    if not e:
        return mantissa
    point = mantissa if "." in mantissa else f"{mantissa}.0"
    return f"{point}e{exponent if exponent[0] in '+-' else f'+{exponent}'}"


def _quoted(text: str) -> str:
    # JSON's escapes are YAML's, but for characters beyond the basic plane.
    return "".join(_escaped(character) for character in json.dumps(text, ensure_ascii=False))


def _escaped(character: str) -> str:
    code = ord(character)
    if 0x20 <= code < 0x7F:
        return character
    if code > 0xFFFF:
        return f"\\U{code:08x}"
    return f"\\u{code:04x}"


def _toml(content: dict[str, dict[str, Any]]) -> str:
    import tomlkit

    for name, value in content["params"].items():
        if _holds_null(value):
            raise UsageError(
                f"outputs.best: TOML has no null, but the best `{name}` holds one."
                " Name a .yaml or .json file."
            )
    return tomlkit.dumps(content)


def _holds_null(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_holds_null, value.values()))
    return value is None or (isinstance(value, list) and any(map(_holds_null, value)))
