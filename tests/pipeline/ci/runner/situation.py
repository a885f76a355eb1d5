"""Situations that a job may meet, drawn by a seed, and what has to come of each."""

import random
from dataclasses import dataclass, replace

DEFAULTS = ("main", "master", "develop", "trunk")
FOLDERS = (".", "models/churn", "a b")
TUNING, TRAINING, FEATURE = "tuning/one", "training/one", "feature"
QUEUE = "gh-readonly-queue/{default}/pr-7-0123456789"
EVENTS = {
    "github": (
        "push",
        "workflow_dispatch",
        "schedule",
        "pull_request",
        "pull_request from a fork",
        "pull_request_target",
        "merge_group",
        "push of a queue",
        "tag",
        "workflow_run",
        "workflow_run after a pull request",
        "repository_dispatch",
        "issue_comment",
    ),
    "gitlab": (
        "push",
        "web",
        "schedule",
        "merge_request_event",
        "merge_request_event from a fork",
        "tag",
        "external_pull_request_event",
        "parent_pipeline of a merge request",
    ),
}
OF_DEFAULT = (
    "schedule",
    "workflow_run",
    "repository_dispatch",
    "issue_comment",
    "pull_request_target",
)
"""Events whose job runs on the default branch, whatever they are about."""
MEANWHILE = (
    "nothing",
    "somebody pushes",
    "somebody pushes at once",
    "another study lands",
    "a result is edited",
    "the branch is rewritten",
    "the branch is deleted",
    "the branch is protected",
    "the job is cancelled",
)
CHECKOUTS = ("as the event says", "tuning branch", "the fork's head", "detached", "an old commit")
OWN_FOLDER = ("no", "submodule", "lfs", "both")


@dataclass(frozen=True)
class Situation:
    """One of them."""

    seed: int
    git_host: str
    event: str
    branch: str
    """That the event is of."""
    default: str
    stale: str
    """A branch with an old result that is only called like a default one; empty for none."""
    folder: str
    job: str
    """``tuning``, ``training`` or ``pull-request`` as generated, or ``own``: a job of the user's
    that calls the commands."""
    checkout: str
    named: str
    """By ``--branch``, in a job of the user's; empty for none."""
    depth: int
    meanwhile: str
    takes_options: bool
    """Whether the server takes options of a push."""
    has_submodule: bool
    has_lfs: bool
    pull_target: str
    """What the open pull request of the branch goes into; empty where there is none."""

    @property
    def is_foreign(self) -> bool:
        """Whether the event is not of a branch of this repository."""
        return self.event.startswith(
            (
                "pull_request",
                "merge_group",
                "merge_request",
                "push of a queue",
                "issue_comment",
                "external",
                "workflow_run after",
                "parent_pipeline",
            )
        )

    @property
    def is_fork(self) -> bool:
        return "fork" in self.event or self.event == "pull_request_target"

    @property
    def words(self) -> str:
        about = [self.git_host, f"{self.event} on {self.branch}", f"default {self.default}"]
        about += [f"job {self.job}", self.checkout, self.meanwhile, f"depth {self.depth}"]
        about += [f"--branch {self.named}"] if self.named else []
        about += [
            w for w, is_on in (("LFS", self.has_lfs), ("submodule", self.has_submodule)) if is_on
        ]
        return f"seed {self.seed}: {', '.join(about)}"


def draw(seed: int, *, has_lfs: bool = False) -> Situation:
    """The situation of a seed.

    Args:
        seed: any number.
        has_lfs: whether Git LFS can be a part of it.
    """
    chance = random.Random(seed)
    git_host = chance.choice(("github", "github", "gitlab"))
    event = chance.choice(EVENTS[git_host])
    if chance.random() < 0.4:
        event = "push"
    default = chance.choice(DEFAULTS)
    branch = chance.choice((TUNING, TUNING, TRAINING, FEATURE, default))
    if event.split(" ")[0] in OF_DEFAULT:
        branch = default
    job = chance.choice(("generated", "own"))
    others = [name for name in DEFAULTS if name != default]
    found = Situation(
        seed=seed,
        git_host=git_host,
        event=event,
        branch=branch,
        default=default,
        stale=chance.choice((others[0], "")),
        folder=chance.choice(FOLDERS),
        job=job,
        checkout="as the event says",
        named="",
        depth=chance.choice((0, 0, 1)),
        meanwhile=chance.choice((*MEANWHILE, "nothing", "nothing")),
        takes_options=chance.random() < 0.5,
        has_submodule=chance.random() < 0.1,
        has_lfs=has_lfs and chance.random() < 0.12,
        pull_target=chance.choice(("", default, default, FEATURE)),
    )
    if job == "own":
        named = chance.choice(("", "", "", TUNING, default, TRAINING))
        return replace(found, checkout=chance.choice(CHECKOUTS), named=named)
    return replace(found, job=_generated(found, chance))


def _generated(found: Situation, chance: random.Random) -> str:
    """Which of the generated files the event is for; a wrong branch is a situation, too."""
    if "request" in found.event or found.event == "merge_group":
        return "pull-request"
    return (
        chance.choice(("tuning", "training"))
        if found.branch == FEATURE
        else ("training" if found.branch == TRAINING else "tuning")
    )
