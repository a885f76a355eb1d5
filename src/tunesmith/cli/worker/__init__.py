"""``tunesmith worker``."""

from pathlib import Path

import click

from tunesmith.cli.common.options import (
    config_option,
    find_config,
    json_option,
    naming_option,
    print_json,
)
from tunesmith.cli.common.streams import say, show
from tunesmith.errors import UsageError

VARIABLE = "TUNESMITH_LEDGER"
EXAMPLES = ("slurm", "kubernetes", "github")
START = {
    "slurm": "sbatch {}",
    "kubernetes": "kubectl create -f {}",
    "github": "gh workflow run {} --ref BRANCH",
}
"""How each example is started."""


@click.command("worker")
@config_option
@click.option(
    "--ledger",
    envvar=VARIABLE,
    metavar="URL",
    help=f"PostgreSQL ledger; also by {VARIABLE}.  [default: the configuration's]",
)
@click.option("--workers", type=click.IntRange(min=1), help="Fits at a time.  [default: cores]")
@click.option("--idle-timeout", metavar="TIME", help="End after so long without a fit: 90s, 10m.")
@click.option("--max-fits", type=click.IntRange(min=1), help="End after so many fits.")
@click.option("--insecure", is_flag=True, help="Accept a server elsewhere without TLS.")
@click.option(
    "--example",
    type=click.Choice(EXAMPLES),
    help="Write a file that starts workers there, and do nothing else.",
)
@json_option
def command(
    config: Path | None,
    ledger: str | None,
    *,
    workers: int | None,
    idle_timeout: str | None,
    max_fits: int | None,
    insecure: bool,
    example: str | None,
    as_json: bool,
) -> None:
    """Make fits of a run with `--executor pull`, in this checkout of its project.

    Start as many as you like, on any machine that reaches the ledger's PostgreSQL server, before or
    during the run. Each compares its code, data and packages with those of the run. SIGTERM gives
    back what it has begun.
    """
    from tunesmith.config.load import load_definition
    from tunesmith.runs.pull.worker import Worker

    path = find_config(config)
    # Before anything that asks for a server: the example is written on a laptop, too.
    if example is not None:
        _write(example, path)
        return
    definition = load_definition(path)
    served = Worker(
        definition=definition,
        ledger=ledger or definition.ledger,
        say=say,
        n_slots=workers,
        idle_s=None if idle_timeout is None else _seconds(idle_timeout),
        most_fits=max_fits,
        insecure=insecure,
    ).serve()
    if as_json:
        content = {"study": definition.file.study, "name": served.name}
        print_json("worker", {**content, "n_fits": served.n_fits, "ended_by": served.reason.value})
    else:
        why = {"idle": "there were no more for a while", "most fits": "as many as asked for"}
        show(f"{served.n_fits} fits made; {why[served.reason.value]}.")


def _write(kind: str, config: Path) -> None:
    """Write an example, and say what is to be set in it.

    Raises:
        UsageError: there is such a file already.
    """
    from tunesmith.config.load import load_definition
    from tunesmith.ledger.dialect import address
    from tunesmith.pipeline.worker_examples import WorkerExample
    from tunesmith.system.files import write_files

    definition = load_definition(config)
    named = naming_option(config, definition.root)
    file = WorkerExample(kind=kind, definition=definition, name=config.name, config=named).file
    # There is no --force: people change these files, and a lost edit may hold an account's name.
    if file.exists:
        raise UsageError(
            f"{file.path}: already there, and left as it is.\n  Move it away if you want a new one."
        )
    write_files([file])
    started = START[kind].format(file.path.name)
    show(f"{file.path} written. Its head says what to set; then: {started}")
    # Kubernetes and GitHub take the address from a secret in any case.
    if kind == "slurm" and address(definition.ledger).get_backend_name() != "postgresql":
        say(
            f"{config.name} names no PostgreSQL server, which workers need: add `ledger:"
            f" postgresql://…` there, or set {VARIABLE} before you submit it."
        )


def _seconds(text: str) -> float:
    from tunesmith.config.section import seconds

    try:
        return float(seconds(text))
    except ValueError as error:
        raise UsageError(f"--idle-timeout: {error}") from None
