import os
from pathlib import Path

import pytest

from tunesmith.history import Metric
from tunesmith.objective.program.results.metrics import (
    FileResults,
    MetricsError,
    number,
)
from tunesmith.objective.program.results.printed import MAX_LINE, PrintedResults

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
        ("json", '\ufeff{"val": {"loss": 0.5}}'),
        ("yaml", "val:\n  loss: 5.0e-1\n"),
        ("csv", "step,val.loss\n1,0.9\n2,0.5\n"),
        ("tsv", "step\tval.loss\n1\t0.9\n2\t0.5\n"),
        ("csv", "step, val.loss\n1, 0.9\n2, 0.5\n".replace(" val", "val")),
        ("jsonl", '{"val": {"loss": 0.9}}\n\n{"val": {"loss": 0.5}}\n'),
        ("jsonl", '{"val": {"loss": 0.9}}\r\n{"a": "\u2028\x85", "val": {"loss": 0.5}}'),
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
        ('{"val": {"loss": "nan"}}', "bad-metrics", "val.loss is the text 'nan', no number"),
        ('{"val": {"loss": "0.5"}}', "bad-metrics", "val.loss is the text '0.5', no number"),
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
        ("csv", "val.loss,step,val.loss\n1,2,3\n", "two columns `val.loss`: which one is meant"),
        ("tsv", "val.loss\tstep\tstep\n1\t2\t3\n", "two columns `step`"),
        ("csv", f"val.loss\n{'1' * 200_000}\n", "field larger than"),
        ("csv", 'val.loss,step\n"1",0.5,2\n', "a row with more values than there are names"),
        ("tsv", "val.loss\tstep\n1\t2\n1\t2\t3\n", "a row with more values"),
        ("csv", "val.loss\n1_0.1\n", "'1_0.1', no number"),
        ("csv", "val.loss\n\u0661\n", "no number"),
        ("csv", "val.loss\nnan\n", "is nan"),
        ("csv", "val.loss\n1e999\n", "is inf"),
        ("csv", "val.loss\n0x1F\n", "no number"),
        ("jsonl", "\n", "no line"),
        ("jsonl", '{"val": {"loss": 0.9}}\n{"val": {"lo', "no JSON"),
        ("jsonl", '{"val": {"loss": "0.9"}}\n', "is the text '0.9', no number"),
        ("yaml", "val: {loss: '0.5'}\n", "is the text '0.5', no number"),
        ("yaml", "val: {loss: 1_0.1}\n", "is the text '1_0.1', no number"),
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


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", 1), ("-.5", -0.5), ("+1.", 1), ("1e-3", 0.001), (" 2.5E+2\t", 250), ("007", 7)],
)
def test_texts_that_are_numbers(text: str, value: float) -> None:
    assert number(text, "x", is_text=True) == value
    with pytest.raises(MetricsError, match="no number"):
        number(text, "x")


@pytest.mark.parametrize("text", ["", "1_0.1", "1 0", "0x10", "1,5", "½", "٣", "1e", "e5", "1.2.3"])
def test_texts_that_are_none(text: str) -> None:
    with pytest.raises(MetricsError, match="no number"):
        number(text, "x", is_text=True)


def printed(
    pattern: str, out: str, err: str = "", names: tuple[str, ...] = ("loss",), step: int = 7
) -> tuple[dict[str, float], str]:
    """Results and warning of a program that prints some bytes at a time."""
    results = PrintedResults(pattern, names)
    heard = results.listen()
    for stream, text in ((heard.stdout, out.encode()), (heard.stderr, err.encode())):
        for begin in range(0, len(text), step):
            stream.feed(text[begin : begin + step])
    heard.close()
    return results.read(heard), results.warning(heard)


EPOCHS = "epoch 1: loss=0.9 acc=0.1\nepoch 2: loss=0.5 acc=0.7\nbye\n"


@pytest.mark.parametrize(
    ("pattern", "out", "value"),
    [
        (r"loss=(\S+)", EPOCHS, 0.5),
        (r"loss: (\S+)", "fold1 loss: 0.9 fold2 loss: 0.8 mean loss: 0.1", 0.1),
        (r"loss (\S+)", "loss 0.9\rloss 0.7\rloss 0.5\r\n", 0.5),
        (r"^loss (\S+)$", "loss 0.9\nloss 0.5\nthe loss 0.1\n", 0.5),
        (r"(?s)RESULT.*?loss (\S+)", "loss 0.9\nRESULT\r\n\nloss 0.5\nloss 0.1\n", 0.5),
        (r"is\n(\S+)", "it is\n0.9\nit is\n0.5\n", 0.5),
        (r"loss (\S+)", f"{'x' * 5 * MAX_LINE} loss 0.5", 0.5),
        (r"loss (\S+)", f"loss 0.5 {'x ' * 5 * MAX_LINE}\n", 0.5),
        (r"n=([0-9]+)", " ".join(f"n={i}" for i in range(100_000)) + " x" * 3 * MAX_LINE, 99_999),
    ],
)
@pytest.mark.parametrize("step", [7, 65_536])
def test_the_last_match_of_all_that_was_printed_counts(
    pattern: str, out: str, value: float, step: int
) -> None:
    if step == 7 and len(out) > 10_000:
        step = 9973
    assert printed(pattern, out, step=step) == ({"loss": value}, "")


@pytest.mark.parametrize(
    ("pattern", "out", "whole"),
    [
        (r"loss: ([\d.]+)", "loss: 9.5e-05", "9.5e-05"),
        (r"loss: ([\d.]+).*", "loss: 9.5E+05 s", r"9.5E\+05"),
        (r"loss: (\d+)", "loss: 0.7", "0.7"),
        (r"loss: (\d+)", "loss: 1_000", "1_000"),
        (r"loss: (\d+)", "loss: 0x1F", "0x1F"),
        (r"loss: (\d\.\d\d)", "loss: 0.12999", "0.12999"),
        (r"loss.*(\d+\.\d+)", "loss: 12.5", "12.5"),
        (r"loss.*?(\d+\.\d+)", "loss = -0.5", "-0.5"),
        (r"loss.*?(\d+)", "loss = .5", ".5"),
        (r"loss: ([-\d.]+)", "loss: 1,234.5", "1,234.5"),
        (r"(?P<acc>\d) (?P<loss>\d)", "7 1.5", "1.5"),
    ],
)
def test_a_part_of_a_number_is_none(pattern: str, out: str, whole: str) -> None:
    with pytest.raises(MetricsError, match=f"a part of '{whole}': let the pattern match the whole"):
        printed(pattern, out)


@pytest.mark.parametrize(
    ("pattern", "out"),
    [
        (r"loss: ([\d.]+)", "loss: 0.5, 7"),
        (r"^([\d.]+),[\d.]+", "0.5,0.25"),
        (r"([\d.]+)%", "0.5% of 7"),
        (r"\d,([\d.]+)", "1,0.5"),
        (r"fold-\d: ([\d.]+)", "fold-3: 0.5s"),
        (r"([\d.]+)/", "0.5/1.0"),
        (r"[\d.]+-([\d.]+)", "0.25-0.5"),
        (r"[\d.]+\+([\d.]+)", "0.25+0.5"),
        (r"=(-?[\d.]+e-?\d+)", "loss=5e-1"),
        (r"loss (\S+)", "v1.2 loss 0.5"),
    ],
)
def test_whole_numbers_beside_others_count(pattern: str, out: str) -> None:
    assert printed(pattern, out)[0] == {"loss": 0.5}


def test_printed_results_are_found_by_a_pattern() -> None:
    both = r"loss=(?P<loss>\S+) acc=(?P<acc>\S+)"
    assert printed(both, EPOCHS, names=("loss", "acc"))[0] == {"loss": 0.5, "acc": 0.7}
    with pytest.raises(MetricsError, match="nothing printed matches"):
        printed(r"f1=(\S+)", EPOCHS)
    with pytest.raises(MetricsError, match="no number"):
        printed(r"(bye)", EPOCHS)
    with pytest.raises(MetricsError, match="is null, no number"):
        printed(r"bye(x)?", EPOCHS)


def test_standard_error_counts_if_nothing_else_does_and_that_is_said() -> None:
    assert printed(r"loss=(\S+)", "loss=0.5\n", "loss=0.1\n") == ({"loss": 0.5}, "")
    scores, warning = printed(r"loss=(\S+)", "none\n", "loss=0.9\nloss=0.1")
    assert scores == {"loss": 0.1}
    assert warning.startswith("stderr: the result was read from standard error")
