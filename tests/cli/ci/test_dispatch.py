"""``ci dispatch``: workflows that are started."""

from pathlib import Path

import pytest
from tests.cli.ci.conftest import typed_later
from tests.cli.conftest import Run
from tests.pipeline.git_host.servers import ForgeServer

pytestmark = pytest.mark.usefixtures("repository")


def test_what_is_pushed_is_not_unsaid(tunesmith: Run, project: Path, server: ForgeServer) -> None:
    """A workflow that cannot be started does not make a push undone."""
    from tunesmith.cli.ci.dispatch import start
    from tunesmith.errors import UsageError
    from tunesmith.pipeline.git_host.github import GitHub

    with pytest.raises(UsageError, match=r"is pushed, but missing\.yml could not") as caught:
        start(GitHub(server.environ()), "missing.yml", "training/one")
    assert typed_later(tunesmith, server, str(caught.value)) == "training/one"


def test_workflows_are_started(tunesmith: Run, server: ForgeServer) -> None:
    environ = server.environ()
    done = tunesmith("ci", "dispatch", "t.yml", "--ref", "b", "--input", "a=b=c", **environ)
    assert done.returncode == 0
    assert server.dispatched == [{"workflow": "t.yml", "ref": "b", "inputs": {"a": "b=c"}}]
    wrong = tunesmith("ci", "dispatch", "t.yml", "--ref", "b", "--input", "a", **environ)
    assert "--input: expected NAME=VALUE, found 'a'" in wrong.stderr
    assert tunesmith("ci", "dispatch", "missing.yml", "--ref", "b", **environ).returncode == 2
