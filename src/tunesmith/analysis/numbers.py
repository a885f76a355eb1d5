"""Numbers as a reader wants them: as many digits as the error allows, always the same ones."""

import json
import math
from typing import Any


def digits_for(error: float) -> int:
    """Number of decimals that show two digits of an error above 0; 4 if there is none.

    >>> digits_for(0.0123), digits_for(math.nan)
    (3, 4)
    """
    if not math.isfinite(error):
        return 4
    return min(max(1 - math.floor(math.log10(error)), 0), 10)


def with_error(mean: float, error: float) -> str:
    """``mean ± standard error``.

    >>> with_error(0.95432, 0.0041), with_error(50.0, 0.0)
    ('0.9543 ± 0.0041', '50 ± 0')
    """
    if not math.isfinite(mean):
        return "–"
    # Before `digits_for`, whose logarithm needs an error above 0.
    if error == 0:
        return f"{plain(mean)} ± 0"
    digits = digits_for(error)
    if not math.isfinite(error):
        return f"{mean:.{digits}f}"
    return f"{mean:.{digits}f} ± {error:.{digits}f}"


def plain(number: float) -> str:
    """Six significant digits, without needless zeros.

    >>> plain(0.1 + 0.2), plain(1e-5)
    ('0.3', '1e-05')
    """
    return f"{number:.6g}" if math.isfinite(number) else "–"


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
    return json.dumps(given, ensure_ascii=False)
