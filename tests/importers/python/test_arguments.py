import ast

import pytest

from tunesmith.importers.python.arguments import by_name
from tunesmith.importers.refusal import Refused


@pytest.mark.parametrize("text", ["f(*a)", "f(**a)", "f(1, 2)"])
def test_arguments_that_nothing_tells(text: str) -> None:
    call = ast.parse(text, mode="eval").body
    assert isinstance(call, ast.Call)
    with pytest.raises(Refused):
        by_name(call, ("a",))
