"""Write the documents that are made from the code; with ``--check``, only compare."""

import sys
from pathlib import Path

from tunesmith.config.reference import reference_markdown

HERE = Path(__file__).parent
DOCUMENTS = {"configuration.md": reference_markdown}


def main() -> None:
    """Write or compare every document."""
    stale = []
    for name, make in DOCUMENTS.items():
        path, content = HERE / name, make()
        if path.is_file() and path.read_text() == content:
            continue
        stale.append(name)
        if "--check" not in sys.argv:
            path.write_text(content)
    if stale and "--check" in sys.argv:
        sys.exit(f"docs are stale: {', '.join(stale)}. Run: python docs/generate.py")


if __name__ == "__main__":
    main()
