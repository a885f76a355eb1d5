"""The shape of a best-parameters file stays: wrapped, flat, or at a place among other things."""

import json
from pathlib import Path

import pytest
import yaml

from tunesmith.config.model import BestSection, OutputsSection
from tunesmith.errors import UsageError
from tunesmith.ledger.records import StudyRecord
from tunesmith.parameters.adopt import adopt
from tunesmith.parameters.best_file import BestFile
from tunesmith.parameters.edits import edit_of
from tunesmith.runs.outputs import write_outputs
from tunesmith.testing.records import make_record

FIRST = make_record([{"lr": 0.01}, {"lr": 0.1, "depth": 3}], [[0.9, 0.8], [0.7, 0.6]])
SECOND = make_record([{"lr": 0.01}, {"lr": 0.1, "depth": 3}], [[0.7, 0.6], [0.9, 0.8]])


def outputs(path: str = "best.json", tuned: str | None = None, **shape: object) -> OutputsSection:
    return OutputsSection(best=BestSection(path=path, **shape), tuned=tuned)  # type: ignore[arg-type]


def edit_there(root: Path, record: StudyRecord, given: OutputsSection) -> str | None:
    found = edit_of(BestFile.of_record(root, given, record), record)
    return None if found is None else found.words


@pytest.mark.parametrize("tuned", [None, "tuned.yaml"])
def test_a_flat_file_stays_flat(tmp_path: Path, tuned: str | None) -> None:
    given, path = outputs(tuned=tuned), tmp_path / "best.json"
    path.write_text('{"lr": 0.5, "depth": 9}\n')
    if tuned:  # people's own, until they take the winner
        write_outputs(FIRST, tmp_path, given)
        assert json.loads(path.read_text()) == {"lr": 0.5, "depth": 9}
        assert "lr: 0.01 -> 0.5" in str(edit_there(tmp_path, FIRST, given))
        adopt(FIRST, tmp_path, given)
    write_outputs(FIRST, tmp_path, given)
    assert path.read_text() == '{"lr": 0.01}\n'
    assert edit_there(tmp_path, FIRST, given) is None


def test_an_unedited_flat_file_follows_the_winner(tmp_path: Path) -> None:
    given, path = outputs(tuned="tuned.yaml", meta=False), tmp_path / "best.json"
    write_outputs(FIRST, tmp_path, given)
    write_outputs(SECOND, tmp_path, given)
    assert json.loads(path.read_text()) == {"lr": 0.1, "depth": 3}


def test_an_edit_of_a_flat_file_is_kept(tmp_path: Path) -> None:
    given, path = outputs(tuned="tuned.yaml", meta=False), tmp_path / "best.json"
    write_outputs(FIRST, tmp_path, given)
    path.write_text('{"lr": 0.3}')
    write_outputs(SECOND, tmp_path, given)
    assert path.read_text() == '{"lr": 0.3}'
    assert "lr: 0.1 -> 0.3" in str(edit_there(tmp_path, SECOND, given))


def test_another_trial_in_a_flat_file_counts_as_adopted(tmp_path: Path) -> None:
    given = outputs(tuned="tuned.yaml", meta=False)
    write_outputs(FIRST, tmp_path, given)
    adopt(FIRST, tmp_path, given, trial=1)
    assert edit_there(tmp_path, FIRST, given) == "trial 1 was adopted"
    write_outputs(FIRST, tmp_path, given)
    assert json.loads((tmp_path / "best.json").read_text()) == {"lr": 0.1, "depth": 3}


def test_other_things_in_the_file_stay_as_they_are(tmp_path: Path) -> None:
    text = "# all settings\ndata: {path: x.csv}\ntrain:\n  seed: 7  # never change\n  lr: 0.5\n"
    given = outputs("params.yaml", at="train")
    (tmp_path / "params.yaml").write_text(text)
    write_outputs(SECOND, tmp_path, given)
    assert (tmp_path / "params.yaml").read_text() == text.replace("0.5", "0.1") + "  depth: 3\n"
    write_outputs(FIRST, tmp_path, given)
    assert (tmp_path / "params.yaml").read_text() == text.replace("0.5", "0.01")
    assert edit_there(tmp_path, FIRST, given) is None


def test_fixed_parameters_beside_tuned_ones_stay(tmp_path: Path) -> None:
    path = tmp_path / "best.json"
    path.write_text('{"lr": 0.5, "random_state": 1}')
    write_outputs(FIRST, tmp_path, outputs())
    assert json.loads(path.read_text()) == {"lr": 0.01, "random_state": 1}


@pytest.mark.parametrize("suffix", ["yaml", "json", "toml"])
def test_a_new_file_has_the_shape_that_is_asked_for(tmp_path: Path, suffix: str) -> None:
    def written(**shape: object) -> object:
        name = f"best{len(list(tmp_path.iterdir()))}.{suffix}"
        given = outputs(name, None, **shape)
        write_outputs(FIRST, tmp_path, given)
        best = BestFile.of_record(tmp_path, given, FIRST)
        assert best.read()[0] == {"lr": 0.01}
        data = yaml.safe_load(best.path.read_text()) if suffix != "toml" else _toml(best.path)
        return set(data)

    assert written() == {"params", "meta"}
    assert written(meta=False) == {"lr"}
    assert written(at="train.model") == {"train"}
    assert written(at="train", meta=True) == {"train", "meta"}


def _toml(path: Path) -> dict[str, object]:
    import tomllib

    return tomllib.loads(path.read_text())


def test_a_file_of_ours_is_turned_into_the_shape_that_is_asked_for_later(tmp_path: Path) -> None:
    write_outputs(FIRST, tmp_path, outputs())
    write_outputs(FIRST, tmp_path, outputs(meta=False))
    assert (tmp_path / "best.json").read_text() == '{\n  "lr": 0.01\n}\n'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"data": {"path": "x"}}', "holds other things (`data`)"),
        ('{"model": {"lr": 1}}', "at: model"),
        ("[1, 2]", "holds no keys"),
        ("{", "cannot be read"),
    ],
)
def test_somebody_elses_file_is_refused(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "best.json").write_text(text)
    with pytest.raises(UsageError, match=r"outputs\.best") as caught:
        write_outputs(FIRST, tmp_path, outputs())
    assert words in str(caught.value)
    assert (tmp_path / "best.json").read_text() == text
    assert not (tmp_path / "outputs").exists(), "nothing else is written either"
    write_outputs(FIRST, tmp_path, outputs(), forced=["best.json"])
    assert set(json.loads((tmp_path / "best.json").read_text())) == {"params", "meta"}


def test_a_value_that_is_in_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "best.json").write_text('{"train": 5}')
    with pytest.raises(UsageError, match="no place for parameters at `train`"):
        write_outputs(FIRST, tmp_path, outputs(at="train"))


@pytest.mark.parametrize("value", [".inf", "-.inf", ".nan", "[1.0, .inf]", "{a: .nan}"])
@pytest.mark.parametrize("at", [None, "train"])
def test_a_number_that_json_lacks_is_told(tmp_path: Path, value: str, at: str | None) -> None:
    given = outputs("best.yaml", **({} if at is None else {"at": at}))
    path = tmp_path / "best.yaml"
    path.write_text(f"lr: {value}\n" if at is None else f"train:\n  lr: {value}\n")
    with pytest.raises(UsageError, match=r"best\.yaml: `lr`: .* is no number that JSON can hold"):
        edit_there(tmp_path, FIRST, given)


@pytest.mark.parametrize("meta", ["text", 7, None, ["study"], {"study": "s"}])
def test_a_meta_that_anybody_wrote_is_no_origin(tmp_path: Path, meta: object) -> None:
    path = tmp_path / "best.json"
    path.write_text(json.dumps({"params": {"lr": 0.5}, "meta": meta}))
    params, read = BestFile.of_record(tmp_path, outputs(), FIRST).read()
    assert params == {"lr": 0.5}
    assert read == (meta if isinstance(meta, dict) else None)
    assert edit_there(tmp_path, FIRST, outputs()) is not None  # no trial has these parameters
