"""Rules that the user adds: what is used, what is refused, and what a hit shows."""

import hashlib
from pathlib import Path

from scanners.engine import AuditedFile, Opinion
from scanners.foreign_rules import ForeignRules
from scanners.malware import ENGINES, Malware
from sentry.domain.finding import FindingClass
from sentry.domain.rule_folder import RuleSource
from tests.fakes.scene import planted

RULE = """rule inert_words {
  meta:
    description = "words of a test"
    author = "Some\\tbody"
    license = "MIT"
    reference = "https://rules.example/1"
  strings: $a = "inert words"
  condition: $a and extension == ".php" and filename == "a.php"
}"""
CLASSED = 'rule classed { meta: class = "risky_tool" strings: $a = "inert" condition: $a }'


def judge(rules: ForeignRules, path: str = "x/a.php", content: bytes = b"<?php\n// inert words") -> Opinion:
    """Returns what the rules say of a file."""
    return rules.judge(AuditedFile(path, content), lambda: False)


def sha256(text: str) -> str:
    """Returns a pin."""
    return hashlib.sha256(text.encode()).hexdigest()


def test_hit_shows_author_licence_and_link(tmp_path: Path) -> None:
    """And is suspicious where its rule does not say what it is."""
    rules = ForeignRules([RuleSource(str(planted(tmp_path, {"one.yar": RULE})))])

    (sign,) = judge(rules).signs

    assert (sign.rule, sign.meaning, sign.verdict) == ("inert_words", "words of a test", FindingClass.SUSPICIOUS)
    assert (sign.author, sign.licence, sign.detail) == ("Some body", "MIT", "https://rules.example/1")
    assert (sign.way[0].number, sign.way[0].text) == (2, "inert words")
    assert judge(rules, "x/b.php").signs == ()


def test_class_of_a_hit_is_the_rules_own_or_the_settings(tmp_path: Path) -> None:
    """A rule that says what it is goes first."""
    folder = str(planted(tmp_path, {"one.yara": CLASSED, "two.yar": RULE}))

    signs = judge(ForeignRules([RuleSource(folder, verdict=FindingClass.ADVICE)])).signs

    assert {sign.rule: sign.verdict for sign in signs} == {
        "classed": FindingClass.RISKY_TOOL,
        "inert_words": FindingClass.ADVICE,
    }


def test_changed_file_is_refused_with_both_hashes(tmp_path: Path) -> None:
    """The others are used, and what is refused is said."""
    folder = planted(tmp_path, {"one.yar": RULE, "two.yar": CLASSED, "three.yar": CLASSED})
    pins = (("gone.yar", "1" * 64), ("one.yar", "0" * 64), ("two.yar", sha256(CLASSED)))

    rules = ForeignRules([RuleSource(str(folder), pins)])

    assert {sign.rule for sign in judge(rules).signs} == {"classed"}
    assert rules.problems == [
        f"the rules {folder}/gone.yar are pinned and not there",
        f"the rules {folder}/one.yar are refused: they were changed; pinned is {'0' * 64}, they have {sha256(RULE)}",
        f"the rules {folder}/three.yar are refused: they have no pin; theirs is {sha256(CLASSED)}",
    ]


def test_rules_that_cannot_be_compiled_are_named_and_left_out(tmp_path: Path) -> None:
    """Nor can they read other files."""
    folder = planted(
        tmp_path, {"bad.yar": "rule a { condition: b }", "include.yar": 'include "/etc/passwd"', "good.yar": CLASSED}
    )

    rules = ForeignRules([RuleSource(str(folder))])

    assert {sign.rule for sign in judge(rules).signs} == {"classed"}
    assert len(rules.problems) == 2
    assert "bad.yar cannot be used: " in rules.problems[0]
    assert "undefined identifier" in rules.problems[0]


def test_folder_without_rules_is_a_problem(tmp_path: Path) -> None:
    """Whoever names a folder believes that something is looked for."""
    rules = ForeignRules([RuleSource(str(tmp_path / "nothing"))])

    assert rules.problems == [f"no rules in {tmp_path}/nothing: there is no file *.yar or *.yara"]
    assert rules.sha256 == ""


def test_hash_of_rules_changes_with_them(tmp_path: Path) -> None:
    """Then every file is judged anew."""
    first = ForeignRules([RuleSource(str(planted(tmp_path, {"one.yar": RULE})))]).sha256
    second = ForeignRules([RuleSource(str(planted(tmp_path, {"one.yar": CLASSED})))]).sha256

    assert len({first, second, ""}) == 3


def test_rules_of_others_stand_beside_the_engines(tmp_path: Path) -> None:
    """A file has the signs of both."""
    rules = ForeignRules([RuleSource(str(planted(tmp_path, {"one.yar": CLASSED})))])

    finding = (
        Malware((*ENGINES, rules)).judge(AuditedFile("a.php", b"<?php eval($_POST['inert']);"), lambda: False).finding
    )

    assert finding is not None
    assert finding.verdict is FindingClass.CONFIRMED
    assert {"classed", "request_to_code"} <= {sign.rule for sign in finding.signs}
