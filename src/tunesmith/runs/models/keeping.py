"""Fold models that are kept while a study runs."""

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tunesmith.config.model import Definition
from tunesmith.config.models import SIZE
from tunesmith.errors import TunesmithError
from tunesmith.execute.choose import DASK
from tunesmith.history import FoldResult, Metric
from tunesmith.ledger.ledger import Ledger
from tunesmith.ledger.records import StudyHead
from tunesmith.objective.objective import Objective
from tunesmith.study.keeping import KeepingWithin
from tunesmith.study.recorder import Recorder
from tunesmith.system.files import STATE, make_state_folder

if TYPE_CHECKING:
    from tunesmith.models.store import ModelStore

FOLDER = "models"
ANSWERS = "answers"
N_ANSWERED = 10
"""Number of best trials whose answers are kept at least, since rules may choose another than the
first one."""


def store_of(study: Definition) -> "ModelStore | None":
    """Return the store of a study's fold models; ``None`` if it keeps none.

    Args:
        study: its study. The searches of nested cross-validation keep nothing.
    """
    section = study.file.models
    if section is None or not _can_keep(study):
        return None
    return _store(study, FOLDER, section.size)


def answers_of_study(study: Definition) -> "ModelStore | None":
    """Return the store with answers for the test rows of folds; ``None`` if none are kept.

    Args:
        study: its study; a store of models has their answers, too.
    """
    if study.file.models is not None or study.file.outputs.predictions is None:
        return store_of(study)
    return _store(study, ANSWERS, SIZE) if _can_keep(study) else None


def why_nothing_is_kept(study: Definition) -> str:
    """Return a sentence if the files of this machine allow no models to be kept; else nothing.

    Args:
        study: its study, which asks for models or answers.
    """
    if not _is_asked(study):
        return ""
    place = state_folder(study) / (ANSWERS if study.file.models is None else FOLDER)
    remedy = f"Make {place} writable"
    try:
        make_state_folder(place, is_private=True)
        descriptor, name = tempfile.mkstemp(dir=place)
        os.close(descriptor)
        Path(name).unlink()
        remedy = "Make ~/.local/state writable, or set XDG_STATE_HOME to a folder of yours"
        _secret()
    except (OSError, TunesmithError) as error:
        reason = f"{error.strerror}: {error.filename}" if isinstance(error, OSError) else str(error)
        return (
            f"{_section(study)}: nothing can be kept ({reason}), so each model that is needed is"
            f" fitted again. {remedy}, and run again."
        )
    return ""


def _is_asked(study: Definition) -> bool:
    file = study.file
    is_wanted = file.models is not None or file.outputs.predictions is not None
    return is_wanted and _can_keep(study)


def _section(study: Definition) -> str:
    return "outputs.predictions" if study.file.models is None else "models"


def _secret() -> bytes:
    # Studies without models, of programs above all, start without the libraries of estimators.
    from tunesmith.models.store import user_secret

    return user_secret()


def _can_keep(study: Definition) -> bool:
    return study.outer is None and not study.file.objective.is_program


def state_folder(study: Definition) -> Path:
    """Return the private folder of a study's project."""
    place = study.ledger
    return place.parent if isinstance(place, Path) else study.root / STATE


def _store(study: Definition, folder: str, size: int) -> "ModelStore | None":
    # Studies without models, of programs above all, start without the libraries of estimators.
    from tunesmith.models.store import ModelStore

    try:
        secret = _secret()
    except OSError:
        # Nobody could tell the files from those of others: the models are fitted again.
        return None
    return ModelStore(state_folder(study) / folder / study.file.study, secret, size)


def n_kept_answers(study: Definition) -> int:
    """Return the number of best trials whose models, answers or predictions are kept."""
    models, wanted = study.file.models, study.file.outputs.predictions
    n_best = N_ANSWERED if models is None else models.keep
    return n_best if wanted is None else max(n_best, wanted.trials)


def keep_models(
    recorder: Recorder,
    study: Definition,
    objective: Objective,
    ledger: Ledger,
    series: StudyHead,
    *,
    say: Callable[[str], None],
) -> Recorder:
    """Let an objective keep fold models, or their answers, of the best trials, if so configured.

    Args:
        recorder: of the run.
        study: its study.
        objective: gets the keeper; it must not have been sent to workers yet.
        ledger: with the trials so far.
        series: of the trials.
        say: gets a sentence if nothing can be kept.

    Returns:
        The recorder, which then removes the models of all other trials.
    """
    file = study.file
    if not _is_asked(study) or not hasattr(objective, "keeper"):
        return recorder
    if why := why_nothing_is_kept(study):
        say(why)
        return recorder
    store = answers_of_study(study)
    assert store is not None  # noqa: S101 - otherwise there is a reason
    from tunesmith.models.keeper import Keeper

    metric = objective.objectives[0]
    objective.keeper = Keeper(
        store,
        metric.sign,
        has_models=file.models is not None,
        delivers=file.execution.executor == DASK,
    )
    return _best_only(
        recorder, study, metric, (ledger, series), Deliveries(store, _section(study), say)
    )


def hand_over(study: Definition, objective: Objective) -> None:
    """Let the fits of a worker elsewhere hand over the answers of their models, if any are kept.

    Args:
        study: its study.
        objective: gets the keeper; it must not have been sent to processes yet.
    """
    if not _is_asked(study) or not hasattr(objective, "keeper"):
        return
    from tunesmith.models.keeper import Keeper
    from tunesmith.models.store import ModelStore

    # Models are pickles, which the run would have to open; so they are fitted there if needed.
    nowhere = ModelStore(state_folder(study) / ANSWERS, b"", 0)
    sign = objective.objectives[0].sign
    objective.keeper = Keeper(nowhere, sign, has_models=False, delivers=True)


def _best_only(
    recorder: Recorder,
    study: Definition,
    metric: Metric,
    place: tuple[Ledger, StudyHead],
    deliveries: "Deliveries",
) -> Recorder:
    """Return a recorder that removes the models of all but the best trials so far."""
    ledger, series = place
    store = deliveries.store
    # The best trials are those of the whole study, not of this run.
    log, keys = ledger.log(series.id), ledger.fold_keys(series.id)
    room = _Room.of(store, {key for own in keys.values() for key in own.values()})
    best_only = KeepingWithin(
        recorder,
        metric,
        n_kept_answers(study),
        store.drop,
        subject_to=log.subject_to,
        is_full=room.is_missing,
        take=deliveries,
    )
    # Also before the first trial, whose models would find no room otherwise.
    room.is_missing()
    for trial in log.completed:
        own = keys[trial.number]
        best_only.begin(trial, [key for fold, key in sorted(own.items()) if fold >= 0])
    return best_only


@dataclass
class Deliveries:
    """Stores the models that workers hand over, and tells once if some could not be stored.

    Args:
        store: gets the models.
        section: of the configuration, for the message.
        say: gets the message.
    """

    store: "ModelStore"
    section: str
    say: Callable[[str], None]
    has_told: bool = False

    def __call__(self, result: FoldResult) -> None:
        """Take in what the fit of a result has left to this process."""
        delivery = result.delivery
        if delivery is None:
            return
        problem, packed = delivery.problem, delivery.take()
        try:
            if packed is not None:
                self.store.write(packed)
        except (OSError, TunesmithError) as error:
            problem = str(error)
        if problem and not self.has_told:
            self.has_told = True
            self.say(
                f"{self.section}: some models could not be kept, and are fitted again when they are"
                f" needed: {problem}"
            )


@dataclass
class _Room:
    """Room for models: those of earlier data, code or configurations go first."""

    store: "ModelStore"
    others: list[Path]
    """Files without a model of this series, the oldest first."""

    @classmethod
    def of(cls, store: "ModelStore", mine: set[str]) -> "_Room":
        """Return the room of a store for the models of a series."""
        # The run has the study to itself, so that nobody is writing yet.
        store.sweep()
        return cls(store, store.others(mine))

    def is_missing(self) -> bool:
        """True if models of this series have to go, so that better ones find room."""
        while self.store.is_crowded and self.others:
            self.others.pop(0).unlink(missing_ok=True)
        return self.store.is_crowded
