"""The progress of a study as HTML that a notebook redraws in place."""

from tunesmith.reporting.escape import xml
from tunesmith.reporting.notebook.style import style


def live_card(title: str, text: str, share: float | None) -> str:
    """Return the HTML of a moment.

    >>> "1/2 trials" in live_card("svc", "1/2 trials", 0.5)
    True

    Args:
        title: name of the study, or what is being done.
        text: the progress as one line.
        share: part of the trials that is completed, from 0 to 1; ``None`` if it is unknown.
    """
    name = f'<span class="name">{xml(title)}</span>'
    head = f'<div class="head">{name}<span class="soft">{xml(text)}</span></div>'
    width = 100 * min(max(share or 0.0, 0.0), 1.0)
    bar = "" if share is None else f'<div class="bar"><div style="width:{width:.1f}%"></div></div>'
    plain = f'<pre class="tunesmith-fallback">{xml(text)}</pre>'
    return f'{style()}\n{plain}<div class="tunesmith-card">{head}{bar}</div>'
