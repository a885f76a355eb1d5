"""What failed runs had printed last: each text once, with its trials, and nothing of it markup."""

import json
from dataclasses import replace

from tunesmith.analysis.failure_groups import said
from tunesmith.analysis.summary import summarise
from tunesmith.history import Failure, FoldResult, TrialLog
from tunesmith.ledger.records import StudyRecord
from tunesmith.reporting import table
from tunesmith.reporting.markdown import render
from tunesmith.reporting.page.render import render as page
from tunesmith.reporting.sections.failures import last_lines
from tunesmith.reporting.terminal import closing_text
from tunesmith.testing.records import SCORE, make_record

ATTACK = "</details></script><img src=x onerror=alert(1)>\n```\n# @everyone\n\x1b[31m"


def record_of(texts: list[str]) -> StudyRecord:
    """A study whose trials printed these; an empty text is that of a complete one."""
    made = make_record([{"n": i} for i in range(len(texts))])
    log = TrialLog((SCORE,))
    for number, text in enumerate(texts):
        trial = log.ask({"n": number}, f'{{"n":{number}}}', "grid")
        failure = Failure("exit", "exited with status 1", text) if text else None
        good = FoldResult(1, {"score": 0.5 + number})
        bad = FoldResult(0, {} if failure else {"score": 0.5}, failure=failure)
        log.tell(trial.completed([bad, good]))
    return replace(made, history=log.view())


def test_each_text_is_there_once_with_its_trials() -> None:
    record = record_of(["no data", "", "no memory\nat all", "no data", "no data"])
    assert [(group.text, group.numbers) for group in said(list(record.history.completed))] == [
        ("no data", (0, 3, 4)),
        ("no memory\nat all", (2,)),
    ]
    text = render(summarise(record, with_effects=False))
    assert text.count("no data") == 1
    head = "<summary>trials 0, 3, 4: <code>exit: exited with status 1</code></summary>"
    assert f"<details>{head}\n\n```text\nno data\n```\n\n</details>" in text
    closing = closing_text(summarise(record, with_effects=False), record, [])
    assert "failed: 4 x exit: exited with status 1\n  | no data" in closing


def test_nothing_in_it_is_markup() -> None:
    record = record_of([ATTACK, ""])
    text = render(summarise(record, with_effects=False))
    assert "````text\n</details></script>" in text
    assert "# @everyone\n````\n" in text
    assert "\x1b" not in text
    html = page(record)
    assert "<img" not in html
    content = html.partition('id="data">')[2].partition("</script>")[0]
    (failure,) = json.loads(content)["failures"]
    assert failure["text"].startswith("</details></script><img")


def test_trials_as_json_have_them() -> None:
    record = record_of(["no data", ""])
    first, second = table.with_failures(record, table.rows_of(record))
    assert first["failures"] == [
        {"fold": 0, "kind": "exit", "message": "exited with status 1", "text": "no data"}
    ]
    assert second["failures"] == []


def test_of_a_long_text_the_end_is_shown() -> None:
    text = last_lines("\n".join(map(str, range(100))))
    assert text.startswith("…\n70\n")
    assert text.endswith("\n99")
