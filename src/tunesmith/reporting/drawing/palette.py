"""Colours for light and dark backgrounds, distinct for every kind of colour vision.

Roles are from Okabe & Ito (2008). The scale of scores is one hue from faint to strong, so that
lightness alone carries it: the stronger, the better.
"""

LIGHT = {
    "paper": "#ffffff",
    "ink": "#1c2430",
    "soft": "#5b6676",
    "rule": "#d9dee6",
    "grid": "#eceff4",
    "trial": "#0072b2",
    "best": "#d55e00",
    "front": "#d55e00",
    "tied": "#009e73",
    "failed": "#a3325f",
    "current": "#1c2430",
    "band": "#64748b",
    "level-0": "#cbd8e6",
    "level-1": "#b7cde4",
    "level-2": "#9dbddd",
    "level-3": "#80acd4",
    "level-4": "#5a93c5",
    "level-5": "#3a78b2",
    "level-6": "#1f5c99",
    "level-7": "#0a3d73",
}
DARK = {
    "paper": "#12161d",
    "ink": "#e6eaf0",
    "soft": "#9aa5b4",
    "rule": "#343d4a",
    "grid": "#232a34",
    "trial": "#56b4e9",
    "best": "#ff9a3d",
    "front": "#ff9a3d",
    "tied": "#2fc79a",
    "failed": "#f07aa8",
    "current": "#e6eaf0",
    "band": "#94a3b8",
    "level-0": "#334254",
    "level-1": "#344c66",
    "level-2": "#34587a",
    "level-3": "#35638d",
    "level-4": "#4279ab",
    "level-5": "#5b93c9",
    "level-6": "#86b5e2",
    "level-7": "#c4dffa",
}


def variables(palette: dict[str, str]) -> str:
    """CSS custom properties.

    >>> variables({"ink": "#000"})
    '--ink:#000'
    """
    return ";".join(f"--{name}:{colour}" for name, colour in palette.items())
