from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tunesmith.errors import UsageError
from tunesmith.execute.shared_data import dump, load


def test_frames_and_arrays_come_back_as_views_of_the_file(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": np.arange(1000.0), "b": np.arange(1000.0) ** 2, "c": ["x"] * 1000})
    fortran = np.asfortranarray(np.arange(12.0).reshape(3, 4))
    dump({"frame": frame, "fortran": fortran, "text": "ü"}, tmp_path / "f")
    found = load(tmp_path / "f")
    pd.testing.assert_frame_equal(found["frame"], frame)
    np.testing.assert_array_equal(found["fortran"], fortran)
    assert found["fortran"].flags.f_contiguous
    assert not found["fortran"].flags.writeable
    assert not found["fortran"].flags.owndata


def test_arrays_are_aligned(tmp_path: Path) -> None:
    arrays = [np.arange(n, dtype=float) for n in (1, 7, 100)]
    dump(arrays, tmp_path / "f")
    assert all(found.ctypes.data % 64 == 0 for found in load(tmp_path / "f"))


def test_what_cannot_be_pickled_names_the_way_out(tmp_path: Path) -> None:
    with (tmp_path / "x").open("w") as handle, pytest.raises(UsageError, match="executor: serial"):
        dump(handle, tmp_path / "f")
