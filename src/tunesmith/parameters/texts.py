"""Texts of best parameters: writing and reading them.

A new file has two keys: ``params`` holds the winner, ``meta`` its origin. Other shapes are handled
in ``shape``. YAML is written so that YAML 1.1 readers (PyYAML) and YAML 1.2 readers find the same
values in it.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.analysis.ranking import Ranked
from tunesmith.config.source import read_text
from tunesmith.errors import UsageError
from tunesmith.formats.new import new_text
from tunesmith.parameters.content import content_of
from tunesmith.parameters.shape import PLAIN, Shape, header_of
from tunesmith.system import git
from tunesmith.system.fingerprint import digest
from tunesmith.types import Params

if TYPE_CHECKING:  # statistics take longer to import than a command that reads may take
    from tunesmith.analysis.summary import Summary
    from tunesmith.analysis.winner import Winner


def best_parameters(
    summary: "Summary | Winner",
    suffix: str,
    trial: Ranked | None = None,
    *,
    is_adopted: bool = False,
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


def meta_of(
    summary: "Summary | Winner", best: Ranked, *, is_adopted: bool = False
) -> dict[str, Any]:
    """Return the origin of the parameters; its digest shows later edits."""
    is_chosen = best == summary.chosen and summary.selection != "best"
    trade_off = summary.preference.rule if best == summary.chosen else "lexicographic"
    return {
        "study": summary.study,
        "trial": best.number,
        **({"selection": summary.selection} if is_chosen else {}),
        **({} if trade_off == "lexicographic" else {"preference": trade_off}),
        "metric": summary.metric.name,
        "mean": best.means[summary.metric.name],
        "std": best.stds[summary.metric.name],
        "folds": summary.n_folds,
        "digest": digest(dict(best.params)),
        **({"adopted": True} if is_adopted else {}),
    }


def read_parameters(
    path: Path | str, shape: Shape = PLAIN
) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """Read the parameters of a best-parameters file, and its ``meta`` if it has one.

    Args:
        path: of the file.
        shape: the place of the parameters in it, if the configuration names one.

    Raises:
        UsageError: it cannot be read, or does not hold parameters.

    Examples:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     path = Path(folder) / "best_parameters.yaml"
        ...     _ = path.write_text("params: {C: 1.0}")
        ...     read_parameters(path)
        ({'C': 1.0}, None)
    """
    path = Path(path)
    return shape.read(content_of(read_text(path), path), str(path))


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
    commit = git.commit(root, revision)
    if commit is None:
        raise UsageError(
            f"gate.base: there is no revision `{revision}` here.\n"
            "  CI often fetches one commit alone: fetch the base branch, too."
        )
    text = git.content(root, commit, name)
    if text is None:
        return None
    return shape.read(content_of(text, Path(name)), f"{revision}:{name}")[0]
