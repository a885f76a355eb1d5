"""One trial of an Optuna script: ``python -m tunesmith.bridges.optuna PARAMS METRICS …``.

The script runs as it is, with its data and its settings. When it calls ``study.optimize``, its
objective is called once, with the trial's parameters, and the value goes into the metrics file.
"""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tunesmith.bridges.script import EvaluationDone, given, run, write_metrics


def main(arguments: Sequence[str]) -> int:
    """Evaluate one trial; return the exit status.

    Args:
        arguments: parameters (a JSON file), metrics (the file to write), names of the metrics
            separated by commas, the script and its own arguments.
    """
    import optuna

    params_file, metrics_file, names, script, *own = arguments
    params = json.loads(Path(params_file).read_text(encoding="utf-8"))
    study: Any = optuna.study.Study

    def optimize(_: Any, func: Callable[[Any], Any], *_args: Any, **_words: Any) -> None:
        values = func(fixed_trial(params))
        write_metrics(metrics_file, names.split(","), values)
        raise EvaluationDone

    study.optimize = optimize
    if run(script, own):
        return 0
    print(f"{script} never called `study.optimize`", file=sys.stderr)
    return 1


def fixed_trial(params: Mapping[str, Any]) -> Any:
    """Return a trial of Optuna's that proposes given parameters."""
    import optuna

    class Fixed(optuna.trial.FixedTrial):  # type: ignore[misc]
        """A fixed trial whose tuples have come as lists."""

        def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
            """Return the choice that the parameter stands for."""
            super().suggest_categorical(name, [params[name], *choices])
            return given(params[name], choices)

    return Fixed(dict(params))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
