"""One evaluation of a scikit-optimize script: ``python -m tunesmith.bridges.skopt PARAMS …``.

The script runs as it is. When it calls ``gp_minimize`` or one of its kin, the function is called
once, with the trial's parameters, and the value goes into the metrics file.
"""

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tunesmith.bridges.script import EvaluationDone, given, run, write_metrics

SEARCHES = ("gp_minimize", "forest_minimize", "gbrt_minimize", "dummy_minimize")


def main(arguments: Sequence[str]) -> int:
    """Evaluate one point; return the exit status.

    Args:
        arguments: parameters (a JSON file), metrics (the file to write), the name of the metric,
            names of the dimensions in their order separated by commas, the script and its own
            arguments.
    """
    import skopt

    params_file, metrics_file, metric, names, script, *own = arguments
    params = json.loads(Path(params_file).read_text(encoding="utf-8"))

    def search(func: Callable[[Any], Any], dimensions: Any, *_args: Any, **_words: Any) -> None:
        space = skopt.space.Space(dimensions)
        point = [
            _value(params[name], dimension)
            for name, dimension in zip(names.split(","), space.dimensions, strict=True)
        ]
        write_metrics(metrics_file, [metric], func(point))
        raise EvaluationDone

    for module in (skopt, skopt.optimizer):
        for name in SEARCHES:
            setattr(module, name, search)
    if run(script, own):
        return 0
    print(f"{script} never called {', '.join(SEARCHES)}", file=sys.stderr)
    return 1


def _value(value: Any, dimension: Any) -> Any:
    categories = getattr(dimension, "categories", None)
    return value if categories is None else given(value, categories)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
