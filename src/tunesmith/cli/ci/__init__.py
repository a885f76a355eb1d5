"""``tunesmith ci``: thin commands that the steps of workflows call."""

import click

from tunesmith.cli.common.lazy import LazyGroup

COMMANDS = {
    "init": "Write workflows for GitHub or GitLab.",
    "report": "Show the report in the job's summary and in one comment on the pull request.",
    "metrics-diff": "Compare training metrics with the base branch.",
    "commit": "Commit the study's results to the branch that CI runs on.",
    "ledger": "Make a ledger usable that came from a cache.",
    "apply": "Bring the tuned parameters to training/NAME, and have it trained.",
    "pull-request": "Open a pull request from this branch, unless there is one.",
    "dispatch": "Start a workflow on a branch.",
}


@click.group("ci", cls=LazyGroup, package="tunesmith.cli.ci", lines=COMMANDS)
def command() -> None:
    """Report, commit and open pull requests in CI jobs, on GitHub Actions or GitLab CI.

    The Git host, the branch and the pull request are read from the job's environment, and so are
    tokens (GITHUB_TOKEN, TUNESMITH_TOKEN).
    """
