"""Findings of ``tunesmith doctor`` about a DVC project that would not do what you expect."""

from dataclasses import dataclass, replace
from pathlib import Path

from tunesmith.config.model import Definition, OutputsSection
from tunesmith.errors import UsageError
from tunesmith.pipeline.dvc.agreement import study_stage
from tunesmith.pipeline.dvc.document import LOCK
from tunesmith.pipeline.dvc.inputs.dependencies import is_within
from tunesmith.pipeline.dvc.inputs.stage_inputs import StageInputs
from tunesmith.pipeline.dvc.lock import read_lock
from tunesmith.pipeline.dvc.stages import Coupling, Stage, coupling, text_of
from tunesmith.pipeline.dvc.wanted import FLAGS, Paths, paths_of
from tunesmith.pipeline.findings import as_typed
from tunesmith.system import git

MENDING = "`tunesmith dvc init` mends it."
MAX_NAMED = 3
IGNORE = ".dvcignore"
BYTECODE = ("__pycache__/", "__pycache__", "**/__pycache__/", "**/__pycache__")


@dataclass(frozen=True)
class StageFinding:
    """One line of ``tunesmith doctor``: the subject, the verdict, and the detail."""

    name: str
    is_well: bool
    detail: str


def findings(definition: Definition) -> list[StageFinding]:
    """Look at ``dvc.yaml``; nothing if there is none, or no stage in it runs the study.

    Raises:
        UsageError: it is no YAML, or not of DVC's shape.
    """
    root = definition.root.resolve()
    if definition.source is None:
        return []
    paths = paths_of(definition, definition.file.outputs)
    stage, folder = study_stage(definition)
    if stage is None:
        return []
    tuning, stages = stage.stage, list(stage.stages.values())
    found_here = [
        _mode(tuning, definition.file.outputs),
        _order(stages, tuning, paths),
        _outs(tuning, paths),
        _dependencies(StageInputs(definition, stage.stages, tuning.name), tuning, paths),
        _copies(tuning, root),
        _ignored(root),
        _parameters(root, paths),
        _lock(folder),
    ]
    source = definition.source
    return [replace(one, detail=as_typed(one.detail, source)) for one in found_here]


def _mode(tuning: Stage, outputs: OutputsSection) -> StageFinding:
    """Check that configuration and stage agree on who owns the best parameters."""
    kind = coupling(tuning, outputs.best.path)
    if (kind is Coupling.LOOSE) == (outputs.tuned is not None):
        return StageFinding("dvc coupling", True, kind.value)
    whose = "user-owned" if outputs.tuned is not None else "managed"
    detail = (
        f"the stage `{tuning.name}` is {kind.value}, but by the configuration"
        f" {outputs.best.path} is {whose}: decide with `tunesmith dvc init --loose` or `--tight`."
    )
    return StageFinding("dvc coupling", False, detail)


def _order(stages: list[Stage], tuning: Stage, paths: Paths) -> StageFinding:
    names = [stage.name for stage in stages]
    early = [
        stage.name
        for stage in stages[: names.index(tuning.name)]
        if stage.reads(paths.best, paths.best_place)
    ]
    if not early:
        return StageFinding("dvc order", True, f"`{tuning.name}` is listed before what it serves")
    detail = (
        f"`{early[0]}` is listed before `{tuning.name}`: DVC runs stages without an edge in"
        f" their order, so new parameters would wait for the next `dvc repro`. {MENDING}"
    )
    return StageFinding("dvc order", False, detail)


def _outs(tuning: Stage, paths: Paths) -> StageFinding:
    """Check that all outs are there, kept by Git, and left in place before a run."""
    flags = tuning.outs
    lacking = [path for path in (*paths.outs, paths.metrics) if path and path not in flags]
    # DVC removes an out before it runs the stage, unless it persists: a crash would lose it.
    bare = [p for p, own in flags.items() if any(own.get(k) != v for k, v in FLAGS.items())]
    if not lacking and not bare:
        return StageFinding("dvc outs", True, f"{len(flags)}, kept by Git and through a crash")
    parts = [f"{path} is no out of `{tuning.name}`" for path in lacking]
    parts += [f"{path} lacks `cache: false, persist: true`" for path in bare]
    return StageFinding("dvc outs", False, f"{'; '.join(parts)}. {MENDING}")


def _dependencies(inputs: StageInputs, tuning: Stage, paths: Paths) -> StageFinding:
    """Check that tuning depends on all that the study depends on, and on the data of training."""
    if own := _not_depended_on(inputs, tuning, paths):
        listed = ", ".join(own[:MAX_NAMED]) + (" and more" if len(own) > MAX_NAMED else "")
        detail = (
            f"the study depends on {listed}, and `{tuning.name}` does not: DVC would not run it"
            f" again when that changes. {MENDING}"
        )
        return StageFinding("dvc dependencies", False, detail)
    shared = inputs.shared(
        n for n, stage in inputs.stages.items() if stage.reads(paths.best, paths.best_place)
    )
    missing = inputs.lacking(shared, tuning.deps)
    named = {*missing, *inputs.named}
    unseen = [path for path in shared if path not in named and inputs.is_unseen(path)]
    read = inputs.observed((*tuning.deps, *missing, *unseen))
    if read and not missing and not unseen:
        return StageFinding(
            "dvc dependencies",
            False,
            f"runs of the study were seen to read {read[0]}, which is no dependency of"
            f" `{tuning.name}`: with another content there DVC would not run it. {MENDING}",
        )
    if not missing and not unseen:
        return StageFinding("dvc dependencies", True, f"{len(tuning.deps)}, data among them")
    path = (missing or unseen)[0]
    where = f"not of `{tuning.name}`" if missing else "not named in `objective.depends_on`"
    detail = (
        f"{path} is a dependency of `{shared[path]}`, and {where}: with other data there the"
        f" results would stay. {MENDING}"
    )
    return StageFinding("dvc dependencies", False, detail)


def _not_depended_on(inputs: StageInputs, tuning: Stage, paths: Paths) -> list[str]:
    """List what the study depends on, and the stage does not."""
    section = inputs.section
    if not section.is_program or section.depends_on is not None:
        wanted = inputs.around(paths.written)
    else:
        data = section.data.path if section.data is not None else ()
        wanted = (*data, *inputs.named)
    known = [*tuning.deps, *tuning.params]
    return [path for path in wanted if not any(is_within(path, other) for other in known)]


def _copies(tuning: Stage, root: Path) -> StageFinding:
    """Check that not both Git and DVC keep an out, which fails at the end of a run."""
    cached = [path for path, flags in tuning.outs.items() if flags.get("cache", True)]
    tracked = git.paths(root, "ls-files", "-z", "--", *cached) if cached else None
    if not tracked:
        return StageFinding("dvc copies", True, "no out is kept by Git and by DVC at once")
    detail = f"{', '.join(tracked)}: kept by Git, so `dvc repro` would fail at the end of the run."
    return StageFinding("dvc copies", False, f"{detail} {MENDING}")


def _lock(folder: Path) -> StageFinding:
    """Check that DVC's record of the last runs can be read."""
    try:
        read_lock(text_of(folder / LOCK) or "")
    except UsageError as error:
        return StageFinding("dvc lock", False, str(error))
    return StageFinding("dvc lock", True, f"{LOCK} can be read")


def _ignored(root: Path) -> StageFinding:
    if leaves_out_bytecode(root):
        return StageFinding("dvc ignore", True, "__pycache__/ is left out")
    detail = "DVC hashes __pycache__ in folders of code: no two clones agree."
    return StageFinding("dvc ignore", False, f"{detail} {MENDING}")


def leaves_out_bytecode(root: Path) -> bool:
    """Tell whether a ``.dvcignore`` here or above leaves ``__pycache__`` out."""
    files = (folder / IGNORE for folder in (root, *root.parents))
    lines = {line for file in files if file.is_file() for line in file.read_text().splitlines()}
    return not lines.isdisjoint(BYTECODE)


def _parameters(root: Path, paths: Paths) -> StageFinding:
    """Check that the user-owned file is there, which no stage of DVC's makes."""
    tuned = root / paths.outs[0]
    if (root / paths.best).is_file() or not tuned.is_file():
        return StageFinding("dvc parameters", True, f"{paths.best}: nothing is missing")
    detail = f"{paths.best} is missing, and `dvc repro` would stop: `tunesmith adopt` writes it."
    return StageFinding("dvc parameters", False, detail)
