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


def made() -> dict[Path, str]:
    """What every made file is to hold."""
    folder = ROOT / "examples/mlops"
    example = plan_files(folder, "mlops", Guess())
    example += foreseen("github", folder, example)
    documents = {
        HERE / "configuration.md": reference_markdown(),
        HERE / "commands.md": cli_markdown(cli),
        HERE / "sharing.md": sharing_markdown(),
    }
    return documents | {file.path: file.content for file in example}


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
