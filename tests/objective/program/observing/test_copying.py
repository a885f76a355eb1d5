import os
from pathlib import Path

from tunesmith.objective.program.observing.copying import copy, copy_content


def test_a_pipe_is_not_copied(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    copy(tmp_path / "pipe", tmp_path / "copy", tmp_path)
    assert not (tmp_path / "copy").exists()


def test_a_link_within_the_project_stays_one_and_others_lead_to_the_same_place(
    tmp_path: Path,
) -> None:
    root, place = tmp_path / "root", tmp_path / "deep" / "er"
    root.mkdir()
    place.mkdir(parents=True)
    (root / "inside").symlink_to("train.py")
    (root / "outside").symlink_to("../elsewhere")
    for name in ("inside", "outside"):
        copy(root / name, place / name, root)
    assert (place / "inside").readlink() == Path("train.py")
    assert (place / "outside").readlink() == tmp_path / "elsewhere"


def test_a_copy_of_content_is_no_link_and_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "cached").write_text("rows")
    (tmp_path / "cached").chmod(0o444)
    (tmp_path / "data.csv").symlink_to("cached")
    (tmp_path / "copy").symlink_to("cached")
    copy_content(tmp_path / "data.csv", tmp_path / "copy")
    assert not (tmp_path / "copy").is_symlink()
    (tmp_path / "copy").write_text("mine")
    assert (tmp_path / "cached").read_text() == "rows"


def test_links_into_the_repository_lead_there_from_anywhere(tmp_path: Path) -> None:
    # As git-annex makes them: the run's folder has no such file.
    root, place = tmp_path / "project", tmp_path / "run"
    (root / ".git" / "annex").mkdir(parents=True)
    (root / ".git" / "annex" / "key").write_text("data")
    place.mkdir()
    (root / "data.csv").symlink_to(".git/annex/key")
    copy(root / "data.csv", place / "data.csv", root)
    assert (place / "data.csv").read_text() == "data"
