"""Prefixes of the names of experiments' branches."""

import re
from typing import Annotated

from pydantic import AfterValidator, model_validator

from tunesmith.config.section import Section

PART = r"[A-Za-z0-9][A-Za-z0-9._-]*"
SHAPE = re.compile(rf"({PART}/)*({PART}[-_])?\Z")
MAX_LENGTH = 60


def prefix(value: str) -> str:
    """Check a prefix, which has to make a valid branch name with every experiment's name.

    Its characters mean nothing special in workflows, regular expressions and shells; a dot, which
    does, is the one exception.

    Raises:
        ValueError: it is not valid; with the rule.

    >>> prefix("team/hpo/"), prefix("tune-")
    ('team/hpo/', 'tune-')
    """
    is_well = value and len(value) <= MAX_LENGTH and SHAPE.match(value)
    # Git's own rules: no two dots in a row, and no part of a name that ends in `.lock`.
    if not is_well or ".." in value or re.search(r"\.(lock)?/", value):
        raise ValueError(
            f"`{value}` cannot begin a branch's name: words of letters, digits, dots, dashes and"
            f" underscores, each followed by `/`, the last one by `/`, `-` or `_`; at most"
            f" {MAX_LENGTH} characters, such as `hpo/`"
        )
    return value


Prefix = Annotated[str, AfterValidator(prefix)]


class Prefixes(Section):
    """Prefixes of the names of an experiment's two branches."""

    tuning: Prefix = "tuning/"
    """Prefix of the branch that the study runs on: words that end in `/`, `-` or `_`, such as
    ``hpo/``."""
    training: Prefix = "training/"
    """Prefix of the branch that gets the parameters, and goes into a pull request."""

    @model_validator(mode="after")
    def _tell_apart(self) -> "Prefixes":
        # Some file systems do not tell upper from lower case, and a branch is a file there.
        low, other = self.tuning.lower(), self.training.lower()
        if low.startswith(other) or other.startswith(low):
            raise ValueError(
                f"`{self.tuning}` and `{self.training}` cannot be told apart: neither may begin"
                " with the other"
            )
        return self

    @property
    def both(self) -> tuple[str, str]:
        """The prefix of tuning branches, then that of training branches."""
        return self.tuning, self.training

    def branches(self, name: str) -> tuple[str, str]:
        """Return the branches of an experiment: to tune on, and to train on."""
        return f"{self.tuning}{name}", f"{self.training}{name}"

    def name_of(self, branch: str) -> str | None:
        """Return the experiment that a branch belongs to; ``None`` if it belongs to none.

        >>> Prefixes().name_of("training/wider"), Prefixes().name_of("main")
        ('wider', None)
        """
        prefix = next((one for one in self.both if branch.startswith(one)), None)
        return None if prefix is None else branch.removeprefix(prefix) or None

    def blocker(self, default: str | None) -> str:
        """Return why branches cannot begin so beside a default branch; empty if they can.

        >>> Prefixes(tuning="main/").blocker("main")
        '`main/` leaves no room for the default branch `main`'
        """
        if default is None:
            return ""
        low = default.lower()
        # Git keeps a branch as a file: beside `main` there is no room for a folder `main/`.
        taken = [p for p in self.both if f"{low}/".startswith(p.lower()) or p.startswith(f"{low}/")]
        return f"`{taken[0]}` leaves no room for the default branch `{default}`" if taken else ""
