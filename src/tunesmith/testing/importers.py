"""The contract of importers: subclass it, and give a file of the tool with what it means."""

from pathlib import Path
from typing import Any

import pytest

from tunesmith import registry
from tunesmith.config.load import load_definition
from tunesmith.config.model import Definition
from tunesmith.errors import ConfigError, UsageError
from tunesmith.importers.convert import convert, find
from tunesmith.importers.draft import Draft
from tunesmith.importers.source import Source, read_source
from tunesmith.importers.writing import text_of
from tunesmith.space.parse import parse_space

N_CUTS = 40


class ImporterContract:
    """Tests of one importer."""

    tool: str
    """As registered."""
    file: str
    """Name of the sample."""
    sample: str
    """A file of the tool that holds one setup."""
    space: Any
    """The space of the sample, as a configuration writes it."""
    settings: dict[str, Any]
    """Further sections of the sample's configuration, such as ``stop``."""
    refused: dict[str, str]
    """Changes of the sample that have no equal: ``old -> new`` by a part of the message."""
    command_is_found = True

    def source(self, folder: Path, text: str) -> Source:
        """Write a file of the tool, and read it."""
        path = folder / self.file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return read_source(path, folder)

    def converted(self, folder: Path, text: str) -> Draft:
        """Convert the only setup of a text."""
        source = self.source(folder, text)
        (setup,) = find(source, self.tool)
        return convert(source, setup)

    def loaded(self, folder: Path, draft: Draft) -> Definition:
        """Read the written configuration as ``tunesmith check`` does."""
        (folder / "tuning.yaml").write_text(text_of(draft))
        return load_definition(folder / "tuning.yaml")

    def test_it_is_registered(self) -> None:
        assert self.tool in registry.names("importers")

    def test_the_space_is_the_tools(self, tmp_path: Path) -> None:
        definition = self.loaded(tmp_path, self.converted(tmp_path, self.sample))
        expected, violations = parse_space(self.space)
        assert not violations
        assert expected is not None
        assert definition.space.to_json() == expected.to_json()

    def test_the_settings_are_the_tools(self, tmp_path: Path) -> None:
        content = self.converted(tmp_path, self.sample).finished()
        for key, value in self.settings.items():
            assert content.get(key) == value, key

    def test_notes_are_comments_above_their_lines(self, tmp_path: Path) -> None:
        draft = self.converted(tmp_path, self.sample)
        text = text_of(draft)
        comments = " ".join(line.strip("# ") for line in text.splitlines() if "# " in line)
        for notes in draft.notes.values():
            for note in notes:
                assert " ".join(note.split()) in comments

    def test_each_refusal_names_its_place(self, tmp_path: Path) -> None:
        for message, change in self.refused.items():
            old, _, new = change.partition(" -> ")
            assert old in self.sample, old
            with pytest.raises(ConfigError) as caught:
                self.converted(tmp_path, self.sample.replace(old, new))
            violations = caught.value.violations
            assert any(message in v.message for v in violations), [str(v) for v in violations]
            assert all(v.place is not None and v.place.line for v in violations)

    def test_broken_files_are_refused_and_never_break_it(self, tmp_path: Path) -> None:
        step = max(1, len(self.sample) // N_CUTS)
        for end in range(0, len(self.sample), step):
            try:
                source = self.source(tmp_path, self.sample[:end])
                for setup in find(source, self.tool):
                    convert(source, setup)
            except UsageError:
                continue

    def test_files_of_other_tools_are_left_alone(self, tmp_path: Path) -> None:
        for name, text in (("a.py", "x = 1\n"), ("a.yaml", "a: 1\n"), ("a.sh", "ls -l\n")):
            path = tmp_path / name
            path.write_text(text)
            assert find(read_source(path), self.tool) == []
