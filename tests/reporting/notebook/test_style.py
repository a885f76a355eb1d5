import re

from tunesmith.reporting.notebook.style import style


def test_styles_reach_the_card_alone() -> None:
    selectors = re.findall(r"([^{}]+)\{[^{}]*\}", style())
    assert len(selectors) > 40
    assert all("tunesmith-" in one for one in selectors)
