"""Numbers as a reader wants them: as many digits as the error allows, always the same ones.

Every text that shows a score takes its digits from here, so that one number never reads ``0.777``
in one place and ``0.778`` in another.
"""

import json
import math
from decimal import Decimal
from typing import Any

USUAL_DIGITS = 4
"""Decimals of a number whose error is not known."""
MAX_DIGITS = 10
SMALL, LARGE = 1e-4, 1e9
"""Numbers below and above are written with an exponent."""

MAX_TEXT = 60
"""Most characters of an object that are shown."""


def digits_for(error: float) -> int:
    """Number of decimals that show two digits of an error above 0; 4 if there is none.

    >>> digits_for(0.0123), digits_for(math.nan), digits_for(0.0)
    (3, 4, 4)
    """
    if not math.isfinite(error) or error <= 0:
        return USUAL_DIGITS
    return min(max(1 - math.floor(math.log10(error)), 0), MAX_DIGITS)


def with_error(mean: float, error: float) -> str:
    """``mean ± standard error``.

    >>> with_error(0.95432, 0.0041), with_error(50.0, 0.0), with_error(1e-300, 2e-301)
    ('0.9543 ± 0.0041', '50 ± 0', '(1.00 ± 0.20)e-300')
    """
    if not math.isfinite(mean):
        return "–"
    # Before `digits_for`, whose logarithm needs an error above 0.
    if error == 0:
        return f"{plain(mean)} ± 0"
    if not math.isfinite(error):
        return rounded(mean, error)
    size = max(abs(mean), error)
    if not SMALL <= size < LARGE:
        return _scaled(mean, error, math.floor(math.log10(size)))
    if error < 10.0**-MAX_DIGITS:
        return f"{plain(mean)} ± {error:.1g}"
    return f"{rounded(mean, error)} ± {fixed(error, digits_for(error))}"


def rounded(number: float, error: float, sign: str = "") -> str:
    """A number with the decimals that ``with_error`` gives it.

    >>> rounded(0.95432, 0.0041), rounded(0.00296, 0.0041, sign="+"), rounded(1e-300, math.nan)
    ('0.9543', '+0.0030', '1e-300')

    Args:
        number: finite or not.
        error: its standard error, or the one that its digits are to follow.
        sign: ``+`` to write it before positive numbers as well.
    """
    if not math.isfinite(number):
        return "–"
    digits = digits_for(error)
    # With so few digits, nothing would be left of it but noughts.
    is_lost = 0 < abs(number) < 0.5 * 10.0**-digits and not math.isfinite(error)
    if is_lost or abs(number) >= LARGE or 0 < error < 10.0**-MAX_DIGITS:
        return f"{number:{sign}.4g}"
    return fixed(number, digits, sign)


def fixed(number: float, digits: int, sign: str = "") -> str:
    """A number with so many decimals, and no sign before nought.

    >>> fixed(-0.0001, 3), fixed(0.5, 2, sign="+")
    ('0.000', '+0.50')
    """
    text = f"{number:{sign}.{digits}f}"
    return text if any(c in "123456789" for c in text) else text.lstrip("+-")


def _scaled(mean: float, error: float, power: int) -> str:
    """Mean and error times one power of ten; by decimals, because 1e-320 has few digits left."""
    left, right = (float(Decimal(number).scaleb(-power)) for number in (mean, error))
    digits = min(digits_for(right), MAX_DIGITS)
    return f"({fixed(left, digits)} ± {fixed(right, digits)})e{power:+03d}"


def plain(number: float) -> str:
    """Six significant digits, without needless zeros.

    >>> plain(0.1 + 0.2), plain(1e-5)
    ('0.3', '1e-05')
    """
    return f"{number:.6g}" if math.isfinite(number) else "–"


def counted(number: int, word: str) -> str:
    """A number with its noun.

    >>> counted(1, "trial"), counted(12_000, "study")
    ('1 trial', '12,000 studies')
    """
    if number != 1:
        word = f"{word[:-1]}ies" if word.endswith("y") else f"{word}s"
    return f"{number:,} {word}"


def share(given: float, error: float) -> str:
    """Percent, and the ends of the interval in percent, which are never rounded inwards.

    >>> share(0.644, 0.031), share(0.31, 1.06)
    ('64% (61 to 68)', '31% (0 to 100)')
    """
    low, high = share_interval(given, error)
    return f"{given:.0%} ({math.floor(100 * low + 0.01)} to {math.ceil(100 * high - 0.01)})"


def share_interval(given: float, error: float) -> tuple[float, float]:
    """Return the ends of a share's interval: no share is below 0 or above 1.

    >>> share_interval(0.75, 0.5)
    (0.25, 1.0)
    """
    return max(given - error, 0.0), min(given + error, 1.0)


def value(given: Any) -> str:
    """A parameter's value: text as it is, everything else as JSON.

    >>> value("sqrt"), value(None), value(0.5)
    ('sqrt', 'null', '0.5')
    """
    if isinstance(given, str):
        return given
    if isinstance(given, float):
        # Unlike `plain`, `repr` keeps the point: a float of 1 does not look like an integer.
        return repr(float(f"{given:.6g}"))
    if isinstance(given, dict) and given.keys() == {"object", "digest"}:
        return _object(str(given["object"]), str(given["digest"]))
    return json.dumps(given, ensure_ascii=False)


def _object(text: str, mark: str) -> str:
    """Text of a value that JSON cannot hold, and the first digits of its digest if it is cut.

    >>> _object("(50, 20)", "9cec78"), _object("<function <lambda>>", "9cec78d0")
    ('(50, 20)', '<function <lambda>> #9cec78')
    """
    short = text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - 1]}…"
    # Of other objects, two may have the same text.
    return short if short == text and not text.startswith("<") else f"{short} #{mark[:6]}"


def is_number(value: Any) -> bool:
    """Tell whether it is a number; truth values are not."""
    return isinstance(value, int | float) and not isinstance(value, bool)
