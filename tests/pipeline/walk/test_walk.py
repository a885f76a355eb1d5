"""A few seeds of the walk, each through some of its steps; ``make hunt-pipelines`` takes all."""

from pathlib import Path

import pytest
from tests.pipeline.walk.generator import made
from tests.pipeline.walk.walk import walk

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.mark.parametrize(
    ("seed", "steps"),
    [(0, ("clones",)), (1, ("experiments",)), (2, ("edits_by_hand", "workflows"))],
    ids=lambda value: str(made(value)) if isinstance(value, int) else "-".join(value),
)
def test_no_step_is_a_dead_end(seed: int, steps: tuple[str, ...], tmp_path: Path) -> None:
    walk(made(seed), tmp_path / "project", steps)
