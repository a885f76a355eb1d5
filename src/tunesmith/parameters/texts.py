"""Texts of best parameters: writing and reading them.

A new file has two keys: ``params`` holds the winner, ``meta`` its origin. Other shapes are handled
in ``shape``. YAML is written so that YAML 1.1 readers (PyYAML) and YAML 1.2 readers find the same
values in it.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tunesmith.analysis.ranking import Ranked
from tunesmith.analysis.summary import Summary
from tunesmith.errors import UsageError
from tunesmith.formats.new import new_text
from tunesmith.parameters.shape import PLAIN, Shape, header_of
from tunesmith.system import git
from tunesmith.system.fingerprint import digest
from tunesmith.types import Params


def best_parameters(
    summary: Summary, suffix: str, trial: Ranked | None = None, *, is_adopted: bool = False
) -> str:
    """Return the whole content of a new best-parameters file.

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
    return parameters_text(best.params, meta_of(summary, best, is_adopted=is_adopted), suffix)


def parameters_text(params: Params, origin: Mapping[str, Any], suffix: str) -> str:
    """Return the whole content of a new best-parameters file.

    Args:
        params: of a trial.
        origin: as from ``meta_of``.
        suffix: ``.yaml``, ``.yml``, ``.json`` or ``.toml``.

    Raises:
        UsageError: TOML cannot hold a null, and there is one.
    """
    content = {"params": dict(sorted(params.items())), "meta": dict(origin)}
    return new_text(content, suffix, header_of(origin))


def meta_of(summary: Summary, best: Ranked, *, is_adopted: bool = False) -> dict[str, Any]:
    """Return the origin of the parameters; its digest shows later edits."""
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
        **({"adopted": True} if is_adopted else {}),
    }


def read_parameters(
    path: Path, shape: Shape = PLAIN
) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """Read the parameters of a best-parameters file, and its ``meta`` if it has one.

    Args:
        path: of the file.
        shape: the place of the parameters in it, if the configuration names one.

    Raises:
        UsageError: it cannot be read, or does not hold parameters.
    """
    from tunesmith.config.source import read_document

    return shape.read(read_document(path).data, str(path))


def committed_parameters(
    root: Path, revision: str, name: str, shape: Shape = PLAIN
) -> dict[str, Any] | None:
    """Read the params of a best-parameters file at a revision; ``None`` if it has none.

    Args:
        root: the project folder.
        revision: of Git, as ``origin/main``.
        name: the file's path below the project folder.
        shape: the place of the parameters in it.

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
    return shape.read(document.data, f"{revision}:{name}")[0]
