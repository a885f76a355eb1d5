import re

from tunesmith.cli import COMMANDS, cli
from tunesmith.cli.ci import COMMANDS as CI_COMMANDS
from tunesmith.cli.common.reference import reference_markdown
from tunesmith.errors import ExitCode

PAGE = reference_markdown(cli)


def test_every_command_has_a_section() -> None:
    sections = re.findall(r"^#+ tunesmith (.+)$", PAGE, re.MULTILINE)
    assert set(COMMANDS) <= set(sections)
    assert {f"ci {name}" for name in CI_COMMANDS} <= set(sections)
    assert {"dvc init", "experiment apply", "ledger copy"} <= set(sections)


def test_every_exit_code_is_explained() -> None:
    for code in ExitCode:
        assert re.search(rf"^\| {int(code)} \| \w", PAGE, re.MULTILINE), code


def test_an_option_has_its_value_its_choices_and_its_variable() -> None:
    assert "| `--time-budget TIME` | Interrupt the run then" in PAGE
    assert "Also from the environment: `TUNESMITH_TIME_BUDGET`." in PAGE
    assert "One of `basic`, `demo`, `mlops`. |" in PAGE


def test_no_cell_is_broken_by_a_bar() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {3}
