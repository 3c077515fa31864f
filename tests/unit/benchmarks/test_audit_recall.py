"""The benchmark of recall: what it counts, for a figure of a wrong count shows nothing."""

from argparse import Namespace
from pathlib import Path

import pytest

from benchmarks.audit_recall import Side, judged_wrong, owed, percent, rows_of, run, speed
from benchmarks.audit_recall_side import Verdict, by_agent, by_rules, kind_of, verdicts
from benchmarks.measure import RunRejected
from scanners.engine import AuditedFile

BACK_DOOR = b"<?php eval($_POST['x']);"
HARMLESS = b"<?php echo 'hello';"


def verdict(of: str | None, kind: str = "php", *, path: str = "a.php") -> Verdict:
    """Returns how a file of half a megabyte was judged in a tenth of a second."""
    return Verdict(path, kind, 500_000, of, 0.1)


def test_percent_of_several_classes_counts_each_of_them() -> None:
    """A file is of one class, so recall is the sum."""
    judged = [verdict("confirmed"), verdict("suspicious"), verdict(None), verdict("risky_tool")]

    assert (percent(judged, "confirmed"), percent(judged, "confirmed", "suspicious")) == (25, 50)


def test_speed_counts_bytes_by_seconds_of_cpu() -> None:
    """Half a megabyte in a tenth of a second."""
    assert speed([verdict(None), verdict(None)]) == pytest.approx(5)


def test_owed_of_both_sets_is_measured_and_met_or_not() -> None:
    """A recall of half does not reach four fifths; a clean tree without an alarm does."""
    corpus = Side([verdict("confirmed"), verdict(None)], 10**8)
    clean = Side([verdict(None), verdict(None, "other")], 10**8)

    met = {one.figure: one.met for one in owed({"corpus": corpus, "clean": clean})}

    assert met["% of malicious PHP confirmed"] is False
    assert met["clean files confirmed, known-good not set aside"] is True
    assert met["MB of memory at most"] is True


def test_rows_hold_a_table_for_each_kind() -> None:
    """With what each side put where."""
    side = Side([verdict("confirmed"), verdict(None, "js or html")], 10**8)

    rows = {row.case: row for row in rows_of("corpus", {"a": side})}

    assert set(rows) == {"corpus, php", "corpus, js or html"}
    assert rows["corpus, php"].figures["confirmed_percent"] == 100


def test_judged_wrong_names_what_was_missed_and_what_was_blamed() -> None:
    """A suspicion is not enough for malware and too much for a clean file; a risky tool is neither."""
    corpus = Side([verdict("suspicious", path="shell"), verdict("confirmed", path="x")], 1)
    clean = Side([verdict("suspicious", path="core"), verdict("risky_tool", path="y")], 1)

    assert judged_wrong({"corpus": corpus, "clean": clean}) == [
        "corpus\tsuspicious\tshell",
        "clean\tsuspicious\tcore",
    ]


def test_verdicts_judge_the_same_content_once(tmp_path: Path) -> None:
    """A corpus is full of copies, and each would count as one more that was found."""
    for name, content in {"a.php": BACK_DOOR, "b.php": BACK_DOOR, "c.php": HARMLESS, "d.txt": b""}.items():
        (tmp_path / name).write_bytes(content)

    found = [(Path(one.path).name, one.verdict) for one in verdicts([tmp_path], by_agent(), 1)]

    assert found == [("a.php", "confirmed"), ("c.php", None)]


def test_rules_of_others_are_a_side_and_broken_ones_are_left_out(tmp_path: Path) -> None:
    """One file of rules that needs a module we have not must not end the comparison."""
    (tmp_path / "good.yar").write_text('rule a { strings: $a = "eval(" condition: $a }', encoding="ascii")
    (tmp_path / "bad.yar").write_text("rule b { condition: nothing_known }", encoding="ascii")

    judge = by_rules(tmp_path)

    assert judge(AuditedFile("a.php", BACK_DOOR)) == ("found", False)
    assert judge(AuditedFile("b.php", HARMLESS)) == (None, False)


@pytest.mark.parametrize(
    ("path", "content", "kind"),
    [
        ("a.txt", HARMLESS, "php"),
        ("b/.htaccess", b"Options -Indexes", "settings"),
        ("c.HTML", b"<p>", "js or html"),
        ("d.jsp", b"<% %>", "asp or jsp"),
        ("e.css", b"p {}", "other"),
    ],
)
def test_kind_is_told_by_content_and_then_by_name(path: str, content: bytes, kind: str) -> None:
    """PHP runs under many names; all else is what it is called."""
    assert kind_of(AuditedFile(path, content)) == kind


def test_options_without_folders_give_no_figure() -> None:
    """There is nothing to measure."""
    with pytest.raises(RunRejected, match="--corpus"):
        run(Namespace(corpus=[], clean=[], sample=1, rules=[], rounds=1, missed=None))
