"""Arguments that a program ignores, as far as its text tells."""

import re
from collections.abc import Iterator

from tunesmith.objective.program.passing.argv import PLACES, words_of
from tunesmith.objective.program.passing.ports import ProgramPorts
from tunesmith.objective.program.passing.sources import ProgramText, SourceFile

PYTHON = re.compile(
    r"argv|arg_?pars|add_argument|ArgumentParser|optparse|getopt|docopt|\b(?:click|typer|fire|absl|hydra|tyro|plac"
    r"|cyclopts|simple_parsing|draccus|invoke|cleo|cappa|Tap|LightningCLI|CLI)\b",
    re.IGNORECASE,
)
"""Text in a Python program that reads its arguments, by itself or with a library."""
SHELL = re.compile(r"\$[{]?[0-9@*#]|getopts|shift")
ADDED = re.compile(r"add_argument\(((?:[^()]|\((?:[^()]|\([^()]*\))*\))*)\)")
"""Declaration of an option with argparse, with up to two levels of brackets in it."""
FLAG = re.compile(r"""action\s*=\s*["']store_(?:true|false|const)["']""")
BOOL = re.compile(r"type\s*=\s*bool\b")
OPTION = re.compile(r"(--?[A-Za-z][\w-]*)=")


def unheard(program: ProgramText, ports: ProgramPorts) -> Iterator[str]:
    """Note values that are passed as arguments to a program that ignores them.

    Args:
        program: its text.
        ports: of the study.
    """
    entry = next((s for s in program.sources if s.path.is_relative_to(program.root)), None)
    if entry is None or "-c" in ports.command:
        return
    # A bridge takes the arguments before the script's name, and the script need not.
    if any(item.startswith("tunesmith.bridges.") for item in ports.command):
        return
    where = program.named(entry.path)
    if ports.overrides == "hydra" and entry.is_python and "hydra" not in program.text.lower():
        if "argv" not in program.text:
            yield f"`overrides: hydra` is given, but nothing in {where} speaks of Hydra"
        return
    handed = [item for item in ports.command if _holds_value(item, ports)]
    if handed and not _listens(program, entry):
        yield f"nothing in {where} looks at its arguments, such as `{handed[0]}`"
        return
    yield from _flags(program, handed)
    if "parse_known_args" in program.text:
        for item in handed:
            option = OPTION.match(item)
            if option and f"{option[1]}" not in "\n".join(s.text for s in program.sources):
                yield f"{where} leaves unknown arguments alone, and knows no `{option[1]}`"


def _flags(program: ProgramText, handed: list[str]) -> Iterator[str]:
    """Note options that take no value, or take every text for true."""
    options = {match[1]: item for item in handed if (match := OPTION.match(item))}
    for source in program.sources:
        for declared in ADDED.findall(source.text) if source.is_python else ():
            for option, item in options.items():
                if f'"{option}"' not in declared and f"'{option}'" not in declared:
                    continue
                where = f"`{option}` of {program.named(source.path)}"
                mend = "let it take one: `type=lambda text: text == 'true'`"
                if FLAG.search(declared):
                    yield f"{where} takes no value, so that `{item}` ends the program: {mend}"
                elif BOOL.search(declared):
                    yield (
                        f"{where} has `type=bool`, which takes each text for true, `false`, too:"
                        " write `type=lambda text: text == 'true'`"
                    )


def _holds_value(item: str, ports: ProgramPorts) -> bool:
    return any(word not in PLACES for word in words_of(item)) or (
        "{params}" in item and ports.params_file is None
    )


def _listens(program: ProgramText, entry: SourceFile) -> bool:
    if entry.is_python:
        return any(PYTHON.search(s.text) for s in program.sources if s.is_python)
    is_shell = entry.path.suffix in (".sh", ".bash") or entry.text.startswith(
        ("#!/bin/sh", "#!/bin/bash")
    )
    return not is_shell or bool(SHELL.search(entry.text))
