"""The page as one HTML file, or as the parts that a live view requests."""

import base64
import hashlib
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from string import Template
from typing import Any

from tunesmith.analysis.summary import Summary
from tunesmith.ledger.records import StudyRecord
from tunesmith.reporting.drawing.palette import DARK, LIGHT, variables
from tunesmith.reporting.drawing.svg import marks_css
from tunesmith.reporting.escape import script_json, xml
from tunesmith.reporting.page.content import content_of

SCRIPTS = (
    *("dom", "model", "filter", "store", "draw", "explore", "parallel", "charts"),
    *("table", "details", "server", "studies", "page"),
)
"""In the order of their imports; each is a module of its own in the source."""
IMPORT = re.compile(r"^import .*?;\n", re.MULTILINE | re.DOTALL)
EXPORT = re.compile(r"^export ", re.MULTILINE)


def render(record: StudyRecord, summary: Summary | None = None, *, has_times: bool = True) -> str:
    """One self-contained HTML file: the same record, the same bytes.

    All text from data is inside one block of JSON, from which scripts make text, never markup.

    Args:
        record: of the study.
        summary: of it; computed if it is not given.
        has_times: show durations, which a second run of the same study on another machine would
            change.
    """
    return document(content_of(record, summary, has_times=has_times))


def document(content: dict[str, Any], *, is_live: bool = False) -> str:
    """Return the HTML file around some content; a live one polls its own server."""
    assets = page_assets()
    return Template(_source("page.html")).substitute(
        policy=policy(assets, is_live=is_live),
        title=xml(f"{content['study']}: tuning report"),
        style=assets.style,
        script=assets.script,
        live="live" if is_live else "",
        data=script_json(content),
    )


@dataclass(frozen=True)
class Assets:
    """Styles and scripts as they stand in the file."""

    style: str
    script: str


@cache
def page_assets() -> Assets:
    """Read the sources once."""
    dark = variables(DARK)
    colours = (
        f":root{{{variables(LIGHT)}}}\n"
        # On screens alone: paper is light.
        "@media screen and (prefers-color-scheme:dark)"
        f"{{:root:not([data-theme=light]){{{dark}}}}}\n"
        f"@media screen{{:root[data-theme=dark]{{{dark}}}}}"
    )
    style = "\n".join([colours, marks_css(), _source("page.css").strip()])
    return Assets(style, "\n".join(map(_script, SCRIPTS)))


def _script(name: str) -> str:
    """Return a module's text without imports and exports: in the file all modules are one."""
    return EXPORT.sub("", IMPORT.sub("", _source(f"scripts/{name}.js"))).strip()


def _source(name: str) -> str:
    return (files("tunesmith.reporting.page") / name).read_text(encoding="utf-8")


def policy(assets: Assets, *, is_live: bool) -> str:
    """The content security policy: this style and this script, and nothing else at all."""
    rules = [
        "default-src 'none'",
        f"style-src {_hash(assets.style)}",
        f"script-src {_hash(assets.script)}",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    return "; ".join([*rules, "connect-src 'self'"] if is_live else rules)


def _hash(text: str) -> str:
    # The text between the tags, as it stands in the template.
    digest = hashlib.sha256(f"\n{text}\n".encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
