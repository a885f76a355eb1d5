"""Where DVC holds training to tuning, all of a study's results come along, or nothing does.

``dvc.lock`` is written here as DVC writes it; the real DVC runs the same way in ``ci/test_mlops``.
"""

import hashlib
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.pipeline.repositories import BEST, CONFIG, NAMES, STUDY, commit, git, parameters
from tests.pipeline.repositories import make_project as make

from tunesmith.errors import UsageError
from tunesmith.pipeline.branches import experiment
from tunesmith.pipeline.branches.apply import Applied, apply
from tunesmith.pipeline.branches.chosen import TrialChoice
from tunesmith.pipeline.branches.states import find
from tunesmith.pipeline.dvc.lock import read_lock
from tunesmith.pipeline.repository import Repository

REPORT = "outputs/tuning_results.md"
STAGES: dict[str, dict[str, Any]] = {
    "prepare": {"cmd": "python prepare.py", "deps": ["raw.csv"], "outs": ["data.csv"]},
    "tuning": {
        "cmd": "tunesmith run",
        "deps": ["data.csv", "model.py", "space.json"],
        "params": [{CONFIG: None}],
        "outs": [{name: {"cache": False, "persist": True}} for name in (BEST, REPORT)],
    },
    "training": {"cmd": "python train.py", "params": [{BEST: ["params"]}]},
}
TEXT = STUDY.replace("space:\n  depth: {int: [1, 9]}", "space: space.json")
FILES = {
    "dvc.yaml": yaml.safe_dump({"stages": STAGES}, sort_keys=False),
    "space.json": '{"depth": [1, 2, 3]}',
    "model.py": "",
    "raw.csv": "a,y\n",
    ".gitignore": "/data.csv\n",
    REPORT: "# Tuning results\n",
}


def md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def lock(files: dict[str, str], data: str = "d1", *, trained: str = "") -> str:
    """What DVC would write after a run."""
    outs = [{"path": name, "md5": md5(files[name])} for name in (BEST, REPORT)]
    deps = [{"path": name, "md5": md5(files[name])} for name in ("model.py", "space.json")]
    tuning = {
        "cmd": "tunesmith run",
        "deps": [{"path": "data.csv", "md5": data}, *deps],
        "params": {CONFIG: yaml.safe_load(files[CONFIG])},
        "outs": outs,
    }
    prepare = {"cmd": "python prepare.py", "outs": [{"path": "data.csv", "md5": data}]}
    stages = {"prepare": prepare, "tuning": tuning, "training": {"cmd": f"python {trained}"}}
    return str(yaml.safe_dump({"schema": "2.0", "stages": stages}, sort_keys=False))


def tuned(files: dict[str, str], depth: int) -> dict[str, str]:
    """The files of a branch after another run."""
    found = {**files, BEST: parameters(depth=depth), REPORT: f"# Tuning results\n{depth}\n"}
    return {**found, "dvc.lock": lock(found)}


@pytest.fixture
def base() -> dict[str, str]:
    files = {**FILES, CONFIG: TEXT, BEST: parameters(depth=3, trial=0)}
    return {**files, "dvc.lock": lock(files, trained="first")}


@pytest.fixture
def root(tmp_path: Path, base: dict[str, str]) -> Path:
    root = make(tmp_path)
    commit(root, base, "a pipeline")
    experiment.start(Repository.of(root), "one")
    return root


def bring(root: Path, *, force: bool = False, **choice: int | str) -> Applied:
    given = TrialChoice(**choice)  # type: ignore[arg-type]
    return apply(Repository.of(root), "one", NAMES, given, force=force)


def refused(root: Path) -> str:
    with pytest.raises(UsageError) as caught:
        bring(root)
    return str(caught.value)


def test_all_of_it_comes_along(root: Path, base: dict[str, str]) -> None:
    text = TEXT.replace("trials: 3", "trials: 5")
    files = tuned({**base, CONFIG: text, "space.json": '{"depth": [1, 5]}'}, depth=5)
    commit(root, files, "tuned", "tuning/one")
    trained = {**base, "dvc.lock": lock(base, trained="later"), "notes.md": "mine"}
    commit(root, trained, "something of its own", "training/one")
    done = bring(root)
    assert done.files == tuple(sorted([BEST, REPORT, CONFIG, "space.json", "dvc.lock"]))
    for name in (BEST, REPORT, CONFIG, "space.json"):
        assert git(root, "show", f"training/one:{name}") == files[name].strip()
    locked = read_lock(git(root, "show", "training/one:dvc.lock"))
    assert locked["tuning"] == read_lock(files["dvc.lock"])["tuning"]
    assert locked["training"].commands == ("python later",)
    assert git(root, "show", "training/one:notes.md") == "mine"
    assert find(Repository.of(root), NAMES, "one").state == "applied"
    assert not bring(root).is_new
    # Training goes on in dvc.lock, which is no change to what was brought.
    later = git(root, "show", "training/one:dvc.lock").replace("python later", "python again")
    commit(root, {"dvc.lock": f"{later}\n"}, "trained", "training/one")
    assert not bring(root).is_new


def test_only_what_the_study_chooses_can_be_brought(root: Path, base: dict[str, str]) -> None:
    import json

    rows = [
        {"origin": "sampler", "state": "complete", "params": {"depth": depth}}
        | {"split0_test_score": score, "split1_test_score": score}
        for depth, score in ((2, 0.5), (3, 0.875))
    ]
    text = f"{TEXT}outputs: {{trials: outputs/trials.jsonl}}\n"
    given = {**base, CONFIG: text, "outputs/trials.jsonl": "\n".join(map(json.dumps, rows))}
    files = tuned(given, depth=3)
    files[BEST] = parameters(depth=3, trial=1)
    commit(root, {**files, "dvc.lock": lock(files)}, "tuned", "tuning/one")
    with pytest.raises(UsageError, match=r"only what the study itself.*\n.*set `selection:` in"):
        bring(root, trial=0)
    assert bring(root, trial=1).is_new


def test_an_edit_is_seen_by_its_digest_and_by_the_lock(root: Path, base: dict[str, str]) -> None:
    files = tuned(base, depth=5)
    files[BEST] = files[BEST].replace("depth: 5", "depth: 9")
    commit(root, files, "tampered", "tuning/one")
    told = refused(root)
    assert f"{BEST} on `tuning/one` was edited" in told
    assert f"{BEST} on `tuning/one` is not the result in dvc.lock" in told
    # With a digest to match, the lock still tells.
    files[BEST] = parameters(depth=9)
    commit(root, files, "tampered again", "tuning/one")
    assert refused(root).startswith(f"{BEST} on `tuning/one` is not the result in dvc.lock")


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("model.py", "x = 1\n", "model.py on `tuning/one` is not the dependency in dvc.lock"),
        (CONFIG, TEXT.replace("trials: 3", "trials: 4"), "has other values than .* \\(stop\\)"),
        ("dvc.lock", "schema: '2.0'\nstages: {}\n", "knows of no run of stage `tuning`"),
        (
            "dvc.yaml",
            FILES["dvc.yaml"].replace("tunesmith run", "tunesmith run -q"),
            "was run with another command",
        ),
    ],
)
def test_what_dvc_would_run_again_is_not_brought(
    root: Path, base: dict[str, str], name: str, text: str, words: str
) -> None:
    commit(root, {**tuned(base, depth=5), name: text}, "tuned", "tuning/one")
    with pytest.raises(UsageError, match=words) as caught:
        bring(root)
    assert "dvc repro tuning" in str(caught.value)


def test_data_that_a_stage_before_makes(root: Path, base: dict[str, str]) -> None:
    files = tuned(base, depth=5)
    files["dvc.lock"] = files["dvc.lock"].replace("md5: d1", "md5: d2", 1)
    commit(root, files, "prepared again, and not tuned", "tuning/one")
    assert "data.csv on `tuning/one` is not the dependency" in refused(root)
    files["dvc.lock"] = files["dvc.lock"].replace("md5: d1", "md5: d2")
    commit(root, files, "and tuned", "tuning/one")
    told = refused(root)
    assert told.startswith("data.csv differs on `training/one`: DVC would tune again there.")
    assert "git merge tuning/one" in told


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("model.py", "x = 1\n", "model.py differs on `training/one`"),
        (
            "dvc.yaml",
            FILES["dvc.yaml"].replace("tunesmith run", "tunesmith run -q"),
            "dvc.yaml on `training/one` has another stage `tuning`",
        ),
        ("dvc.yaml", "stages: {}\n", "dvc.yaml on `training/one` has no stage `tuning`"),
    ],
)
def test_what_would_tune_again_over_there_is_not_brought_even_by_force(
    root: Path, base: dict[str, str], name: str, text: str, words: str
) -> None:
    commit(root, tuned(base, depth=5), "tuned", "tuning/one")
    commit(root, {name: text}, "another way", "training/one")
    told = refused(root)
    assert words in told
    assert "--force" not in told
    with pytest.raises(UsageError):
        bring(root, force=True)


def test_changes_over_there_are_kept(root: Path, base: dict[str, str]) -> None:
    commit(root, tuned(base, depth=5), "tuned", "tuning/one")
    commit(root, {CONFIG: f"# mine\n{TEXT}"}, "mine", "training/one")
    told = refused(root)
    assert told.startswith("tuning.yaml on `training/one` has changes of its own.")
    assert "git diff" in told
    done = bring(root, force=True)
    assert git(root, "show", f"training/one:{CONFIG}") == TEXT.strip()
    assert len(done.insisted) == 1


def test_line_ends_of_another_system_are_no_edit(root: Path, base: dict[str, str]) -> None:
    """DVC has digested what was checked out, with the line ends of that system."""
    files = tuned(base, depth=5)
    crlf = {name: text.replace("\n", "\r\n") for name, text in files.items()}
    commit(root, {**files, "dvc.lock": lock(crlf)}, "tuned on Windows", "tuning/one")
    assert bring(root).is_new


@pytest.mark.parametrize(
    ("extra", "is_seen"),
    [
        ({"data.csv.dvc": "outs:\n- {path: data.csv, md5: d9, hash: md5}\n"}, True),
        ({"data.csv.dvc": "outs:\n- {path: data.csv, md5: d1, hash: md5}\n"}, False),
        # DVC 2 turned line ends before it took a digest.
        ({"data.csv.dvc": "outs:\n- {path: data.csv, md5: d9}\n"}, False),
        ({"data.csv.dvc": "no outs"}, False),
        ({".gitignore": "", "data.csv": "version https://git-lfs.github.com/spec/v1\n"}, False),
        ({".gitignore": "", "data.csv": "a,y\n1,2\n"}, True),
    ],
)
def test_data_that_others_keep(
    root: Path, base: dict[str, str], extra: dict[str, str], is_seen: bool
) -> None:
    """A ``.dvc`` file tells the digest; what Git keeps elsewhere has none that is known."""
    commit(root, {**tuned(base, depth=5), **extra}, "tuned", "tuning/one")
    if is_seen:
        assert "data.csv on `tuning/one` is not the dependency" in refused(root)
    else:
        assert bring(root).is_new


@pytest.mark.parametrize(
    ("before", "after", "is_seen"),
    [
        # A folder that DVC keeps is no tree of Git's.
        ("md5: e1.dir, hash: md5", "md5: d1.dir, hash: md5", True),
        ("md5: d1.dir, hash: md5", "md5: d1.dir, hash: md5", False),
        # Of DVC 2: only its own digests can be compared with one.
        ("md5: old.dir", "md5: old.dir", False),
        ("md5: old.dir", "md5: new.dir", True),
        ("md5: old.dir", "md5: d1.dir, hash: md5", False),
    ],
)
def test_data_that_dvc_keeps_is_the_same_on_both_branches(
    tmp_path: Path, base: dict[str, str], before: str, after: str, *, is_seen: bool
) -> None:
    root = make(tmp_path)
    kept = "outs:\n- {path: data.csv, %s}\n"
    first = {**base, "data.csv.dvc": kept % before}
    del first["raw.csv"]
    stages = yaml.safe_load(first["dvc.yaml"])
    del stages["stages"]["prepare"]
    first["dvc.yaml"] = yaml.safe_dump(stages, sort_keys=False)
    commit(root, first, "a pipeline")
    experiment.start(Repository.of(root), "one")
    files = {**tuned(first, depth=5), "data.csv.dvc": kept % after}
    locked = yaml.safe_load(files["dvc.lock"].replace("md5: d1", "md5: d1.dir"))
    del locked["stages"]["prepare"]
    files["dvc.lock"] = yaml.safe_dump(locked, sort_keys=False)
    commit(root, files, "tuned", "tuning/one")
    if is_seen:
        assert "data.csv differs on `training/one`: DVC would tune again there" in refused(root)
    else:
        assert bring(root).is_new


def test_a_pipeline_further_up(tmp_path: Path, base: dict[str, str]) -> None:
    """``dvc.yaml`` stands at the top, the project in a folder that its stage works in."""
    root, folder = make(tmp_path), "models/churn"
    stages = {**STAGES, "tuning": {**STAGES["tuning"], "wdir": folder}}
    top = {"dvc.yaml": yaml.safe_dump({"stages": stages}, sort_keys=False)}
    inside = {k: v for k, v in base.items() if k not in ("dvc.yaml", "dvc.lock")}
    placed = {f"{folder}/{name}": text for name, text in inside.items()}
    commit(root, {**placed, **top, "dvc.lock": lock(base)}, "two floors")
    experiment.start(Repository.of(root), "one")
    files = tuned(base, depth=5)
    results = {f"{folder}/{name}": files[name] for name in (BEST, REPORT)}
    commit(root, {**results, "dvc.lock": files["dvc.lock"]}, "tuned", "tuning/one")
    done = apply(Repository.of(root), "one", [f"{folder}/{CONFIG}"])
    assert {f"{folder}/{BEST}", f"{folder}/{REPORT}", "dvc.lock"} <= set(done.files)
