"""``tunesmith import``.

A package, because ``import`` is no name of a module, and beside the other commands is no room.
"""

import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tunesmith.cli.common.options import json_option, print_json, shown
from tunesmith.cli.common.streams import say, show
from tunesmith.errors import UsageError

if TYPE_CHECKING:
    from tunesmith.importers.draft import Candidate, Draft

STDOUT = "-"


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("--name", help="The setup or study to take, if there are several.")
@click.option("--tool", help="Look for setups of this tool alone, such as `optuna`.")
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    help="File to write; `-` prints it.  [default: tuning.yaml]",
)
@click.option(
    "--optuna", "storage", metavar="URL", help="Read a study's trials: `sqlite:///study.db`."
)
@click.option("--into", metavar="LEDGER", help="Ledger for these trials, such as `optuna.db`.")
@json_option
def command(
    *,
    file: Path | None,
    name: str | None,
    tool: str | None,
    output: str | None,
    storage: str | None,
    into: str | None,
    as_json: bool,
) -> None:
    """Turn another tool's tuning setup into a tuning.yaml, or read its trials.

    FILE is a script or notebook with a search of scikit-learn's, an Optuna objective, a Ray Tune,
    Keras Tuner or scikit-optimize space, a W&B sweep, a Hydra sweeper's configuration or command
    line, a Katib experiment, or a Determined configuration.

    Scripts are read and never run. A comment marks every line that needed judgement. Parts that no
    configuration holds, such as a column transformer, are copied into a module beside it. If a part
    has no equal, nothing is written, and you are told the line and the reason. With --json, a file
    is written only if you name one.

    With --optuna, the finished trials of a study go into a ledger, marked as not verified: list
    and report them with `tunesmith trials -c LEDGER`.
    """
    if (file is None) == (storage is None):
        raise UsageError("name a FILE with a setup, or a storage with --optuna URL.")
    if storage is not None:
        _read_trials(storage, name, into, as_json=as_json)
    elif file is not None:
        _draft(file, name, tool, output, as_json=as_json)


def _read_trials(storage: str, name: str | None, into: str | None, *, as_json: bool) -> None:
    """Read the trials of an Optuna study into a ledger."""
    from tunesmith.analysis.numbers import counted
    from tunesmith.ledger.dialect import address, file_of, readable
    from tunesmith.runs.exchange.from_optuna import import_study

    if into is None:
        raise UsageError("say which ledger takes the trials: --into optuna.db.")
    done = import_study(storage, name, into)
    file = file_of(address(into))
    place = readable(address(into)) if file is None else shown(file)
    if as_json:
        print_json("import trials", {"ledger": place, **asdict(done)})
        return
    left = f" {done.n_left_out} that had not ended were left out." if done.n_left_out else ""
    verb = "read into" if done.is_new else "were there already in"
    say(
        f"{counted(done.n_trials, 'trial')} {verb} study `{done.study}` of {place}, not verified."
        f"{left}"
    )
    if file is not None:
        say(f"Next: tunesmith trials -c {place}")


def _draft(
    file: Path, name: str | None, tool: str | None, output: str | None, *, as_json: bool
) -> None:
    """Write the configuration that a setup of another tool means."""
    from tunesmith.importers.convert import choose, convert, find, label
    from tunesmith.importers.source import read_source
    from tunesmith.importers.writing import text_of

    wanted = output or (STDOUT if as_json else "tuning.yaml")
    target = None if wanted == STDOUT else Path(wanted)
    _refuse_taken(target)
    source = read_source(file, Path() if target is None else target.parent)
    candidates = find(source, tool)
    if as_json and name is None and len(candidates) > 1:
        entries = [_entry(text, candidate) for text, candidate in label(candidates).items()]
        print_json("candidates", {"candidates": entries})
        return
    draft = convert(source, choose(file, candidates, name))
    text = text_of(draft)
    if target is not None:
        _write(target, text, draft.files)
    if as_json:
        content = {**_content(draft), "text": text, "files": draft.files}
        print_json("import", {**content, "written": _name(target)})
    elif target is None:
        show(text.rstrip("\n"))
    if target is not None:
        say(_summary(draft, target))
    elif draft.files and not as_json:
        names = ", ".join(draft.files)
        say(f"It needs {names} as well, which is written with it: name a file with `-o FILE`.")


def _refuse_taken(target: Path | None) -> None:
    """Refuse to overwrite.

    Raises:
        UsageError: the file is there already.
    """
    if target is not None and target.exists():
        raise UsageError(
            f"{target}: already there; nothing was written.\n"
            "  Name another file with `-o FILE`, or print it with `-o -`."
        )


def _write(target: Path, text: str, others: Mapping[str, str]) -> None:
    """Write the configuration, and the modules that it names into the folder of the project.

    Raises:
        UsageError: a module of that name is there, and is another one.
    """
    from tunesmith.config.load import project_root
    from tunesmith.system.files import NewFile, write_files

    root = Path(os.path.relpath(project_root(target)))
    files = [NewFile(root / name, inner) for name, inner in others.items()]
    for file in files:
        if file.exists and not file.is_same:
            raise UsageError(
                f"{file.path}: already there, with other content; nothing was written.\n"
                "  The configuration needs a module of this name: rename yours, or move it away."
            )
    write_files([NewFile(target, text), *files])


def _name(target: Path | None) -> str | None:
    return None if target is None else str(target)


def _entry(name: str, candidate: "Candidate") -> dict[str, Any]:
    line, column = candidate.place
    return {"name": name, "tool": candidate.tool, "line": line, "column": column}


def _content(draft: "Draft") -> dict[str, Any]:
    from tunesmith.errors import dotted

    notes = [
        {"path": dotted(path), "text": text}
        for path, texts in draft.notes.items()
        for text in texts
    ]
    return {
        "tool": draft.tool,
        "origin": draft.origin,
        "configuration": draft.finished(),
        "notes": notes,
    }


def _summary(draft: "Draft", target: Path) -> str:
    import shlex

    from tunesmith.config.names import CONFIG_NAMES

    n = sum(map(len, draft.notes.values()))
    marks = f"{n} comments mark" if n != 1 else "1 comment marks"
    is_usual = str(target) in CONFIG_NAMES
    option = "" if is_usual else f" -c {shlex.quote(str(target))}"
    names = [shown(target.absolute()), *draft.files]
    verb = "is" if len(names) == 1 else "are"
    return (
        f"{' and '.join(names)} {verb} written ({draft.tool}, {draft.origin}). {marks} what needed"
        f" judgement: please read them.\nNext: tunesmith check{option}"
    )
