"""Old faults, put back by a switch: a hunt that does not find them is no hunt.

With each, the checks before the first shared scores are off, too: they would find most of these.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

from tunesmith.data.slices import SliceCache
from tunesmith.sharing.kernel import Kernel, PendingCheck
from tunesmith.sharing.proved import Proved
from tunesmith.sharing.submodels import boosting

Patch = tuple[Any, str, Callable[..., Any]]


def _one_for_all(self: Any, fold: int) -> Any:
    """The rows of a fold, the same objects for every fit."""
    kept = self.__dict__.setdefault("_one", {})
    return kept.setdefault(fold, self.fresh(fold))


def _short_sum(fitted: Any, votes: Any) -> Any:
    weights = fitted.estimator_weights_
    fitted.estimator_weights_ = weights[: len(fitted.estimators_)]
    try:
        return _decision(fitted, votes)
    finally:
        fitted.estimator_weights_ = weights


_decision = boosting._decision
UNCHECKED: Patch = (Kernel, "_check_of", lambda *_: PendingCheck({}))
FAULTS: dict[str, tuple[Patch, ...]] = {
    # boost="dart", boosting="dart" and every other keyword that is passed on
    "parameters": ((Proved, "_objection_to_params", lambda *_: ""),),
    # eval_set, callbacks, monitor, use_best_model
    "arguments": ((Proved, "_objection_to_fit", lambda *_: ""),),
    # targets that a fit changes in place
    "rows": (
        (SliceCache, "for_fit", _one_for_all),
        (Kernel, "is_known", lambda *_: True),
    ),
    # AdaBoost that ended sooner than asked
    "last bit": ((boosting, "_decision", _short_sum),),
}
"""Name -> what is put in the place of what."""


@contextmanager
def put_back(name: str) -> Iterator[None]:
    """Bring an old fault back, as long as this lasts."""
    with ExitStack() as stack:
        for owner, attribute, old in (UNCHECKED, *FAULTS[name]):
            stack.enter_context(mock.patch.object(owner, attribute, old))
        yield
