"""The best-parameters file: what the training program reads.

Two keys: ``params`` holds the winner, ``meta`` where it came from. A file written by hand may hold
the parameters alone. YAML is written so that YAML 1.1 readers (PyYAML) and YAML 1.2 readers find
the same values in it.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tunesmith import git
from tunesmith.errors import UsageError
from tunesmith.fingerprint import digest
from tunesmith.formats.toml import holds_null
from tunesmith.formats.yaml_text import yaml_text
from tunesmith.reporting.ranking import Ranked
from tunesmith.reporting.summary import Summary
from tunesmith.types import Params

FORMATS = (".json", ".yaml", ".yml", ".toml")


def best_parameters(
    summary: Summary, suffix: str, trial: Ranked | None = None, *, is_adopted: bool = False
) -> str:
    """The content of the best-parameters file.

    Args:
        summary: with a complete trial.
        suffix: ``.yaml``, ``.yml``, ``.json`` or ``.toml``.
        trial: whose parameters; by default the winner's.
        is_adopted: note that a person has chosen another trial than the winner.

    Raises:
        UsageError: TOML cannot hold a null, and there is one.
    """
    best = trial or summary.chosen
    if best is None:
        raise UsageError(f"study `{summary.study}` has no complete trial")
    origin = meta(summary, best) | ({"adopted": True} if is_adopted else {})
    return parameters_text(best.params, origin, suffix)


def parameters_text(params: Params, origin: Mapping[str, Any], suffix: str) -> str:
    """The content of a best-parameters file.

    Args:
        params: of a trial.
        origin: as from ``meta``.
        suffix: ``.yaml``, ``.yml``, ``.json`` or ``.toml``.

    Raises:
        UsageError: TOML cannot hold a null, and there is one.
    """
    content = {"params": dict(sorted(params.items())), "meta": dict(origin)}
    if suffix == ".json":
        return json.dumps(content, indent=2, allow_nan=False, ensure_ascii=False) + "\n"
    if suffix == ".toml":
        return _toml(content)
    header = f"# The best parameters of study {origin['study']}, written by Tunesmith.\n"
    return header + yaml_text(content)


def meta(summary: Summary, best: Ranked) -> dict[str, Any]:
    """Where the parameters come from; the digest shows whether somebody edited them since."""
    is_chosen = best == summary.chosen and summary.selection != "best"
    return {
        "study": summary.study,
        "trial": best.number,
        **({"selection": summary.selection} if is_chosen else {}),
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

    return params_and_meta(read_document(path).data, str(path))


def committed_parameters(root: Path, revision: str, name: str) -> dict[str, Any] | None:
    """The params of a best-parameters file as a revision has it; ``None`` where it has none.

    Args:
        root: the project folder.
        revision: of Git, as ``origin/main``.
        name: the file's path below the project folder.

    Raises:
        UsageError: there is no such revision, or the file does not hold parameters.
    """
    from tunesmith.config.source import parse_document

    commit = git.commit(root, revision)
    if commit is None:
        raise UsageError(
            f"gate.base: there is no revision `{revision}` here.\n"
            "  CI often fetches one commit alone: fetch the base branch, too."
        )
    text = git.content(root, commit, name)
    if text is None:
        return None
    document = parse_document(text, Path(name))
    return params_and_meta(document.data, f"{revision}:{name}")[0]


def params_and_meta(data: Any, place: str) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """The params of a best-parameters file's content, and its ``meta`` if it has one.

    Raises:
        UsageError: it does not hold parameters.
    """
    if not isinstance(data, dict):
        raise UsageError(f"{place}: expected parameters by name")
    if isinstance(data.get("params"), dict) and set(data) <= {"params", "meta"}:
        return data["params"], data.get("meta")
    return data, None


def is_as_written(path: Path, study: str) -> bool:
    """Whether a file holds what a run of this study wrote, unedited.

    Raises:
        UsageError: it cannot be read.
    """
    params, meta = read_parameters(path)
    return meta is not None and (meta.get("study"), meta.get("digest")) == (study, digest(params))


def _toml(content: dict[str, dict[str, Any]]) -> str:
    import tomlkit

    for name, value in content["params"].items():
        if holds_null(value):
            raise UsageError(
                f"a TOML file has no null, but the best `{name}` holds one."
                " Name a .yaml or .json file."
            )
    return tomlkit.dumps(content)
