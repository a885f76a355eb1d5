"""Files of models that name what they must not: nothing that they name is called."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, SplineTransformer

from tunesmith.errors import UsageError
from tunesmith.models.files import load_model, save_model
from tunesmith.models.trust import strange_types

skops = pytest.importorskip("skops.io")

RNG = np.random.default_rng(0)
FRAME = pd.DataFrame(
    {"a": RNG.normal(size=60), "b": RNG.normal(size=60), "s": ["u", "v", "w"] * 20}
)
Y = np.where(FRAME["a"] > 0, "yes", "no")
# A name of this module, but a function of `subprocess`.
MODULE, FUNCTION = "sklearn.utils._testing", "check_output"


def _schema(value: Any) -> dict[str, Any]:
    with zipfile.ZipFile(io.BytesIO(skops.dumps(value))) as file:
        content: dict[str, Any] = json.loads(file.read("schema.json"))
    return content


def _written(schema: dict[str, Any]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("schema.json", json.dumps(schema))
    return buffer.getvalue()


def _with_root(value: Any, **changes: Any) -> bytes:
    """A file with this value, whose outermost node is changed."""
    return _written(_schema(value) | changes)


LOADERS = [
    "ConstructorFromReduceNode", "DictNode", "FunctionNode", "ListNode", "LossNode", "ObjectNode",
    "PartialNode", "SetNode", "TupleNode", "TypeNode",
]  # fmt: skip


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize(
    ("module", "name"),
    [(MODULE, FUNCTION), (MODULE, "_delete_folder"), ("sklearn.metrics", "check_output")],
)
def test_nothing_that_a_file_names_is_called(
    loader: str, module: str, name: str, tmp_path: Path
) -> None:
    mark = tmp_path / "mark"
    given = ["touch", str(mark)]
    content = _schema((given,)) if loader == "ConstructorFromReduceNode" else _schema(given)
    inner = content["content"] if loader in ("ListNode", "SetNode", "TupleNode") else content
    changed = {
        "__module__": module,
        "__class__": name,
        "__loader__": loader,
        "content": inner,
        "__reduce__": {"args": _schema((given,))},
        "key_types": _schema([]),
        "__id__": 1,
    }
    if loader == "DictNode":
        changed["content"] = {}
    if loader == "PartialNode":
        function = {"__module__": module, "__class__": name, "__loader__": "FunctionNode"}
        parts = {"args": _schema((given,)), "kwds": _schema({}), "namespace": _schema({})}
        changed["content"] = {"func": function, **parts}
    path = tmp_path / "m.skops"
    path.write_bytes(_with_root([1], **changed))
    with pytest.raises(UsageError, match=r"not trusted|no model can be read"):
        load_model(path)
    assert not mark.exists()


def test_a_name_that_is_harmless_in_one_place_is_not_so_in_another() -> None:
    # The class as an object is trusted, and so would be its name; here it would be called.
    call = {
        "__module__": "sklearn.calibration",
        "__class__": "_CalibratedClassifier",
        "__loader__": "ConstructorFromReduceNode",
        "content": _schema((1, [])),
        "__id__": 2,
    }
    object_ = {**call, "__loader__": "ObjectNode", "content": _schema({}), "__id__": 3}
    alone = _schema([1]) | {"content": [object_]}
    assert strange_types(_written(alone)) == []
    both = _schema([1, 2]) | {"content": [object_, call]}
    assert strange_types(_written(both)) == ["sklearn.calibration._CalibratedClassifier"]


@pytest.mark.parametrize("schema", ["[" * 100_000, '{"__loader__": [1]}', "{}", "[]", "null"])
def test_damaged_files_have_words(schema: str, tmp_path: Path) -> None:
    path = tmp_path / "m.skops"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("schema.json", schema)
    with pytest.raises(UsageError, match="no model can be read"):
        load_model(path)


MIXED = make_column_transformer(
    (OneHotEncoder(handle_unknown="ignore"), make_column_selector(dtype_include=object)),
    (SimpleImputer(), ["a", "b"]),
    sparse_threshold=0,
)


@pytest.mark.filterwarnings("ignore:For backward compatibility")
@pytest.mark.parametrize(
    "model",
    [
        make_pipeline(MIXED, LogisticRegression()),
        make_pipeline(MIXED, SelectKBest(k=2), KNeighborsClassifier()),
        make_pipeline(MIXED, SplineTransformer(), SGDClassifier(random_state=0)),
        HistGradientBoostingClassifier(max_iter=2, categorical_features="from_dtype"),
    ],
    ids=["mixed", "chosen", "splines", "categories"],
)
def test_usual_models_are_written_and_read(model: Any, tmp_path: Path) -> None:
    rows = FRAME.astype({"s": "category"}) if hasattr(model, "max_iter") else FRAME
    model.fit(rows, Y)
    # A text as a name, as newcomers write it.
    digest = save_model(model, str(tmp_path / "m.skops"))
    again = load_model(tmp_path / "m.skops", digest.upper())
    assert again.predict(rows).tolist() == model.predict(rows).tolist()
