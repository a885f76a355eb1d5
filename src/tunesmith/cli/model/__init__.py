"""``tunesmith model``."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tunesmith.cli.common.options import (
    config_option,
    find_config,
    json_option,
    pointing_into,
    print_json,
    shown,
)
from tunesmith.cli.common.reading import open_record
from tunesmith.cli.common.streams import say, show
from tunesmith.errors import UsageError

if TYPE_CHECKING:
    from tunesmith.config.model import Definition
    from tunesmith.ledger.records import StudyRecord
    from tunesmith.models.build import Built

KINDS = ("best", "average", "ensemble")


@click.command("model")
@config_option
@click.option(
    "-o",
    "--output",
    "file",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write: NAME.skops, which is safe to open, or NAME.joblib.",
)
@click.option(
    "--kind",
    type=click.Choice(KINDS),
    default="average",
    show_default=True,
    help="The winner fitted on all rows; the average of its fold models; or a greedy ensemble of"
    " the best trials' fold models.",
)
@click.option(
    "--card",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also write what there is to know of the model, as Markdown.",
)
@click.option("--force", is_flag=True, help="Replace files that exist.")
@json_option
def command(
    config: Path | None, file: Path, kind: str, card: Path | None, *, force: bool, as_json: bool
) -> None:
    """Write a model of the finished study: one scikit-learn estimator.

    Models that the search has kept (`models` in the configuration) are used as they are; others are
    fitted again, which runs the project's code. The model is scored on held-out rows, if there are
    any, and shown with its cost beside a single model.
    """
    from tunesmith.models.files import check_name, save_model
    from tunesmith.reporting.model_card import card as card_text
    from tunesmith.reporting.model_card import content, plain
    from tunesmith.system.files import write_atomic

    check_name(file)
    # Before anything is fitted.
    if card is not None and card.resolve() == file.resolve():
        raise UsageError(f"{card}: is the model's file; --card needs one of its own.")
    for path in (file, *([] if card is None else [card])):
        if path.exists() and not force:
            raise UsageError(f"{path}: is there already. Name another file, or give --force.")
    definition, record = open_record(config)
    with pointing_into(find_config(config)):
        built, notes = _built(definition, record, kind)
    digest = save_model(built.model, file)
    study, metric = record.head.name, record.objectives[0]
    if card is not None:
        write_atomic(card, card_text(built, study, metric, notes))
    if as_json:
        written = {"path": str(file), "sha256": digest}
        print_json("model", {"study": study, **content(built), **written, "notes": [*notes]})
        return
    show(plain(built, study, metric, notes))
    say(f"wrote {shown(file)}, SHA-256 {digest}")


def _built(
    study: "Definition", record: "StudyRecord", kind: str
) -> "tuple[Built, tuple[str, ...]]":
    """Build the model; return it with what else a reader should know.

    Raises:
        UsageError: the study is another one now, or gives no models.
    """
    from tunesmith.analysis.numbers import counted
    from tunesmith.pipeline.staleness import stale_reasons
    from tunesmith.runs.factory import build_objective
    from tunesmith.runs.models.build import StudyModels
    from tunesmith.runs.models.keeping import store_of
    from tunesmith.runs.project_code import project_on_path

    with project_on_path(study.root):
        objective = build_objective(study)
        if reasons := list(stale_reasons(study, record, objective)):
            raise UsageError(
                f"study `{record.head.name}`: {', '.join(reasons)} since its results were found, so"
                " that its models would be others. `tunesmith run` brings it up to date."
            )
        store = store_of(study)
        built = StudyModels(objective, record, store).build(kind)
    notes = []
    if store is not None and store.refused:
        notes.append(
            f"{counted(len(store.refused), 'file')} of kept models could not be opened: with a"
            " signature that is not yours, or changed. These models were fitted again"
        )
    if (
        built.n_fits
        and kind != "best"
        and any("will not repeat" in note for note in objective.notes)
    ):
        notes.append(
            "A seed is missing, so models that were fitted again are not those that scored"
        )
    return built, tuple(notes)
