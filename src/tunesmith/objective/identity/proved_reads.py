"""Lists of what loaded code may read so that its content says everything that it depends on.

Code in a notebook is identified by its instructions, its closure and the globals that it reads.
This is proved only for code that reads nothing else: no files, no environment, no clock, no
generator of random numbers. What is not on these lists is not proved.
"""

import builtins
import re

BUILTINS = frozenset(
    [
        "abs",
        "all",
        "any",
        "ascii",
        "bin",
        "bool",
        "bytearray",
        "bytes",
        "callable",
        "chr",
        "classmethod",
        "complex",
        "dict",
        "divmod",
        "enumerate",
        "filter",
        "float",
        "format",
        "frozenset",
        "getattr",
        "hasattr",
        "hex",
        "int",
        "isinstance",
        "issubclass",
        "iter",
        "len",
        "list",
        "map",
        "max",
        "min",
        "next",
        "object",
        "oct",
        "ord",
        "pow",
        "print",
        "property",
        "range",
        "repr",
        "reversed",
        "round",
        "set",
        "setattr",
        "slice",
        "sorted",
        "staticmethod",
        "str",
        "sum",
        "super",
        "tuple",
        "type",
        "zip",
        "Ellipsis",
        "NotImplemented",
        "__build_class__",
        "__debug__",
        "__name__",
    ]
)
"""Builtins that read nothing but their arguments."""
PACKAGES = frozenset(
    [
        "numpy",
        "scipy",
        "sklearn",
        "pandas",
        "polars",
        "pyarrow",
        "lightgbm",
        "xgboost",
        "catboost",
        "abc",
        "array",
        "bisect",
        "cmath",
        "collections",
        "contextlib",
        "copy",
        "dataclasses",
        "decimal",
        "enum",
        "fractions",
        "functools",
        "heapq",
        "itertools",
        "math",
        "numbers",
        "operator",
        "re",
        "statistics",
        "string",
        "textwrap",
        "types",
        "typing",
        "unicodedata",
        "warnings",
        "tunesmith",
    ]
)
"""Packages whose functions compute from their arguments, but for the names below."""
READERS = re.compile(
    r"(read|load|open|fetch|scan)(_\w+)?|loadtxt|genfromtxt|fromfile|memmap|open_memmap"
    r"|DataSource|urlopen|ctypeslib|environ|getenv|rand|randn|randint|default_rng|seed|sample"
    r"|permutation|shuffle|choice|get_state"
)
"""Names in these packages that read files or draw from a generator that others share."""
LABELS = frozenset(
    ["__name__", "__qualname__", "__doc__", "__annotations__", "get_type_hints", "get_annotations"]
)
"""Names that show how code is called and described, which counts only if something reads it."""
INNER = frozenset(
    [
        "__code__",
        "__globals__",
        "__builtins__",
        "__subclasses__",
        "gi_frame",
        "f_back",
        "f_globals",
        "tb_lineno",
        "tb_frame",
    ]
)
"""Names that lead to places in a file, or to code that nothing else names."""
BUNDLED = frozenset(
    f"load_{name}" for name in ("breast_cancer", "diabetes", "digits", "iris", "linnerud", "wine")
)
"""Data sets that a package brings along, so that its version identifies them."""


def is_proved_builtin(name: str) -> bool:
    """Tell whether a builtin reads nothing but its arguments.

    >>> is_proved_builtin("sorted"), is_proved_builtin("ValueError"), is_proved_builtin("open")
    (True, True, False)
    """
    found = getattr(builtins, name, None)
    is_error = isinstance(found, type) and issubclass(found, BaseException)
    return name in BUILTINS or is_error


def is_proved_package(module: str) -> bool:
    """Tell whether the functions of a module compute from their arguments.

    >>> is_proved_package("sklearn.metrics._ranking"), is_proved_package("random")
    (True, False)
    """
    return module.partition(".")[0] in PACKAGES


def is_reader(name: str) -> bool:
    """Tell whether a name of such a package reads files or draws from a shared generator.

    >>> is_reader("read_csv"), is_reader("load_iris"), is_reader("loader")
    (True, False, False)
    """
    return name not in BUNDLED and READERS.fullmatch(name) is not None


def is_label(name: str) -> bool:
    """Tell whether a name shows how code is called or described.

    >>> is_label("__doc__"), is_label("doc")
    (True, False)
    """
    return name in LABELS


def is_inner(name: str) -> bool:
    """Tell whether a name leads to what the content of code does not hold.

    >>> is_inner("__subclasses__"), is_inner("__class__")
    (True, False)
    """
    return name in INNER
