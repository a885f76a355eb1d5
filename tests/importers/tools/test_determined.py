from pathlib import Path

from tunesmith.testing.importers import ImporterContract

SAMPLE = """\
name: digits
hyperparameters:
  lr: {type: log, minval: -4, maxval: -1, base: 10}
  units: {type: int, minval: 8, maxval: 64}
  drop: {type: double, minval: 0.2, maxval: 0.8}
  model:
    kind: {type: categorical, vals: [cnn, mlp]}
  batch: 64
  seed: {type: const, val: 3}
searcher: {name: random, metric: val_loss, max_trials: 16}
entrypoint: python3 train.py --fast
"""


class TestDetermined(ImporterContract):
    tool, file, sample = "determined", "random.yaml", SAMPLE
    space = {
        "lr": {"float": [0.0001, 0.1], "log": True},
        "units": {"int": [8, 63]},
        "drop": {"float": [0.2, 0.8]},
        "model.kind": ["cnn", "mlp"],
    }
    settings = {"search": {"method": "random"}, "stop": {"trials": 16}}
    refused = {
        "there is no search": "name: random, metric -> name: single, metric",
        "must be a number": "minval: 8, -> least: 8,",
        "has no equal": "name: random, metric -> name: pbt, metric",
        "every parameter is fixed": SAMPLE.partition("  batch")[0].partition("  lr")[2]
        + " -> : 1\n",
    }

    def test_a_grid_has_its_points(self, tmp_path: Path) -> None:
        text = SAMPLE.replace("name: random, metric", "name: grid, metric")
        for line in ("base: 10", "maxval: 64", "maxval: 0.8"):
            text = text.replace(line, f"{line}, count: 3")
        space = self.converted(tmp_path, text).content["space"]
        assert space["lr"] == [0.0001, 0.00316227766017, 0.1]
        assert space["units"] == [8, 36, 64]
        assert space["drop"] == [0.2, 0.5, 0.8]
