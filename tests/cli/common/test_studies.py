"""Configurations in and below a folder."""

from pathlib import Path

from tunesmith.cli.common.studies import configurations

CONFIG = "study: {}\nspace: {{x: [1, 2]}}\nobjective: {{}}\n"


def test_studies_are_searched_here_and_below(tmp_path: Path) -> None:
    own = {
        "tuning.yaml": CONFIG.format("a"),
        "other.yml": CONFIG.format("b"),
        "models/m/tuning.json": '{"study": "c", "space": {}, "objective": {}}',
        "models/t.toml": "study = 'd'\n[space]\n[objective]\n",
    }
    others = {
        "dvc.yaml": "stages: {study: 1}\n",
        "broken.yaml": "study: [\n",
        "tags.yaml": "study: !!python/object/apply:os.getcwd []\n",
        ".hidden/tuning.yaml": CONFIG.format("e"),
        "outputs/tuning.yaml": CONFIG.format("f"),
        "1/2/3/4/tuning.yaml": CONFIG.format("g"),
        "notes.md": CONFIG.format("h"),
    }
    for name, text in {**own, **others}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "models/round").symlink_to(tmp_path)
    found = {path.relative_to(tmp_path).as_posix() for path in configurations(tmp_path)}
    assert found == set(own)
