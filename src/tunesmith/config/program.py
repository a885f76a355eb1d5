"""The keys of an objective that is a training program."""

import json
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from tunesmith.config.models import PredictionsFile
from tunesmith.config.section import Duration, Names, Section, SomeNames, default_of, located


def itemised(value: Any) -> Any:
    """A list of items; a command line as text would need a shell to be taken apart."""
    if isinstance(value, str):
        items = ", ".join(json.dumps(item) for item in value.split())
        raise ValueError(f"no shell is involved: write the items as a list, `[{items}]`")
    return tuple(value) if isinstance(value, list) else value


def moded(value: Any) -> Any:
    """Turn ``shared`` into ``{mode: shared}``."""
    return {"mode": value} if isinstance(value, str) else value


Items = Annotated[tuple[str, ...], Field(min_length=1)]


class ParamsFileSection(Section):
    """The file that the program reads its parameters from."""

    path: str = Field(min_length=1)
    """Place in the project: a settings file, or a Python module with constants, the training script
    itself among them. What else stands in the file, comments too, is kept."""
    format: str | None = None
    """``yaml``, ``json``, ``toml``, ``ini``, ``env`` or ``python``; by default as the name ends."""
    at: str = ""
    """Place of the parameters in the file: ``train.optimizer``; by default its top level."""
    names: dict[str, str] = {}
    """Places of single parameters: ``{learning_rate: train.optimizer.lr}``. A place that the file
    does not have is refused."""


class MetricsFileSection(Section):
    """The file that the program writes its results to."""

    path: str = Field(min_length=1)
    """Place in the working folder."""
    format: Literal["json", "yaml", "csv", "tsv", "jsonl"] | None = None
    """By default as the name ends."""
    row: Literal["last", "best"] = "last"
    """Row of a table that counts: the last one, or the best one by the metric that decides."""


class WorkspaceSection(Section):
    """Working folder of a run of the program."""

    mode: Literal["copy", "shared"] = "copy"
    """``copy``: a folder of its own with the project's files, so that runs cannot disturb each
    other. ``shared``: the project's folder itself, for programs that take every path of what they
    write as an argument."""
    link: Names = ()
    """Files and folders that are linked, not copied: data that the program only reads. What DVC
    tracks, folders named ``data``, and files of more than 4 MiB are linked anyway; what else Git
    ignores is left out of runs."""
    watch: Literal["auto", "off"] = "auto"
    """``auto``: the files that a run reads are recorded, and shared files are protected from
    changes, if the system allows it. ``off``: for programs that need ``sudo``; then results depend
    on all files."""
    leave_out: Names = ()
    """Files and folders that the program does not need."""


class ArtifactsSection(Section):
    """Files that the best runs leave."""

    keep: SomeNames
    """Patterns of files in the working folder: ``model.*``."""
    best: int = Field(default=1, ge=1)
    """Of so many of the best trials."""


class EnvironmentSection(Section):
    """The environment variables of the program."""

    set: dict[str, str] = {}
    """Variables with fixed values."""
    keep: Names = ()
    """Variables that are handed on although they look like secrets or belong to the CI runner."""


class ProgramSection(Section):
    """A training program that is run and scored; leave these keys out for an estimator."""

    command: Annotated[Items | None, BeforeValidator(itemised)] = None
    """The program and its arguments, a list; no shell is involved. ``{learning_rate}`` stands for
    a parameter's value; ``{params}``, ``{metrics}``, ``{fold}``, ``{train}``, ``{test}``,
    ``{seed}``, ``{checkpoint}``, ``{progress}`` and ``{predictions}`` for what their names say."""
    params_file: Annotated[
        ParamsFileSection | None,
        BeforeValidator(located, json_schema_input_type=ParamsFileSection | str),
    ] = None
    """The file that the program reads its parameters from; only the trial's own copy changes."""
    overrides: Literal["hydra"] | None = None
    """``hydra``: parameters are added to the command as ``key=value``."""
    metrics_file: Annotated[
        MetricsFileSection | None,
        BeforeValidator(located, json_schema_input_type=MetricsFileSection | str),
    ] = None
    """The file that the program writes its results to."""
    metrics_pattern: str | None = None
    """A regular expression that finds results in what the program prints: with groups named after
    the metrics, or one group; the last match of all that was printed counts. Each line is searched
    by itself, unless the pattern holds ``\\n`` or the flag ``s``. Standard error counts only if
    standard output has no match."""
    progress_file: str | None = Field(default=None, min_length=1)
    """A JSON-lines file of intermediate values, one line a step:
    ``{"step": 3, "val_loss": 0.41}``; followed while the program runs, its last step counts."""
    seeds: int | None = Field(default=None, ge=1, le=10_000)
    """Run each fold (or the whole, without ``cv``) with so many seeds."""
    splits: Literal["rows", "csv", "parquet"] = "rows"
    """Form in which a program gets a fold: files of row numbers (from 0, one a line, header not
    counted), or the rows themselves as CSV or Parquet."""
    depends_on: Names | None = None
    """Files, folders and patterns whose content results depend on, beside what runs are seen to
    read: when it changes, what was evaluated no longer counts."""
    workspace: Annotated[
        WorkspaceSection,
        BeforeValidator(moded, json_schema_input_type=WorkspaceSection | Literal["copy", "shared"]),
    ] = default_of(WorkspaceSection)
    """Working folder of a run."""
    environment: EnvironmentSection = default_of(EnvironmentSection)
    """Environment variables."""
    artifacts: ArtifactsSection | None = None
    """Files to keep of the best runs."""
    predictions: PredictionsFile | None = None
    """The file to which the program writes its predictions for the test rows of its fold, a line
    each, with a column ``prediction``; ``outputs: {predictions: …}`` collects it of the winner
    (``docs/models.md``)."""
    retry: dict[Literal["signal", "exit", "timeout", "metrics"], Annotated[int, Field(ge=0)]] = {}
    """Number of further tries, by kind of failure: ``{signal: 1}``."""

    grace: Duration = 5.0
    """Time to end by itself, after SIGTERM, for a program that is stopped."""

    @property
    def is_program(self) -> bool:
        """True if the objective is a training program; false if it is an estimator."""
        return self.command is not None

    @property
    def argv(self) -> tuple[str, ...]:
        """The program and its arguments; empty for an estimator."""
        return self.command or ()
