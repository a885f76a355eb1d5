r"""Escaping of text that the log of a CI job would take for commands.

GitHub takes a line that begins with ``::``, and ``##[`` anywhere in one; Azure and TeamCity
``##vso[`` and ``##teamcity[``; GitLab a line that begins with ``section_start:``.
"""

import os
import re
from collections.abc import Mapping

SIGNS = ("CI", "GITHUB_ACTIONS", "GITLAB_CI", "TF_BUILD", "TEAMCITY_VERSION", "BUILDKITE")
UNSEEN = r"\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u206a-\u206f\ufeff"
"""Characters without a width: a line looks as if it began behind them."""
BEGIN = (
    r"(^|[\r\n\x0b\x0c\x1c-\x1e\x85\u2028\u2029])"
    rf"((?:[^\S\r\n]|[{UNSEEN}]|\x1b\[[0-9;]*[A-Za-z])*)"
)
COLONS = re.compile(BEGIN + "::")
SECTION = re.compile(BEGIN + "section_(start|end):")
ANYWHERE = re.compile(r"##(?=\[|vso\[|teamcity\[)")


def is_ci(environ: Mapping[str, str] | None = None) -> bool:
    """Tell whether this is a CI job.

    >>> is_ci({"CI": "true"}), is_ci({"CI": "false"}), is_ci({})
    (True, False, False)
    """
    variables = os.environ if environ is None else environ
    return any(variables.get(sign, "") not in ("", "0", "false", "False") for sign in SIGNS)


def inert(text: str) -> str:
    r"""Return text that reads the same but is no command to a CI job.

    >>> inert("a\n  ::set-output name=x::1 ##[error]y")
    'a\n  : :set-output name=x::1 # #[error]y'
    """
    text = COLONS.sub(r"\1\2: :", text)
    text = SECTION.sub(r"\1\2section-\3:", text)
    return ANYWHERE.sub("# #", text)


def inert_json(text: str) -> str:
    r"""Return JSON of the same content that is no command; no line of it begins inside a string.

    >>> inert_json('{"a": "##[x]"}')
    '{"a": "\\u0023#[x]"}'
    """
    return ANYWHERE.sub(r"\\u0023#", text)
