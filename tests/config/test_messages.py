"""Error texts, pinned: what a user reads when a configuration is broken."""

from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from tunesmith.config.load import load_definition
from tunesmith.config.messages import field_names
from tunesmith.config.model import File
from tunesmith.config.names import ELSEWHERE
from tunesmith.errors import UsageError

GOOD = {
    "study": "study: s",
    "objective": (
        "objective: {estimator: sklearn.svm.SVC, data: {path: d.csv, target: y}, metric: accuracy}"
    ),
    "space": "space: {C: {float: [0.1, 10.0], log: true}}",
    "search": "search: {method: random}",
    "stop": "stop: {trials: 10}",
}
OBJECTIVE = "objective: {{{0}, data: {{path: d.csv, target: y}}, metric: accuracy}}"
METRIC = "objective: {{estimator: a.B, data: {{path: d.csv, target: y}}, metric: {0}}}"
CV = "objective: {{estimator: a.B, data: {{path: d.csv, target: y}}, metric: accuracy, cv: {0}}}"

BROKEN: dict[str, str | dict[str, str]] = {
    "nothing": "",
    "a list": "- 1\n",
    "not yaml": "study: [1,\n",
    "tag": "study: !!python/object:os.system x\n",
    "two documents": "study: a\n---\nstudy: b\n",
    "repeated key": {"stop": "stop: {trials: 10}\nstop: {trials: 20}"},
    "number as key": {"space": "space: {1: [1, 2]}"},
    "unknown alias": {"space": "space: {C: *ranges}"},
    "unknown section": {"stop": "stopp: {trials: 10}"},
    "missing sections": {"objective": "", "space": ""},
    "unknown key": {"stop": "stop: {trails: 10}"},
    "key of another section": {
        "objective": OBJECTIVE.format("estimator: a.B, timeout: 30s, workers: 2, folds: 3")
    },
    "keys of other tools": {"stop": "stop: {n_trials: 10}\nn_jobs: 4\nparam_grid: {}"},
    "key of many sections": {"stop": "stop: 10\npath: a.csv"},
    "text for a number": {"stop": 'stop: {trials: "10"}'},
    "zero trials": {"stop": "stop: {trials: 0}"},
    "bad duration": {"stop": "stop: {time: soon}"},
    "bad study name": {"study": "study: ../x"},
    "two estimators": {"objective": OBJECTIVE.format("estimator: a.B, factory: a:b")},
    "no estimator": {"objective": OBJECTIVE.format("params: {}")},
    "bad import path": {"objective": OBJECTIVE.format("estimator: nodots")},
    "fixed and varied": {"objective": OBJECTIVE.format("estimator: a.B, params: {C: 1}")},
    "choices without choice": {
        "objective": OBJECTIVE.format("estimators: {rf: {estimator: a.B}, svm: {estimator: a.C}}")
    },
    "misspelt metric": {"objective": METRIC.format("acuracy")},
    "metric by another name": {"objective": METRIC.format("rmse")},
    "minimized scorer": {"objective": METRIC.format("{name: recall, direction: minimize}")},
    "own metric without direction": {"objective": METRIC.format("{name: mine, scorer: a.b}")},
    "metric twice": {"objective": METRIC.format("[recall, recall]")},
    "bad direction": {"objective": METRIC.format("{name: recall, direction: maximise}")},
    "one fold": {"objective": CV.format("1")},
    "misspelt splitter": {"objective": CV.format("{method: stratfied}")},
    "groups missing": {"objective": CV.format("{method: group}")},
    "column missing": {"objective": CV.format("{method: predefined}")},
    "shuffled time": {"objective": CV.format("{method: time_series, shuffle: true}")},
    "misspelt method": {"search": "search: {method: bayse}"},
    "sampler without bayesian": {"search": "search: {method: random, sampler: tpe}"},
    "misspelt sampler": {"search": "search: {method: bayesian, sampler: tep}"},
    "start outside": {"search": "search: {method: random, start_with: [{C: 100}]}"},
    "start word": {"search": "search: {method: random, start_with: default}"},
    "endless grid": {"search": "search: {method: grid}"},
    "huge grid": {
        "search": "search: {method: grid}",
        "space": "space: {a: {int: [1, 1000]}, b: {int: [1, 1000]}, c: {int: [1, 1000]}}",
        "stop": "stop: {patience: 5}",
    },
    "no end": {"stop": "stop: {patience: 5}"},
    "log of zero": {"space": "space: {C: {float: [0.0, 0.1], log: true}}"},
    "bounds turned round": {"space": "space: {C: {float: [10, 1]}}"},
    "bounds as text": {"space": 'space: {C: {float: ["0.1", 1]}}'},
    "three bounds": {"space": "space: {C: {int: [1, 2, 3]}}"},
    "infinite bound": {"space": "space: {C: {float: [0, .inf]}}"},
    "whole numbers with fractions": {"space": "space: {C: {int: [1, 2.5]}}"},
    "step and log": {"space": "space: {C: {float: [1, 2], step: 0.1, log: true}}"},
    "no kind": {"space": "space: {C: {min: 1, max: 2}}"},
    "two kinds": {"space": "space: {C: {int: [1, 2], float: [1, 2]}}"},
    "unknown option": {"space": "space: {C: {int: [1, 2], stepp: 1}}"},
    "empty list": {"space": "space: {C: []}"},
    "value twice": {"space": "space: {C: [a, b, a]}"},
    "empty space": {"space": "space: {}"},
    "unknown parent": {"space": "space: {kernel: [a, b], C: {int: [1, 2], when: {kernal: a}}}"},
    "impossible parent": {"space": "space: {k: [a, b], C: {int: [1, 2], when: {k: z}}}"},
    "circle": {
        "space": "space: {a: {values: [1, 2], when: {b: 1}}, b: {values: [1, 2], when: {a: 1}}}"
    },
    "bad constraint": {
        "space": 'space: {parameters: {a: [1, 2]}, constraints: ["a.b < 1", "z < 1"]}'
    },
    "unknown constraint": {"space": 'space: {parameters: {a: [1, 2]}, constraints: ["z < 1"]}'},
    "no such distribution": {"space": "space: {C: {scipy: nope}}"},
    "no space file": {"space": "space: config/nothing.json"},
    "output outside": {"stop": "stop: {trials: 1}\noutputs: {report: ../x.md}"},
    "output suffix": {"stop": "stop: {trials: 1}\noutputs: {best: best.txt}"},
    "same outputs": {"stop": "stop: {trials: 1}\noutputs: {best: a.json, trials: a.json}"},
    "section of nothing": {"stop": "stop:"},
    "number for a section": {"stop": "stop: 50"},
    "text for a section": {"search": "search: random"},
    "text for the folds": {"objective": CV.format("kfold")},
    "metric of nothing": {"objective": METRIC.format("null")},
    "no metrics": {"objective": METRIC.format("[]")},
    "misspelt metric key": {"objective": METRIC.format("{nme: recall}")},
    "infinite time": {"stop": "stop: {trials: 5, time: .inf}"},
    "value without end": {"space": "space: {C: [1, .nan]}"},
    "itself as parent": {"space": "space: {C: {int: [1, 2], when: {C: 1}}}"},
    "start of a wrong kind": {"search": "search: {method: random, start_with: [5, null]}"},
    "space file by a wrong name": {"space": "space: d.csv", "stop": "stop: {trails: 5}"},
    "many at once": {
        "study": "study: 5",
        "objective": METRIC.format("recal"),
        "space": "space: {C: {float: [2, 1]}, D: []}",
        "search": "search: {method: gird, seed: -1}",
        "stop": "stop: {tme: 5}",
    },
}


def written(folder: Path, content: "str | dict[str, str]") -> Path:
    path = folder / "tuning.yaml"
    lines = content if isinstance(content, str) else "\n".join({**GOOD, **content}.values())
    path.write_text(lines)
    return path


def test_the_good_one_is_good(tmp_path: Path) -> None:
    assert load_definition(written(tmp_path, {})).file.study == "s"


@pytest.mark.parametrize("case", BROKEN)
def test_texts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str, snapshot: SnapshotAssertion
) -> None:
    written(tmp_path, BROKEN[case])
    (tmp_path / "d.csv").write_text("a,y\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError) as caught:
        load_definition(Path("tuning.yaml"))
    text = str(caught.value).replace(str(tmp_path), "PROJECT")
    assert "Traceback" not in text
    assert text == snapshot


def test_keys_of_other_tools_lead_to_keys_that_exist() -> None:
    for key, places in ELSEWHERE.items():
        for place in places:
            *sections, name = place.split(".")
            assert name in field_names(File, tuple(sections)), (key, place)
