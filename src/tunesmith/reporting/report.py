"""Reports of a study as texts that notebooks show."""

from pathlib import Path
from typing import Any

from tunesmith import registry
from tunesmith.analysis.summary import Summary
from tunesmith.errors import UsageError, did_you_mean
from tunesmith.ledger.records import StudyRecord
from tunesmith.system.files import write_atomic

HTML = "html"
MARKDOWN = ("markdown", "comment")


class Report(str):
    """A report: a text that knows its form.

    >>> Report("# Results", form="markdown").form
    'markdown'
    """

    __slots__ = ("form",)
    form: str

    def __new__(cls, text: str, form: str = "markdown") -> "Report":
        """Make a report.

        Args:
            text: the whole report.
            form: its name, such as ``markdown`` or ``html``.
        """
        made = super().__new__(cls, text)
        made.form = form
        return made

    def save(self, path: Any) -> Path:
        """Write the report to a file, whole or not at all.

        Args:
            path: of the file.

        Raises:
            StorageError: it cannot be written.
        """
        place = Path(path)
        write_atomic(place.absolute(), str(self))
        return place

    def _repr_mimebundle_(self, **_wanted: Any) -> dict[str, str]:
        plain = {"text/plain": str(self)}
        if self.form in MARKDOWN:
            return {**plain, "text/markdown": str(self)}
        # A whole page has its own styles and scripts, so it stands in a frame.
        return {**plain, "text/html": framed(self)} if self.form == HTML else plain


def framed(page: str) -> str:
    """Return an element that shows a whole HTML page and keeps its styles to itself.

    Args:
        page: an HTML document.
    """
    from tunesmith.reporting.escape import xml

    look = "width:100%;height:720px;border:1px solid #d9dee6;border-radius:6px"
    # The page runs its own scripts, and reaches nothing of the notebook.
    return f'<iframe sandbox="allow-scripts" style="{look}" srcdoc="{xml(page)}"></iframe>'


def report_of(record: StudyRecord, summary: Summary, form: str) -> Report:
    """Draw a report.

    Args:
        record: of the study.
        summary: of it.
        form: ``html``, or the name of a registered form.

    Raises:
        UsageError: there is no such form.
    """
    if form == HTML:
        from tunesmith.reporting.page.render import render

        return Report(render(record, summary), form)
    known = [*registry.names("reports"), HTML]
    if form not in known:
        raise UsageError(f"report: there is no form `{form}`. {did_you_mean(str(form), known)}")
    return Report(registry.load("reports", form)(summary), form)
