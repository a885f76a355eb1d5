"""Write the documents and the example that are made from the code, or ``--check`` them."""

import sys
from pathlib import Path

from tunesmith.cli import cli
from tunesmith.cli.common.reference import reference_markdown as cli_markdown
from tunesmith.config.reference import reference_markdown
from tunesmith.pipeline.ci.workflows import foreseen
from tunesmith.scaffold.files import Guess, plan_files
from tunesmith.sharing.allow_lists import sharing_markdown

HERE = Path(__file__).parent
ROOT = HERE.parent
DECISIONS = """# Decisions

Short notes: what was decided, why, what was passed over. A later note may replace an earlier one;
it says so. Numbers that are missing were never given.

"""


def made() -> dict[Path, str]:
    """What every made file is to hold."""
    folder = ROOT / "examples/mlops"
    example = plan_files(folder, "mlops", Guess())
    example += foreseen("github", folder, example)
    documents = {
        HERE / "configuration.md": reference_markdown(),
        HERE / "commands.md": cli_markdown(cli),
        HERE / "sharing.md": sharing_markdown(),
        HERE / "decisions/README.md": decisions_markdown(HERE / "decisions"),
    }
    return documents | {file.path: file.content for file in example}


def decisions_markdown(folder: Path) -> str:
    """List the notes of a folder by number, each with its title."""
    rows = []
    for path in sorted(folder.glob("0*.md")):
        # "# 12. A title" is a note's first line.
        number, _, title = path.read_text(encoding="utf-8").partition("\n")[0][2:].partition(". ")
        rows.append(f"- {number}: [{title}]({path.name})\n")
    return DECISIONS + "".join(rows)


def main() -> None:
    """Write or compare every file."""
    stale = []
    for path, content in made().items():
        if path.is_file() and path.read_bytes() == content.encode():
            continue
        stale.append(str(path.relative_to(ROOT)))
        if "--check" not in sys.argv:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode())
    if stale and "--check" in sys.argv:
        sys.exit(f"stale: {', '.join(stale)}. Run: python docs/generate.py")


if __name__ == "__main__":
    main()
