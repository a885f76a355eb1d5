"""TensorBoard itself reads what is written for it; only if it is installed."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tunesmith.runs.tracking.send import send
from tunesmith.testing.records import make_record
from tunesmith.testing.trackers import METRICS, PARAMS, SCORES, SeenTrial, TrackerContract
from tunesmith.types import State

pytest.importorskip("tensorboard", exc_type=ImportError)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]


def tracker_at(folder: Path) -> Any:
    from tunesmith.runs.tracking.tensorboard import TensorBoardTracker

    return TensorBoardTracker(str(folder))


def read(folder: Path) -> Any:
    """Read a folder as TensorBoard does."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    accumulator = EventAccumulator(str(folder))
    accumulator.Reload()
    return accumulator


def text_of(run: Any, tag: str) -> str:
    (event,) = run.Tensors(tag)
    (text,) = event.tensor_proto.string_val
    return str(text.decode())


def params_of(run: Any) -> Mapping[str, Any]:
    from tensorboard.plugins.hparams import metadata

    content = run.SummaryMetadata(metadata.SESSION_START_INFO_TAG).plugin_data.content
    params = metadata.parse_session_start_info_plugin_data(content).hparams
    return {name: getattr(value, value.WhichOneof("kind")) for name, value in params.items()}


class TestTensorBoard(TrackerContract):
    @pytest.fixture
    def make(self, tmp_path: Path) -> Callable[[], Any]:
        return lambda: tracker_at(tmp_path)

    def seen(self, tracker: Any, study: str) -> dict[int, SeenTrial]:
        found = {}
        for folder in tracker._root.glob(f"{study}/*/[0-9]*/"):
            run = read(folder)
            state = State(text_of(run, "state").partition(":")[0])
            scalars = run.Tags()["scalars"]
            mean = run.Scalars("accuracy")[-1].value if "accuracy" in scalars else None
            found[int(folder.name)] = SeenTrial(state, mean, params_of(run)["x"])
        return found


def test_the_page_of_hyperparameters_lists_every_trial(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.data_provider import MultiplexerDataProvider
    from tensorboard.backend.event_processing.plugin_event_multiplexer import EventMultiplexer
    from tensorboard.context import RequestContext
    from tensorboard.plugins.base_plugin import TBContext
    from tensorboard.plugins.hparams import api_pb2
    from tensorboard.plugins.hparams.backend_context import Context
    from tensorboard.plugins.hparams.list_session_groups import Handler

    record = make_record(PARAMS, SCORES, metrics=METRICS, study="one")
    assert send(record, tracker_at(tmp_path), {"report.md": "# Report\n"}).problem == ""
    multiplexer = EventMultiplexer().AddRunsFromDirectory(str(tmp_path))
    multiplexer.Reload()
    provider = MultiplexerDataProvider(multiplexer, str(tmp_path))
    context = Context(TBContext(data_provider=provider))
    request = api_pb2.ListSessionGroupsRequest(start_index=0, slice_size=100)
    successes = [api_pb2.STATUS_SUCCESS, api_pb2.STATUS_FAILURE, api_pb2.STATUS_UNKNOWN]
    request.allowed_statuses.extend(successes)
    here = RequestContext()
    metadata = context.hparams_metadata(here, "")
    experiment = context.experiment_from_metadata(here, "", True, metadata, None)
    assert {info.name for info in experiment.hparam_infos} == {"x", "kind"}
    answer = Handler(here, context, "", request).run()
    groups = {group.name: group for group in answer.session_groups}
    assert sorted(name.partition("/")[0] for name in groups) == ["0", "1", "2", "3"]
    (best,) = [group for name, group in groups.items() if name.startswith("2/")]
    assert best.hparams["kind"].string_value == 'it\'s 50% "odd"'
    means = {value.name.tag: value.value for value in best.metric_values}
    assert (means["accuracy"], means["folds/accuracy"]) == (0.75, 1.0)
    (failed,) = [group for name, group in groups.items() if name.startswith("1/")]
    assert [session.status for session in failed.sessions] == [api_pb2.STATUS_FAILURE]


def test_folds_are_steps_and_the_study_has_its_report(tmp_path: Path) -> None:
    record = make_record(PARAMS, SCORES, metrics=METRICS, study="one")
    for texts in ({}, {"report.md": "# Report\n"}):
        send(record, tracker_at(tmp_path), texts)
    (study,) = (tmp_path / "one").iterdir()
    first, failed = read(study / "000000"), read(study / "000001")
    assert [(e.step, e.value) for e in first.Scalars("folds/accuracy")] == [(0, 0.25), (1, 0.75)]
    assert text_of(failed, "state") == "failed: ValueError: boom"
    whole = read(study)
    assert text_of(whole, "report") == "# Report\n"
    assert "- search: grid" in text_of(whole, "study")
    assert whole.Scalars("accuracy")[-1].value == 0.75
