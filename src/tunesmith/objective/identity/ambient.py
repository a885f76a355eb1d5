"""Settings of libraries that functions read besides their arguments, set away from the defaults.

They belong to a thread: decimal's context, NumPy's handling of floating point errors and its print
options, scikit-learn's configuration.
"""

import sys
import threading
from contextvars import Context
from typing import Any

from tunesmith.system.portable.versions import process_print_options

SHOWN_ONLY = ("display", "print_changed_only")
"""Settings of scikit-learn that change only how objects are shown."""


def settings_now() -> dict[str, str]:
    """Return the settings of this thread as texts, by name; of imported libraries only."""
    found: dict[str, Any] = {}
    if "decimal" in sys.modules:
        # Without the flags, which every inexact result sets.
        now = sys.modules["decimal"].getcontext()
        names = ("prec", "rounding", "Emin", "Emax", "capitals", "clamp")
        found |= {f"decimal.{name}": getattr(now, name) for name in names}
        found["decimal.traps"] = sorted(str(trap) for trap, is_on in now.traps.items() if is_on)
    if "numpy" in sys.modules:
        numpy = sys.modules["numpy"]
        found |= {f"numpy.err.{name}": value for name, value in numpy.geterr().items()}
        options = numpy.get_printoptions()
        found |= {f"numpy.print.{name}": value for name, value in options.items()}
    if "sklearn" in sys.modules:
        settings = sys.modules["sklearn"].get_config()
        kept = {name: value for name, value in settings.items() if name not in SHOWN_ONLY}
        found |= {f"sklearn.{name}": value for name, value in kept.items()}
    return {name: repr(value) for name, value in found.items()}


def changed_settings() -> list[tuple[str, str]]:
    """List the settings that are not those of a new thread, sorted by name."""
    fresh: dict[str, str] = {}
    # An empty context, because threads may inherit that of their parent.
    thread = threading.Thread(target=lambda: fresh.update(Context().run(settings_now)))
    thread.start()
    thread.join()
    for name, value in process_print_options().items():
        fresh[f"numpy.print.{name}"] = repr(value)
    return sorted((name, text) for name, text in settings_now().items() if fresh[name] != text)
