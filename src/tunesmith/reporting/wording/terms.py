"""Terms of statistics that reports use, each explained in a sentence or two."""

import re

TERMS = {
    "standard error": "How far a mean over folds would typically move if the data were another"
    " sample. It counts the folds as independent, so the true error is somewhat larger.",
    "noise": "Differences between scores that other rows or another split would have turned out"
    " otherwise.",
    "95 % interval": "A range made by a method that catches the true value in 95 of 100 studies.",
    "selection bias": "The best of many scores is partly the luckiest one: scored anew, the same"
    " parameters would do a little worse.",
    "ties": "Trials that the folds cannot tell from the best one. In simulations the truly best"
    " trial was among them in 92 to 100 % of studies.",
    "nearly equal": "Trials that scored the same as the listed one on every fold, or whose every"
    " parameter lies within a tenth of its range from its (categories must be the same).",
    "share of the variance": "How much the score varies if this parameter alone is changed, on"
    " average over all values of the others, against how much it varies over the whole space.",
    "race": "A trial stops before its last fold if its first folds make it unlikely that it would"
    " pass the best one.",
    "held-out rows": "Rows that took no part in the search, on which the winner is scored once.",
    "nested cross-validation": "The whole search is repeated without each outer fold and scored on"
    " it: what you can expect of the search, not of the one winner.",
    "leak": "Information among the features that would not be there when the model is used, such as"
    " a copy of the target. Scores are then too good.",
}
HEADING = "Terms"
LINK = re.compile(r"\[([^\]]+)\]\(#terms\)")


def linked(term: str) -> str:
    """Return a link to the explanation of a term, as it stands in the report.

    >>> linked("ties")
    '[ties](#terms)'
    """
    return f"[{term}](#terms)"


def unlinked(text: str) -> str:
    """Return Markdown without these links: comments have no anchors that they could lead to.

    >>> unlinked("5 [ties](#terms) of 9")
    '5 ties of 9'
    """
    return LINK.sub(r"\1", text)


def explained(text: str) -> str:
    """Return the section that explains the terms to which a text links; empty without any."""
    used = set(LINK.findall(text))
    lines = [f"- **{term}**: {meaning}" for term, meaning in TERMS.items() if term in used]
    return f"## {HEADING}\n\n" + "\n".join(lines) if lines else ""
