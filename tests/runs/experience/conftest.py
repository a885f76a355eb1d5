"""The command line, as in its own tests."""

from tests.cli.conftest import project, tunesmith

__all__ = ["project", "tunesmith"]
