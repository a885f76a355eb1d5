import os
from pathlib import Path

import pytest

from tunesmith.history import Metric
from tunesmith.objective.program.metrics import (
    FileResults,
    MetricsError,
    PrintedResults,
)

KEYS = {"loss": "val.loss"}


def read(
    tmp_path: Path, text: str | bytes, form: str = "json", **options: object
) -> dict[str, float]:
    file = tmp_path / f"m.{form}"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    keys = options.pop("keys", KEYS)
    return FileResults(file.name, form, keys, **options).read(file)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("json", '{"val": {"loss": 0.5}, "extra": [1]}'),
        ("json", '{"val.loss": 0.5}'),
        ("json", '\ufeff{"val": {"loss": "0.5"}}'),
        ("yaml", "val:\n  loss: 5.0e-1\n"),
        ("csv", "step,val.loss\n1,0.9\n2,0.5\n"),
        ("tsv", "step\tval.loss\n1\t0.9\n2\t0.5\n"),
        ("jsonl", '{"val": {"loss": 0.9}}\n{"val": {"loss": 0.5}}\n{"val": {"lo'),
    ],
)
def test_every_format_is_read(tmp_path: Path, form: str, text: str) -> None:
    assert read(tmp_path, text, form) == {"loss": 0.5}


def test_of_a_table_the_best_row_may_count(tmp_path: Path) -> None:
    text = "epoch,loss,acc\n1,0.9,0.1\n2,0.4,0.5\n3,nan,0.9\n4,0.6,0.7\n"
    keys = {"loss": "loss", "acc": "acc"}
    best = Metric("loss", "minimize")
    assert read(tmp_path, text, "csv", keys=keys, best_by=best) == {"loss": 0.4, "acc": 0.5}


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ('{"val": {"loss": NaN}}', "nan", "m.json: holds NaN"),
        ('{"val": {"loss": -Infinity}}', "inf", "holds -Infinity"),
        ('{"val": {"loss": "nan"}}', "nan", "val.loss is nan"),
        ('{"val": {"loss": 1e999}}', "inf", "val.loss is inf"),
        (f'{{"val": {{"loss": 1{"0" * 400}}}}}', "bad-metrics", "too large a number"),
        ('{"val": {"loss": true}}', "bad-metrics", "is true, no number"),
        ('{"val": {"loss": null}}', "bad-metrics", "is null, no number"),
        ('{"val": {"loss": "high"}}', "bad-metrics", "'high', no number"),
        ('{"val": {"loss": [1]}}', "bad-metrics", r"is \[1\], no number"),
        ('{"val": {"los": 1}}', "no-metrics", "no `val.loss`. Did you mean `val.los`"),
        ("{}", "no-metrics", "It holds nothing"),
        ('{"val": 1, "val": {"loss": 1}}', "bad-metrics", "twice"),
        ('{"val": {"loss": 0.5}', "bad-metrics", "no JSON"),
        ("[" * 100_000, "bad-metrics", "no JSON"),
        ("", "bad-metrics", "no JSON"),
    ],
)
def test_what_is_no_result_is_said(tmp_path: Path, text: str, kind: str, words: str) -> None:
    with pytest.raises(MetricsError, match=words) as caught:
        read(tmp_path, text)
    assert caught.value.kind == kind


@pytest.mark.parametrize(
    ("form", "text", "words"),
    [
        ("csv", "val.loss\n", "no row"),
        ("csv", "", "no row"),
        ("csv", "step\n1\n", "no `val.loss`"),
        ("jsonl", '{"val"', "no line"),
        ("yaml", "a: [1\n", "no YAML"),
        ("yaml", "!!python/object/apply:os.system [id]\n", "no YAML"),
    ],
)
def test_so_do_other_formats(tmp_path: Path, form: str, text: str, words: str) -> None:
    with pytest.raises(MetricsError, match=words):
        read(tmp_path, text, form)


def test_only_plain_files_count(tmp_path: Path) -> None:
    results = FileResults("m.json", "json", {"a": "a"})
    good = tmp_path / "good.json"
    good.write_text('{"a": 1}')
    file = tmp_path / "m.json"
    with pytest.raises(MetricsError, match=r"there is no file m\.json"):
        results.read(file)
    file.symlink_to(good)
    with pytest.raises(MetricsError, match="cannot be read"):
        results.read(file)
    file.unlink()
    os.mkfifo(file)
    with pytest.raises(MetricsError, match="no plain file"):
        results.read(file)
    file.unlink()
    os.link(good, file)
    with pytest.raises(MetricsError, match="no plain file of its own"):
        results.read(file)
    file.unlink()
    file.mkdir()
    with pytest.raises(MetricsError, match="no plain file"):
        results.read(file)
    file.rmdir()
    with file.open("wb") as opened:
        opened.truncate(100_000_000)
    with pytest.raises(MetricsError, match="too large for results: 100 MB"):
        results.read(file)


def test_printed_results_are_found_by_a_pattern(tmp_path: Path) -> None:
    out = tmp_path / "out.log"
    out.write_text("epoch 1: loss=0.9 acc=0.1\nepoch 2: loss=0.5 acc=0.7\nbye\n")
    assert PrintedResults(r"loss=(\S+)", ("loss",)).read(out) == {"loss": 0.5}
    both = PrintedResults(r"loss=(?P<loss>\S+) acc=(?P<acc>\S+)", ("loss", "acc"))
    assert both.read(out) == {"loss": 0.5, "acc": 0.7}
    with pytest.raises(MetricsError, match="nothing printed matches"):
        PrintedResults(r"f1=(\S+)", ("f1",)).read(out)
    with pytest.raises(MetricsError, match="no number"):
        PrintedResults(r"(bye)", ("loss",)).read(out)
