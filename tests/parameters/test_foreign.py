"""Outputs never replace what somebody else wrote, and are told from it after any run."""

from pathlib import Path

import pytest

from tunesmith.config.model import OutputsSection
from tunesmith.errors import UsageError
from tunesmith.parameters.best_file import BestFile
from tunesmith.parameters.foreign import MARKS, blockers, refuse_foreign
from tunesmith.runs.outputs import write_outputs
from tunesmith.testing.records import make_record

RECORD = make_record([{"lr": 0.01}, {"lr": 0.1}], [[0.9, 0.8], [0.7, 0.6]])
EMPTY = make_record([], [])
ALL = {
    "tuned": "t.yaml",
    "report": "README.md",
    "html": "index.html",
    "history": "h.jsonl",
    "metrics": "m.json",
}


def outputs(**changes: str) -> OutputsSection:
    return OutputsSection.model_validate({**ALL, "best": "b.yaml", **changes})


@pytest.mark.parametrize("trials", ["t.csv", "t.json", "t.jsonl"])
@pytest.mark.parametrize("record", [RECORD, EMPTY], ids=["trials", "none"])
def test_what_a_run_wrote_is_written_again(tmp_path: Path, trials: str, record: object) -> None:
    given = outputs(trials=trials)
    write_outputs(record, tmp_path, given)  # type: ignore[arg-type]
    assert list(blockers(BestFile(tmp_path, given, frozenset({"lr"})))) == []
    write_outputs(RECORD, tmp_path, given)


THEIRS = {
    "tuned": "params: {lr: 1}\n",
    "report": "# My project\n\n# Tuning results: none yet\n",
    "html": "<!doctype html><title>Home</title>",
    "history": '{"event": 1}\n',
    "metrics": '{"auc": 0.5}',
    "trials": "id,name\n1,a\n",
}


@pytest.mark.parametrize("key", THEIRS)
def test_somebody_elses_file_is_kept(tmp_path: Path, key: str) -> None:
    given = outputs(trials="t.csv")
    name = given.paths[key]
    (tmp_path / name).write_text(THEIRS[key])
    with pytest.raises(UsageError, match=f"outputs.{key}: {name} is there already"):
        write_outputs(RECORD, tmp_path, given)
    assert (tmp_path / name).read_text() == THEIRS[key]
    assert [path.name for path in tmp_path.iterdir()] == [name]
    write_outputs(RECORD, tmp_path, given, forced=[name])
    assert (tmp_path / name).read_text() != THEIRS[key]


def test_metrics_of_rows_that_were_held_out_are_known_again(tmp_path: Path) -> None:
    scores = (
        '{"auc": {"mean": 0.5, "std": null}, "holdout": {"auc": 0.4}, "trials": 2, "complete": 1}'
    )
    (tmp_path / "m.json").write_text(scores)
    refuse_foreign(BestFile(tmp_path, outputs()))


ALMOST = {
    "tuned": "meta: {study: s, digest: d}\nparams: {lr: 1}\nnotes: mine\n",
    "report": "# Tuning results: what I think of them\n",
    "history": '{"trial": "of strength"}\n',
    "metrics": '{"trials": 5, "complete": 5}',
}


@pytest.mark.parametrize("key", ALMOST)
def test_what_only_looks_like_an_output_is_kept(tmp_path: Path, key: str) -> None:
    given = outputs(trials="t.csv")
    (tmp_path / given.paths[key]).write_text(ALMOST[key])
    with pytest.raises(UsageError, match=f"outputs.{key}: "):
        refuse_foreign(BestFile(tmp_path, given))


@pytest.mark.parametrize("name", ["best.yaml", "best.toml"])
@pytest.mark.parametrize("at", [None, "train"])
def test_comments_alone_are_kept_too(tmp_path: Path, name: str, at: str | None) -> None:
    (tmp_path / name).write_text("# Ask Ann before you edit this file.\n\n")
    given = OutputsSection.model_validate({"best": {"path": name, "at": at}})
    with pytest.raises(UsageError, match=f"outputs.best: {name} holds comments"):
        refuse_foreign(BestFile(tmp_path, given))
    refuse_foreign(BestFile(tmp_path, given), [name])


def test_a_link_to_a_file_of_another_kind_is_no_defect(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("# Mine\n")
    (tmp_path / "t.csv").symlink_to("README.md")
    with pytest.raises(UsageError, match=r"outputs.trials: t\.csv is there already"):
        refuse_foreign(BestFile(tmp_path, outputs(trials="t.csv")))


def test_every_output_has_a_mark() -> None:
    kinds = {kind.partition(".")[0] for kind in MARKS}
    assert kinds == set(OutputsSection.model_fields) - {"best"}


def test_all_are_told_at_once_and_a_slip_of_the_option_too(tmp_path: Path) -> None:
    for name in ("README.md", "m.json", "h.jsonl"):
        (tmp_path / name).write_bytes(b"\xff\xfe mine")
    best = BestFile(tmp_path, outputs())
    with pytest.raises(UsageError) as caught:
        refuse_foreign(best, ["m.json"])
    assert [line.split(":")[0] for line in str(caught.value).splitlines()[::2]] == [
        "outputs.report",
        "outputs.history",
    ]
    with pytest.raises(UsageError, match="is not an output"):
        refuse_foreign(best, ["data.csv"])


@pytest.mark.parametrize("name", ["oof.csv", "oof.parquet"])
def test_tables_of_predictions_of_others_stay(tmp_path: Path, name: str) -> None:
    import pandas as pd

    from tunesmith.models.prediction_files import write_predictions

    best = BestFile(tmp_path, outputs(predictions=name), frozenset())
    table = pd.DataFrame({"trial": [0], "row": 0, "fold": 0, "prediction": 1.0, "evaluation": "a"})
    path = tmp_path / name
    path.touch()
    assert list(blockers(best)) == []
    write_predictions([table], path)
    assert list(blockers(best)) == []
    theirs = table.drop(columns="evaluation")
    theirs.to_csv(path, index=False) if name.endswith("csv") else theirs.to_parquet(path)
    ((found, reason),) = blockers(best)
    assert found == name
    assert f"outputs.predictions: {name} is there already" in reason
    refuse_foreign(best, [name])
