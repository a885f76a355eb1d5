"""The style sheet of cards in notebooks; it reaches nothing around them."""

import re
from functools import cache
from importlib.resources import files

from tunesmith.reporting.drawing.palette import DARK, LIGHT, variables
from tunesmith.reporting.drawing.svg import marks_css

CARD = ".tunesmith-card"
DARK_THEMES = ('body[data-jp-theme-light="false"]', "body.vscode-dark", 'html[theme="dark"]')
"""Marks of notebooks in dark colours: JupyterLab, VS Code, Colab."""
LIGHT_THEMES = ('[data-jp-theme-light="true"]', ".vscode-light")
"""Marks of notebooks in light colours, whatever the reader's system prefers."""
SELECTOR = re.compile(r"^([^{}@]+)\{", re.MULTILINE)


@cache
def style() -> str:
    """Return the element ``style`` of a card, its charts included."""
    dark = variables(DARK)
    others = "".join(f":not({mark})" for mark in LIGHT_THEMES)
    rules = [
        f"{CARD}{{{variables(LIGHT)}}}",
        f"@media (prefers-color-scheme:dark){{body{others} {CARD}{{{dark}}}}}",
        *(f"{theme} {CARD}{{{dark}}}" for theme in DARK_THEMES),
        _card_css(),
        # Rules for `text` and the like would reach every other drawing of the notebook.
        SELECTOR.sub(lambda found: f"{CARD} svg {found[1].strip()} {{", marks_css()),
    ]
    return f"<style>{chr(10).join(rules)}</style>"


def _card_css() -> str:
    place = files("tunesmith.reporting.notebook") / "card.css"
    return place.read_text(encoding="utf-8").strip()
