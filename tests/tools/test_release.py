"""What a release needs: workflows, action, component, hook, changelog, and a name."""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
SCHEMAS = {
    "vendor.github-workflows": [".github/workflows/test.yml", ".github/workflows/release.yml"],
    "vendor.github-actions": ["action.yml"],
    "vendor.github-issue-forms": [
        ".github/ISSUE_TEMPLATE/bug.yml",
        ".github/ISSUE_TEMPLATE/idea.yml",
    ],
    "vendor.github-issue-config": [".github/ISSUE_TEMPLATE/config.yml"],
    "vendor.citation-file-format": ["CITATION.cff"],
}


@pytest.fixture(scope="module")
def tool() -> Any:
    spec = importlib.util.spec_from_file_location("release_tool", ROOT / "tools/release.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def checked(*command: str, cwd: Path = ROOT) -> str:
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("schema", SCHEMAS)
def test_files_keep_to_their_schemas(schema: str) -> None:
    checked(str(BIN / "check-jsonschema"), "--builtin-schema", schema, *SCHEMAS[schema])


@pytest.mark.slow
def test_workflows_and_action_pass_an_audit() -> None:
    audit = (str(BIN / "zizmor"), "--offline", "--no-progress", "--persona=auditor")
    checked(*audit, ".github/workflows/test.yml", ".github/workflows/release.yml", "action.yml")


@pytest.mark.slow
def test_the_component_is_a_pipeline_of_gitlab(tmp_path: Path) -> None:
    spec, job = (ROOT / "templates/review.yml").read_text().split("\n---\n")
    inputs = yaml.safe_load(spec)["spec"]["inputs"]
    for name, given in inputs.items():
        assert f"$[[ inputs.{name} ]]" in job
        job = job.replace(f"$[[ inputs.{name} ]]", given["default"] or '""')
    assert "$[[" not in job
    (tmp_path / "gitlab-ci.yml").write_text(job)
    check = (str(BIN / "check-jsonschema"), "--builtin-schema", "vendor.gitlab-ci")
    checked(*check, str(tmp_path / "gitlab-ci.yml"))


def test_the_hook_calls_a_command_that_there_is() -> None:
    from tunesmith.cli import main  # noqa: F401 - the command line can be imported
    from tunesmith.cli.check import command

    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert hook["entry"] == f"tunesmith {command.name}"
    assert hook["pass_filenames"] is False


@pytest.mark.slow
def test_every_fragment_stands_in_the_changelog() -> None:
    text = " ".join(checked(str(BIN / "towncrier"), "build", "--draft", "--version", "9.9").split())
    for fragment in (ROOT / "changelog.d").glob("*.md"):
        if fragment.name != "README.md":
            first = " ".join(fragment.read_text().split())[:60]
            assert first in text, fragment.name
            assert f"({fragment.name.partition('.')[0]})" not in text


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository in small, whose files name the placeholder."""
    (tmp_path / "src/tunesmith").mkdir(parents=True)
    (tmp_path / "docs").mkdir()
    (tmp_path / "src/tunesmith/version.py").write_text('VERSION = "0.1.0"\n')
    (tmp_path / "README.md").write_text("git clone https://github.com/OWNER/tunesmith\n")
    (tmp_path / "docs/release.md").write_text("OWNER/tunesmith stands for a name.\n")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copy(ROOT / "CHANGELOG.md", tmp_path)
    (tmp_path / "changelog.d").mkdir()
    shutil.copy(ROOT / "changelog.d/template.jinja", tmp_path / "changelog.d")
    (tmp_path / "changelog.d/first.added.md").write_text("You can tune.\n")
    for command in (["init", "-q", "-b", "main"], ["add", "-A"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    return tmp_path


@pytest.mark.slow
def test_a_release_is_refused_until_all_agrees(tool: Any, project: Path) -> None:
    version, changelog, name = tool.blockers(project, "v0.2.0")
    assert version == "The tag v0.2.0 is not v0.1.0, the version in src/tunesmith/version.py."
    assert "has no section 0.1.0" in changelog
    assert "stands in README.md;" in name

    assert tool.main(["name", "https://github.com/ann/tunesmith.git"], project) == 0
    assert (project / "README.md").read_text() == "git clone https://github.com/ann/tunesmith\n"
    assert "OWNER" in (project / "docs/release.md").read_text()
    assert tool.main(["prepare", "0.2.0"], project) == 0
    text = (project / "CHANGELOG.md").read_text()
    assert "\n## 0.2.0 (" in text
    assert "- You can tune.\n" in text
    assert not (project / "changelog.d/first.added.md").exists()
    assert tool.main(["check", "v0.2.0"], project) == 0


@pytest.mark.parametrize("arguments", [["name", "tunesmith"], ["name", "a b/c"], ["prepare", "2"]])
def test_names_and_versions_that_are_none(tool: Any, project: Path, arguments: list[str]) -> None:
    assert tool.main(arguments, project) == 2
    assert (project / "src/tunesmith/version.py").read_text() == 'VERSION = "0.1.0"\n'
