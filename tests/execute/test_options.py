from typing import Any

from tunesmith.execute.options import options_of, unknown_option


class Made:
    def __init__(self, function: Any, *, n_workers: int = 1, patience_s: float = 0.0) -> None: ...


def test_an_unknown_option_is_named_with_the_nearest_one() -> None:
    known = options_of(Made, ("function",))
    assert known == ["n_workers", "patience_s"]
    error = TypeError("Made.__init__() got an unexpected keyword argument 'patience'")
    text = unknown_option("execution.options", "made", error, known)
    assert text.startswith("execution.options.patience: made has no such option. Did you mean")
    assert "`patience_s`" in text


def test_other_errors_stay_as_they_are() -> None:
    text = unknown_option("a", "made", ValueError("no room"))
    assert text == "a: made does not accept them: no room"


def test_what_tells_no_names_has_no_hint() -> None:
    error = TypeError("f() got an unexpected keyword argument 'x'")
    assert unknown_option("a", "f", error) == "a.x: f has no such option"
