import os
from pathlib import Path

from tunesmith.objective.program.gpus import Gpus


def test_each_run_has_one_of_its_own(tmp_path: Path) -> None:
    gpus = Gpus.first(2, tmp_path, {})
    with gpus.one() as first, gpus.one() as second:
        assert {first, second} == {"0", "1"}
    with gpus.one() as again:
        assert again == "0"


def test_those_that_are_visible_are_shared_out(tmp_path: Path) -> None:
    assert Gpus.first(2, tmp_path, {"CUDA_VISIBLE_DEVICES": "3, 5,7"}).names == ("3", "5")


def test_a_death_frees_it(tmp_path: Path) -> None:
    gpus = Gpus.first(1, tmp_path, {})
    child = os.fork()
    if child == 0:
        with gpus.one():
            os._exit(0)
    os.waitpid(child, 0)
    with gpus.one() as name:
        assert name == "0"
