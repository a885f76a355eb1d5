"""MLflow: a run for the study, and a child of it for each trial.

Everything goes through the client with explicit run ids: MLflow's own "active run" belongs to a
process, and would be somebody else's.
"""

import os
import re
from collections.abc import Iterator, Mapping
from typing import Any

from tunesmith.errors import StorageError
from tunesmith.runs.tracking.seam import (
    TrackedEnd,
    TrackedStudy,
    TrackedTrial,
    as_text,
    finite,
)
from tunesmith.types import State

PARENT = "mlflow.parentRunId"
UID, TRIAL, DONE = "tunesmith.uid", "tunesmith.trial", "tunesmith.n_trials"
"""Tags by which a sending finds what an earlier one has made."""
NOT_ALLOWED = re.compile(r"[^\w\-. /]")
MOST_CHARACTERS = 500
"""Longest value of a parameter that every version takes."""
STATUS = {State.COMPLETE: "FINISHED", State.FAILED: "FAILED", State.PRUNED: "KILLED"}
PAGE = 1000
PATIENCE = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2", "MLFLOW_HTTP_REQUEST_TIMEOUT": "30"}
"""Limits of MLflow's requests, unless the environment sets them.

By its own ones, seven retries of up to two minutes, nothing is heard of a server that is away for
minutes, and of one that takes connections and never answers for a quarter of an hour.
"""


class MLflowTracker:
    """Sends a study to MLflow 3.

    Args:
        address: tracking URI; by default MLflow's own (``MLFLOW_TRACKING_URI``).
    """

    def __init__(self, address: str | None = None) -> None:
        try:
            from mlflow.tracking import MlflowClient
        except ImportError as error:
            raise StorageError(
                f"mlflow: {error.name} is not installed."
                "\n  Install it: pip install 'tunesmith[mlflow]'"
            ) from None
        for name, value in PATIENCE.items():
            os.environ.setdefault(name, value)
        self._client: Any = MlflowClient(tracking_uri=address)
        self._experiment = self._run = ""
        self._n_done: str | None = None

    def begin(self, study: TrackedStudy) -> None:
        """Find the run of the study, or make it; its experiment has the study's name."""
        experiment = self._client.get_experiment_by_name(study.name)
        self._experiment = (
            self._client.create_experiment(study.name)
            if experiment is None
            else experiment.experiment_id
        )
        found = next(self._runs(UID, study.uid), None)
        if found is None:
            facts = {f"tunesmith.{name}": value for name, value in study.facts.items()}
            tags = {UID: study.uid, **facts}
            found = self._client.create_run(self._experiment, run_name=study.name, tags=tags)
        self._run, self._n_done = found.info.run_id, found.data.tags.get(DONE)

    def numbers(self) -> set[int]:
        """Numbers of the trials whose runs have ended."""
        return {
            int(run.data.tags[TRIAL])
            for run in self._children()
            if run.info.status in STATUS.values()
        }

    def trial(self, trial: TrackedTrial) -> None:
        """Add a trial as a child run; a half one of the same number is replaced."""
        for run in self._runs(TRIAL, str(trial.number)):
            if run.data.tags.get(PARENT) == self._run and run.info.status not in STATUS.values():
                self._client.delete_run(run.info.run_id)
        tags = {PARENT: self._run, TRIAL: str(trial.number), "tunesmith.origin": trial.origin}
        if trial.failure:
            tags["tunesmith.failure"] = trial.failure[:MOST_CHARACTERS]
        run = self._client.create_run(self._experiment, run_name=f"trial {trial.number}", tags=tags)
        self._client.log_batch(run.info.run_id, _metrics(trial), _params(trial.params))
        # Last: until then, it does not count.
        self._client.set_terminated(run.info.run_id, STATUS[trial.state])

    def finish(self, end: TrackedEnd) -> None:
        """Show the best trial and keep the texts, unless that was done for as many trials."""
        if str(end.n_trials) == self._n_done and not end.texts:
            return
        for name, text in end.texts.items():
            self._client.log_text(self._run, text, name)
        if str(end.n_trials) == self._n_done:
            return
        from mlflow.entities import Metric, RunTag

        means = [Metric(_name(k), v, 0, end.n_trials) for k, v in finite(end.means).items()]
        best = [] if end.best is None else [RunTag("tunesmith.best_trial", str(end.best))]
        tags = [*best, RunTag("tunesmith.stopped_by", end.stopped_by)]
        self._client.log_batch(self._run, means, tags=tags)
        self._client.set_terminated(self._run, STATUS[State.COMPLETE])
        self._client.set_tag(self._run, DONE, str(end.n_trials))

    def _children(self) -> Iterator[Any]:
        return self._runs(PARENT, self._run)

    def _runs(self, tag: str, value: str) -> Iterator[Any]:
        """Yield the runs of the experiment with a tag."""
        token = None
        # Values are digests and numbers of ours, so that none ends the quotation.
        wanted = f"tags.`{tag}` = '{value}'"
        while True:
            page = self._client.search_runs(
                [self._experiment], wanted, max_results=PAGE, page_token=token
            )
            yield from page
            token = page.token
            if not token:
                return


def _metrics(trial: TrackedTrial) -> list[Any]:
    """Return the means, and the scores of each fold as a step of a metric of its own."""
    from mlflow.entities import Metric

    times = {"fit_time_s": trial.fit_time_s}
    metrics = [Metric(_name(k), v, 0, 0) for k, v in {**finite(trial.means), **times}.items()]
    for fold, scores in enumerate(trial.folds):
        metrics += [Metric(f"{_name(k)}.fold", v, 0, fold) for k, v in finite(scores).items()]
    return metrics


def _params(params: Mapping[str, Any]) -> list[Any]:
    from mlflow.entities import Param

    return [Param(_name(name), as_text(value)[:MOST_CHARACTERS]) for name, value in params.items()]


def _name(name: str) -> str:
    """Name with the characters that MLflow takes.

    >>> _name("step:alpha")
    'step_alpha'
    """
    return NOT_ALLOWED.sub("_", name)
