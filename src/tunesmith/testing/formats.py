"""The contract of formats that hold parameters: subclass it, and name the format and its reader."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tunesmith import registry
from tunesmith.errors import UsageError
from tunesmith.formats import FormatError
from tunesmith.formats.tree import get_at
from tunesmith.types import Value

# Texts that some reader takes for a number, a date, a reference, a comment or a command.
LOOK_ALIKES = (
    *("no", "on", "y", "~", "1e-3", "010", "12:30", "1_000", "0x1F", "0o17", ".5", "-", "null"),
    *("2026-11-23", "*x", "&x", "!x", "%x", "@x", "{", "[", "'", '"', "=", "<<", ".inf", "#x"),
    *("a b", "$(id)", "`id`", "${HOME}", "a#b", "x # y", "a: b", "a=b", "%(x)s", "é☃", ";"),
)
texts = st.one_of(
    st.sampled_from(LOOK_ALIKES),
    # Not every format can hold surrogates and control characters.
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12),
)
scalars: st.SearchStrategy[Value] = st.one_of(
    st.booleans(),
    # Beyond these, readers that know only floats lose digits.
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False, allow_infinity=False),
    texts,
)


class FormatContract:
    """Tests of one format."""

    name: str
    """As registered."""
    sample: str
    """A file with comments, at least two values, and the value 1 at ``place``."""
    place: tuple[str, ...]
    missing: tuple[str, ...]
    """A place that is not in the sample and can be made."""
    is_typed = True
    """True if the format distinguishes numbers and texts."""

    def readers(self, text: str) -> list[Mapping[str, Any]]:
        """Return the values that programs find in it, by every kind of reader."""
        raise NotImplementedError

    @property
    def form(self) -> Any:
        """The module."""
        return __import__("importlib").import_module(registry.BUILTIN["formats"][self.name])

    def written(self, value: Value) -> Any:
        """Return a value as a reader should find it."""
        if self.is_typed:
            return value
        return value if isinstance(value, str) else json.dumps(value)

    @settings(suppress_health_check=[HealthCheck.differing_executors])
    @given(value=scalars)
    def test_every_reader_finds_the_value(self, value: Value) -> None:
        for before, place in ((self.sample, self.place), (self.sample, self.missing)):
            try:
                text = self.form.update(before, {place: value})
            except FormatError:
                assert isinstance(value, str), "only texts may be refused"
                continue
            for data in self.readers(text):
                got = get_at(data, place)
                # As JSON, because `1 == 1.0 == True` holds in Python.
                assert json.dumps(got) == json.dumps(self.written(value))

    @settings(suppress_health_check=[HealthCheck.differing_executors])
    @given(value=scalars)
    def test_what_cannot_be_written_changes_nothing_and_the_rest_stays(self, value: Value) -> None:
        try:
            text = self.form.update(self.sample, {self.place: value})
        except FormatError:
            return
        back = self.form.update(text, {self.place: 1})
        assert self.form.read(back) == self.form.read(self.sample)

    def test_nothing_else_changes(self) -> None:
        text = self.form.update(self.sample, {self.place: 2})
        before, after = self.sample.splitlines(), text.splitlines()
        assert len(before) == len(after)
        changed = [(b, a) for b, a in zip(before, after, strict=True) if b != a]
        assert len(changed) == 1, changed
        assert self.form.update(text, {self.place: 1}) == self.sample

    def test_an_empty_file_becomes_one(self) -> None:
        text = self.form.update("", {self.place: 1})
        assert text.endswith("\n")
        for data in self.readers(text):
            assert get_at(data, self.place) == self.written(1)

    def test_line_ends_are_kept(self) -> None:
        text = self.form.update(self.sample.replace("\n", "\r\n"), {self.place: 2, self.missing: 3})
        assert "\n" not in text.replace("\r\n", "")
        for data in self.readers(text):
            assert get_at(data, self.missing) == self.written(3)

    def test_a_byte_order_mark_is_kept(self) -> None:
        text = self.form.update("\ufeff" + self.sample, {self.place: 2})
        assert text == "\ufeff" + self.form.update(self.sample, {self.place: 2})

    def test_a_file_without_a_last_line_end_is_mended_where_it_grows(self) -> None:
        text = self.form.update(self.sample.rstrip("\n"), {self.missing: 3})
        for data in self.readers(text):
            assert get_at(data, self.missing) == self.written(3)

    def test_numbers_that_are_none_are_refused(self) -> None:
        for value in (float("nan"), float("inf")):
            with pytest.raises((UsageError, ValueError)):
                self.form.update(self.sample, {self.place: value})
