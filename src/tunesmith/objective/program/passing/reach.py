"""Check that every parameter reaches the program; otherwise the study is refused.

A parameter reaches it by words in braces in the command, by Hydra's overrides, by a key of the
parameters file, or by the file that ``TUNESMITH_PARAMS`` names, if the program reads that. The
program's files are searched to find out.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tunesmith.config.load import raise_violations
from tunesmith.config.model import Definition
from tunesmith.errors import Path as Keys
from tunesmith.errors import Violation, did_you_mean
from tunesmith.objective.program.passing.argv import words_of
from tunesmith.objective.program.passing.overridden import overridden
from tunesmith.objective.program.passing.params_file import Template, place_of
from tunesmith.objective.program.passing.ports import ProgramPorts, samples
from tunesmith.objective.program.passing.shell_variables import shell_variables
from tunesmith.objective.program.passing.sources import ProgramText, program_of
from tunesmith.objective.program.passing.suggest import suggestion
from tunesmith.objective.program.passing.unread_arguments import unheard
from tunesmith.types import Value


@dataclass(frozen=True)
class _Study:
    """Facts about a study that the search for each parameter needs."""

    definition: Definition
    ports: ProgramPorts
    program: ProgramText

    @property
    def root(self) -> Path:
        return self.program.root


def check_carried(definition: Definition, ports: ProgramPorts) -> tuple[str, ...]:
    """Find the way by which each parameter reaches the program.

    Returns:
        Notes on parameters for which that could not be found out.

    Raises:
        ConfigError: some parameters do not reach it.
    """
    root = definition.root.resolve()
    study = _Study(definition, ports, program_of(root, ports.command))
    raise_violations(definition, [*_names(study), *_violations(study)])
    return (
        *_unseen(study),
        *_unread(study),
        *unheard(study.program, ports),
        *_hidden(study),
        *shell_variables(study.program, {*definition.file.objective.environment.set}),
        *overridden(study.program, ports, tuple(dict.fromkeys(definition.parameter_names))),
    )


def _by_command(ports: ProgramPorts) -> set[str]:
    return {word for item in ports.command for word in words_of(item)}


def _has_all(study: _Study) -> bool:
    """True if all parameters are passed together."""
    ports = study.ports
    is_handed = ports.params_file is None and "params" in _by_command(ports)
    return is_handed or ports.overrides is not None


def _uncarried(study: _Study) -> list[str]:
    """List the parameters that neither the command nor the parameters file holds."""
    if _has_all(study):
        return []
    template, given = study.ports.params_file, _by_command(study.ports)
    left = [name for name in dict.fromkeys(study.definition.parameter_names) if name not in given]
    if template is None:
        return left
    if template.is_made:
        return [] if _is_known(study, template) else left
    return [name for name in left if not template.has(name)]


def _violations(study: _Study) -> Iterator[Violation]:
    template, left = study.ports.params_file, _uncarried(study)
    may_read = bool(study.program.readers) or not study.program.is_seen
    if template is not None and not template.is_made:
        # An existing file has a key for each parameter that it carries.
        # A program that reads TUNESMITH_PARAMS gets all parameters from there.
        wanted = [] if study.program.readers else left
        values = _some_values(study)
        yield from (_missing(study, template, name, values.get(name)) for name in wanted)
    elif not may_read:
        yield from (_nowhere(study, name, left) for name in left)


def _some_values(study: _Study) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for params in samples(study.definition.space, study.definition.file.fixed_params):
        values = {**params, **values}
    return values


def _missing(study: _Study, template: Template, name: str, value: Value) -> Violation:
    path, place = template.section.path, ".".join(place_of(name, template.section))
    head = f"`{name}` does not reach the program: {path}"
    if reason := template.blocker(name, value):
        return Violation(_path(study, name), f"{head}: {reason}.")
    known = template.places()
    ends = [other for other in known if other.rpartition(".")[2] == name and other != place]
    if len(ends) == 1:
        hint = f"Did you mean `{ends[0]}`? Write `names: {{{name}: {ends[0]}}}` there."
    else:
        hint = f"{did_you_mean(place, known)} Name its place with `names`, or add the key."
    return Violation(_path(study, name), f"{head} has no `{place}`.", hint.strip())


def _nowhere(study: _Study, name: str, left: Sequence[str]) -> Violation:
    program, template = study.program, study.ports.params_file
    own = (s.path for s in program.sources if s.path.is_relative_to(program.root))
    files = [program.named(path) for path in own] or ["the command"]
    shown = ", ".join(files[:3]) + (f" and {len(files) - 3} more" if len(files) > 3 else "")
    ways = f"the command holds no `{{{name}}}`, and TUNESMITH_PARAMS is read nowhere in {shown}"
    if template is not None:
        ways += f", nor is {template.section.path}, which is not there"
    message = f"`{name}` does not reach the program: {ways}."
    return Violation(_path(study, name), message, suggestion(program, name, left))


def _names(study: _Study) -> Iterator[Violation]:
    """List mistakes in ``names``, and places that conflict with each other."""
    template, known = study.ports.params_file, study.definition.parameter_names
    if template is None:
        return
    for name in template.section.names:
        if name not in known:
            where: Keys = ("objective", "params_file", "names", name)
            yield Violation(where, f"no parameter is named `{name}`.", did_you_mean(name, known))
    places = {name: place_of(name, template.section) for name in dict.fromkeys(known)}
    for name, place in places.items():
        for other, longer in places.items():
            if name != other and longer[: len(place)] == place and (place, name) < (longer, other):
                message = f"`{other}` and `{name}` have one place in {template.section.path}."
                yield Violation(_path(study, other), message, "Name another one with `names`.")


def _path(study: _Study, name: str) -> Keys:
    definition = study.definition
    if name in definition.space.names:
        return ("space", name)
    if name in definition.file.objective.params:
        return ("objective", "params", name)
    return ("budget", "parameter")


# -- what cannot be told --------------------------------------------------------------------------


def _unseen(study: _Study) -> Iterator[str]:
    """Note that a program outside of the project may read the parameters by itself."""
    left = _uncarried(study)
    if not left:
        return
    listed = ", ".join(left)
    if study.program.readers:
        unnamed = [name for name in left if not study.program.mentions(name)]
        if unnamed:
            where = study.program.readers[0]
            yield (
                f"{where} reads TUNESMITH_PARAMS, but nothing in the program is named"
                f" {', '.join(unnamed)}: see that it uses them"
            )
    else:
        yield (
            f"whether {listed} reach the program cannot be seen from here: they do only if it reads"
            " the file that TUNESMITH_PARAMS names"
        )


def _unread(study: _Study) -> Iterator[str]:
    """Note that a parameters file may be the wrong one, if nothing in the program names it."""
    template, program = study.ports.params_file, study.program
    if template is not None and program.is_seen and not _is_known(study, template):
        yield (
            f"nothing in the program names {template.section.path}: if it reads another file, the"
            " values never arrive"
        )


def _hidden(study: _Study) -> Iterator[str]:
    """List variables of a file that most libraries ignore if the environment has them."""
    template = study.ports.params_file
    if template is None or template.format != "env":
        return
    fixed = study.definition.file.objective.environment.set
    for name in dict.fromkeys(study.definition.parameter_names):
        variable = place_of(name, template.section)[0]
        if variable in fixed or variable in os.environ:
            where = "objective.environment.set" if variable in fixed else "your environment"
            yield (
                f"{variable} is set in {where}, too: libraries such as python-dotenv then leave"
                f" what {template.section.path} says alone"
            )


def _is_known(study: _Study, template: Template) -> bool:
    """True if the parameters file is passed, run, or named in the program's files."""
    if "params" in _by_command(study.ports):
        return True
    path, program = study.root / template.section.path, study.program
    if path.resolve() in (*(s.path for s in program.sources), *program.others):
        return True
    if program.mentions(path.name) or program.quotes(path.stem):
        return True
    # Some libraries know such names by themselves.
    knows = {".env": "dotenv", "params.yaml": "params_show"}
    return path.name in knows and knows[path.name] in program.text
