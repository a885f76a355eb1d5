"""Draw the gallery: every kind of figure, of the examples' studies, into docs/images/gallery.

    python tools/gallery.py [KIND …]

The studies are run as their files say, which takes a few minutes. Run it if a kind is added or
drawn in another way; look at what changed before you commit it.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tunesmith import registry

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "docs/images/gallery"
# Kinds that need several metrics, or values by step; all others are drawn of the first study.
STUDIES = {"pareto": "mixed_table", "curves": "numpy_epochs"}
USUAL = "churn"
# What a figure needs beyond the configuration of its example.
FURTHER = {
    "predictions": (
        "outputs:\n  predictions: {path: outputs/oof.csv, columns: [plan, support_calls]}\n"
    ),
}


def main() -> None:
    """Run the studies that are needed and save their figures."""
    kinds = sys.argv[1:] or sorted(registry.BUILTIN["figures"])
    TARGET.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for example in dict.fromkeys(STUDIES.get(kind, USUAL) for kind in kinds):
            project = Path(folder) / example
            shutil.copytree(ROOT / "examples" / example, project)
            for kind in (k for k in kinds if STUDIES.get(k, USUAL) == example and k in FURTHER):
                with (project / "tuning.yaml").open("a") as file:
                    file.write(FURTHER[kind])
            for command in ("python data.py", "tunesmith run -q"):
                subprocess.run(command.split(), cwd=project, check=True)  # noqa: S603
            for kind in (k for k in kinds if STUDIES.get(k, USUAL) == example):
                target = TARGET / f"{kind}.svg"
                command = f"tunesmith plot {kind} --theme light -o {target}"
                subprocess.run(command.split(), cwd=project, check=True)  # noqa: S603
                print(target.relative_to(ROOT))


if __name__ == "__main__":
    main()
