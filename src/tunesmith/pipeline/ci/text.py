"""Texts of CI about a study: its report, its parameters, training metrics, links."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tunesmith.analysis.choice.policy import Policy
from tunesmith.analysis.numbers import value
from tunesmith.analysis.summary import Summary, summarise
from tunesmith.config.model import Definition
from tunesmith.config.prefixes import Prefixes
from tunesmith.errors import UsageError
from tunesmith.parameters.best_file import shape_of
from tunesmith.parameters.shape import Shape
from tunesmith.pipeline.branches.experiment import USUAL
from tunesmith.pipeline.ci import metrics
from tunesmith.pipeline.ci.base import Base
from tunesmith.pipeline.ci.checkout import Checkout
from tunesmith.pipeline.ci.files import within
from tunesmith.pipeline.ci.parts import joined, lead_of, shortened, shows
from tunesmith.pipeline.latest_record import RecordSources
from tunesmith.pipeline.parameters import Parameters, parse
from tunesmith.reporting.cells import name_cell, table
from tunesmith.reporting.escape import one_line
from tunesmith.reporting.markdown import MAX_BYTES, MAX_CHARACTERS, render, render_comment
from tunesmith.types import Params

MAX_LINKS_CHARACTERS = 6_000
"""Of the links below a report; the report has what they and the tables above it leave."""
ROOM = 200
"""Room for the hidden tag of the comment and the lines between its sections."""
NO_REPORT = "_There is no tuning report on this branch yet._"


@dataclass(frozen=True)
class Link:
    """To the run, a page, an artifact."""

    name: str
    url: str


@dataclass(frozen=True, kw_only=True)
class Subject:
    """The study that is reported on, and what it is compared with."""

    definition: Definition
    checkout: Checkout
    branch: str | None
    base: Base
    """Base of the comparison of metrics and parameters."""
    files: tuple[Path, ...] = ()
    """Markdown files in place of the study's own report."""
    links: tuple[Link, ...] = ()
    prefixes: Prefixes = USUAL
    """Prefixes of the branches of experiments."""

    @cached_property
    def summary(self) -> Summary | None:
        """Summary of the study from the ledger; ``None`` if it has nothing.

        On a training branch the parameters come from another one, whose report is to be shown.
        """
        if _tuning_report(self) is not None:
            return None
        found = RecordSources(self.definition).in_ledger()
        if found is None:
            return None
        file = self.definition.file
        policy = Policy.of(file)
        return summarise(found.record, policy, nested=found.nested)


def comment(subject: Subject) -> str:
    """Return the text of a comment on a pull request: at most 60,000 characters."""
    middle, below = _around(subject)
    # The report knows no limit of its own tables that stand between its parts.
    lead, rest = lead_of(_report(subject, MAX_CHARACTERS - len(middle) - len(below) - ROOM))
    return joined(lead, middle, rest, below)


def step_summary(subject: Subject, room: int = MAX_BYTES) -> str:
    """Return the text for the page of a job.

    Args:
        subject: what is reported on.
        room: bytes; a Git host shows nothing of what is longer.
    """
    middle, below = _around(subject)
    lead, rest = lead_of(_report(subject, None))
    text = joined(lead, middle, rest, below)
    return shortened(text, lambda part: len(part.encode()) <= room)


def _around(subject: Subject) -> tuple[str, str]:
    """Texts after the lead of the report and after all of it, of limited length."""
    middle = joined(*_training(subject))
    links = _links(subject.links)
    below = f"---\n\n{links}" if links else ""
    # People look for the report, so the tables within it may take a third at most.
    return shortened(middle, lambda text: len(text) <= MAX_CHARACTERS // 3), below


def _links(given: Sequence[Link]) -> str:
    """As many links as there is room for; how many are left out is said."""
    texts = [f"[{md_text(link.name)}]({link.url})" for link in given if is_web(link.url)]
    kept: list[str] = []
    left = MAX_LINKS_CHARACTERS
    for text in texts:
        left -= len(text) + 3
        if left >= 0:
            kept.append(text)
    n_gone = len(texts) - len(kept)
    rest = [f"_{n_gone} more links did not fit_"] if n_gone else []
    return " · ".join([*kept, *rest])


# -- the study's report --------------------------------------------------------------------------


def _report(subject: Subject, limit: int | None) -> str:
    """The report of the ledger; if there is none, the one that the branches hold."""
    if subject.files:
        text = joined(*(path.read_text(encoding="utf-8") for path in subject.files))
    else:
        if subject.summary is not None:
            if limit is None:
                return render(subject.summary)
            return render_comment(subject.summary, limit)
        text = _committed_report(subject) or NO_REPORT
    return text if limit is None else shortened(text, lambda part: len(part) <= limit)


def _committed_report(subject: Subject) -> str | None:
    """The report that belongs to this branch's parameters."""
    checkout, report = subject.checkout, _path(subject, subject.definition.file.outputs.report)
    own = checkout.root / report
    text = own.read_text(encoding="utf-8") if own.is_file() else None
    # A report that the base has as well tells of an earlier study.
    if text is not None and text != _read(checkout, subject.base.commit, report):
        return text
    return _tuning_report(subject)


def _tuning_report(subject: Subject) -> str | None:
    """On a training branch, the report of the tuning branch that its parameters come from."""
    checkout, outputs = subject.checkout, subject.definition.file.outputs
    branch, prefixes = subject.branch or "", subject.prefixes
    name = branch.removeprefix(prefixes.training)
    own = f"{prefixes.tuning}{name}"
    tuning = checkout.branches().get(own) if name != branch else None
    best = _path(subject, outputs.best.path)
    shape = shape_of(subject.definition.file, subject.definition.space)
    there = _parameters_of(checkout, tuning, best, shape)
    here = _parameters_here(checkout, best, shape)
    if there is not None and here is not None and there.digest == here.digest:
        return _read(checkout, tuning, _path(subject, outputs.report))
    return None


def _path(subject: Subject, name: str) -> str:
    """An output's path, relative to the repository."""
    (path,) = within(subject.checkout.root, subject.definition.root, [name])
    return path


# -- what training has made of it ----------------------------------------------------------------


def _training(subject: Subject) -> Iterator[str]:
    folder, base = subject.definition.root, subject.base
    files = metrics.metrics_files(folder)
    read = subject.checkout.content
    diff = metrics.metrics_diff(folder, files, base.name, base.commit, base.note, read=read)
    if diff.metrics:
        yield f"## Metrics\n\n{metrics.markdown(diff)}"
    if not subject.files and subject.summary is not None:
        # The study's own report has the parameters, too.
        return
    best = _path(subject, subject.definition.file.outputs.best.path)
    shape = shape_of(subject.definition.file, subject.definition.space)
    before = _parameters_of(subject.checkout, subject.base.commit, best, shape)
    here = _parameters_here(subject.checkout, best, shape)
    if here is None or (before is not None and before.digest == here.digest):
        return
    if shows(lead_of(_report(subject, None))[0], here.params):
        # The table above has them; this says which trial they are from.
        yield origin(here)
        return
    name = base.name if base.commit else None
    yield f"## Parameters\n\n{parameters_table(before, here, name)}"


def parameters_table(before: Parameters | None, here: Parameters, base: str | None) -> str:
    """Return a table of parameters side by side, and their origin.

    Args:
        before: on the base; ``None`` if it has none.
        here: on this branch.
        base: what to call it; ``None`` if there is nothing to compare with.
    """
    if base is None:
        alone = [[name_cell(n), _value(here.params, n)] for n in sorted(here.params)]
        return f"{origin(here)}\n\n{table(['parameter', 'here'], alone)}"
    old = {} if before is None else before.params
    names = sorted({*old, *here.params})
    rows = [[name_cell(n), _value(old, n), _value(here.params, n)] for n in names]
    rows = [[*row[:2], f"**{row[2]}**"] if row[1] != row[2] else row for row in rows]
    return f"{origin(here)}\n\n{table(['parameter', name_cell(base), 'here'], rows)}"


def origin(parameters: Parameters) -> str:
    """Return the origin of parameters, as a sentence."""
    meta = parameters.meta
    if "trial" not in meta:
        return "Set by hand."
    score = f", {name_cell(str(meta.get('metric')))} {meta['mean']:.6g}" if "mean" in meta else ""
    edited = "; **edited by hand since**" if parameters.is_edited else ""
    study = name_cell(str(meta.get("study")))
    return f"From trial {int(meta['trial'])} of study {study}{score}{edited}."


def _value(params: Params, name: str) -> str:
    return name_cell(value(params[name])) if name in params else "–"


def _read(checkout: Checkout, commit: str | None, path: str) -> str | None:
    return None if commit is None else checkout.read(commit, path)


def _parameters_of(
    checkout: Checkout, commit: str | None, path: str, shape: Shape
) -> Parameters | None:
    text = _read(checkout, commit, path)
    return None if text is None else parse(text, path, shape)


def _parameters_here(checkout: Checkout, path: str, shape: Shape) -> Parameters | None:
    file = checkout.root / path
    return parse(file.read_text(encoding="utf-8"), path, shape) if file.is_file() else None


# -- Markdown ------------------------------------------------------------------------------------

WEB = re.compile(r"https?://[^\s()<>\"'\\]+\Z")


def md_text(text: str) -> str:
    r"""Plain words of a link.

    >>> md_text("HTML [report]*")
    'HTML \\[report\\]\\*'
    """
    # `@` would notify people; `#` and `!` would become links to issues and merge requests.
    return re.sub(r"([\\`*_\[\]<>|#~!@&])", r"\\\1", one_line(text))


def is_web(url: str) -> bool:
    """Tell whether a text is an address of the web that can stand in a link.

    >>> is_web("https://a.example/1"), is_web(""), is_web("javascript:x"), is_web("https://a)(")
    (True, False, False, False)
    """
    return WEB.match(url) is not None


def parse_links(given: Sequence[str]) -> tuple[Link, ...]:
    """``NAME=URL`` as links; those without an address are left out, as a step may have made none.

    Raises:
        UsageError: there is no name, or no address of the web.
    """
    pairs = [text.partition("=")[::2] for text in given]
    for text, (name, url) in zip(given, pairs, strict=True):
        if not name or "=" not in text or (url and not is_web(url)):
            raise UsageError(f"--link: expected NAME=https://…, found `{text}`.")
    return tuple(Link(name, url) for name, url in pairs if url)
