from pathlib import Path

import pytest

from tunesmith.objective.program.passing.shell_variables import shell_variables
from tunesmith.objective.program.passing.sources import program_of

READS = {
    "train.py": "import os\nos.environ['DATA_DIR']\n",
    "get.py": "import os\nos.environ.get( 'DATA_DIR', 'data')\n",
    "getenv.py": "from os import getenv\ngetenv('DATA_DIR')\n",
    "run.sh": "cat ${DATA_DIR}/train.csv\n",
}


@pytest.mark.parametrize("name", READS)
def test_a_variable_that_leads_to_data_is_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (tmp_path / name).write_text(READS[name] + "# $HOME os.environ['SLURM_DIR']\n")
    (tmp_path / "v1").mkdir()
    for variable in ("DATA_DIR", "HOME", "SLURM_DIR"):
        monkeypatch.setenv(variable, "v1")
    program = program_of(tmp_path, [name])
    (note,) = shell_variables(program, ())
    assert note.startswith(f"{name} reads DATA_DIR from your environment, which does not count")
    assert [*shell_variables(program, {"DATA_DIR"})] == []
    # A word that names no file is a setting, of which programs have many.
    monkeypatch.setenv("DATA_DIR", "fast")
    assert [*shell_variables(program, ())] == []
