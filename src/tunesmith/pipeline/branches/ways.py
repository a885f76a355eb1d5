"""The next command for an experiment, ready to be typed."""

import shlex

from tunesmith.pipeline.branches.commands import named, repro
from tunesmith.pipeline.branches.survey import Facts, Survey
from tunesmith.pipeline.repository import Repository

UNCHANGED = "the winner is what you train with already: there is nothing to train"


def way_on(survey: Survey, facts: Facts, state: str) -> str:
    """Return the next command for an experiment; empty if nothing is left to do.

    Args:
        survey: of the repository.
        facts: of the experiment.
        state: of the experiment.
    """
    # People paste these commands into a shell, and would not see what an invisible name does.
    name = shlex.quote(facts.name) if facts.name.isprintable() else "NAME"
    layout, repository = facts.layout, survey.repository
    tuning, training = survey.prefixes.branches(name)
    if state == "begun":
        run = f"tunesmith run{named(repository, survey.names)}"
        if layout.tuning:
            run = repro(repository, layout.pipeline, [layout.tuning])
        return f"git switch {tuning} && {run}, and commit"
    if state == "tuned":
        return f"tunesmith experiment apply {name}{named(repository, survey.names)}"
    if state == "applied" and is_unchanged(survey, facts):
        is_empty = facts.training is not None and facts.training.commit == facts.base
        return _merge(survey, tuning) if is_empty else _hand_over(survey, training)
    if state == "applied":
        train = ", train"
        if layout.training:
            train = f" && {repro(repository, layout.pipeline, layout.training)}"
        return f"git switch {training}{train}, and commit the metrics"
    if state == "trained":
        return _hand_over(survey, training)
    return _completion(survey, facts, name) if state == "incomplete" else ""


def is_unchanged(survey: Survey, facts: Facts) -> bool:
    """Tell whether the training branch has the parameters that were current when it began."""
    best, shape = facts.layout.best, facts.layout.shape
    base = origin_of(survey, facts)
    if best is None or base is None or facts.training is None:
        return False
    before, now = survey.at(base, best), survey.at(facts.training, best)
    digest = survey.digest(now, best, shape)
    return digest is not None and digest == survey.digest(before, best, shape)


def origin_of(survey: Survey, facts: Facts) -> str | None:
    """Return the commit that both branches come from, also if one was merged into the other."""
    base = facts.base
    # Once tuning was merged into training, their merge base is the tip of tuning itself.
    if facts.tuning is not None and base == facts.tuning.commit and survey.main is not None:
        return survey.repository.merge_base(base, survey.main[1]) or base
    return base


def remote_of(repository: Repository) -> str | None:
    """Remote that branches are pushed to: ``origin``, or else the first one."""
    names = repository.remotes()
    return "origin" if "origin" in names else next(iter(names), None)


def _hand_over(survey: Survey, branch: str) -> str:
    remote = remote_of(survey.repository)
    if remote is None:
        return _merge(survey, branch)
    return f"git push {shlex.quote(remote)} {branch}, and open a pull request"


def _merge(survey: Survey, branch: str) -> str:
    main = "main" if survey.main is None else survey.main[0]
    return f"git switch {shlex.quote(main)} && git merge {branch}"


def _completion(survey: Survey, facts: Facts, name: str) -> str:
    repository, tuning, training = survey.repository, facts.tuning, facts.training
    branches = survey.prefixes.branches(name)
    if tuning is not None and training is not None:
        if facts.layout.outputs is None:
            return f"git switch {branches[0]} && tunesmith check{named(repository, survey.names)}"
        return repository.fetch_command(*branches) if repository.is_shallow() else ""
    branch = branches[1] if training is None else branches[0]
    tip, main = tuning or training, survey.main
    base = None if tip is None or main is None else repository.merge_base(main[1], tip.commit)
    begin = f"git branch {branch} {(base or str(tip and tip.commit))[:12]}"
    has_origin = "origin" in repository.remotes()
    # The branch may only be unfetched: one that is begun anew would part from the remote's.
    return f"{repository.fetch_command(branch)} || {begin}" if has_origin else begin
