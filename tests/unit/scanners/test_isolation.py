"""Files judged in processes of their own: whatever one does to its judge, the others are judged."""

import base64
import zlib
from collections.abc import Iterator

import pytest

from scanners.engine import AuditedFile
from scanners.isolation import BATCH_FILES, Isolation, JudgeBroken
from scanners.judging import Bounds
from scanners.malware import Judged
from sentry.clock import SystemClock
from sentry.domain.finding import FindingClass
from tests.fakes.judges import obeying, unable

BACK_DOOR = b"<?php eval($_POST['x']);"
SHORT = Bounds(cpu_s=0.3, stopped_after_cpu_s=2, silent_s=60)


@pytest.fixture(name="isolation", scope="module")
def _isolation() -> Iterator[Isolation]:
    with Isolation(SystemClock(), obeying, SHORT) as isolation:
        yield isolation


def said(isolation: Isolation, *contents: bytes) -> list[Judged]:
    """Returns what is said of files, in their order."""
    files = [AuditedFile(f"{number}.php", content) for number, content in enumerate(contents)]
    found = {file.path: judged for file, judged in isolation.judge_all(files)}
    return [found[file.path] for file in files]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"crash", "broke its judge"),
        (b"leave", "its judge ended with code 3"),
        (b"spin", "took too long"),
        (b"raise", "the engine obeying failed: RuntimeError: a broken engine"),
        (b"eat", "the engine obeying failed: MemoryError: "),
        (b"wait", "late"),
    ],
)
def test_judge_all_file_that_breaks_its_judge_is_left_out_and_costs_no_other(
    isolation: Isolation, content: bytes, why: str
) -> None:
    """It has no verdict but a reason; those before and after it in the same batch have theirs."""
    before, hostile, after = said(isolation, BACK_DOOR, content, BACK_DOOR)

    assert (hostile.finding, hostile.left_out) == (None, why)
    for other in (before, after):
        assert other.finding is not None
        assert other.finding.verdict is FindingClass.CONFIRMED


def test_judge_all_judge_that_only_waits_is_ended(isolation: Isolation) -> None:
    """One that uses no CPU is not ended by the kernel, so its silence ends it."""
    with Isolation(SystemClock(), obeying, Bounds(silent_s=1.5)) as patient:
        hostile, after = said(patient, b"sleep", BACK_DOOR)

    assert hostile.left_out == "took too long, or its judge was ended from outside"
    assert after.finding is not None
    assert said(isolation, BACK_DOOR)[0].finding is not None


def test_judge_all_what_an_engine_prints_is_no_answer(isolation: Isolation) -> None:
    """Its standard output is where answers go, and nothing else may."""
    printed, after = said(isolation, b"print", BACK_DOOR)

    assert (printed.finding, printed.left_out) == (None, None)
    assert after.finding is not None


def test_judge_all_several_judges_answer_for_every_file() -> None:
    """More files than a batch holds, two judges, one of them broken on the way: each file has one answer."""
    contents = [b"crash" if number == BATCH_FILES else b"x" for number in range(3 * BATCH_FILES)]
    files = [AuditedFile(str(number), content) for number, content in enumerate(contents)]

    with Isolation(SystemClock(), obeying, SHORT, judges=2) as isolation:
        answered = list(isolation.judge_all(files))

    assert sorted(int(file.path) for file, _ in answered) == list(range(len(files)))
    assert [file.path for file, judged in answered if judged.left_out] == [str(BATCH_FILES)]


def test_judge_all_judge_that_cannot_start_raises() -> None:
    """Our own fault must not read as thousands of files that nobody could look at."""
    with (
        Isolation(SystemClock(), unable, SHORT) as isolation,
        pytest.raises(JudgeBroken, match="before it could begin"),
    ):
        list(isolation.judge_all([AuditedFile("a", b"x")]))


def _packed(code: bytes) -> bytes:
    deflated = zlib.compress(code)[2:-4]
    return b"<?php eval(gzinflate(base64_decode('" + base64.b64encode(deflated) + b"')));"


HOSTILE = {
    "one line of megabytes": b"<?php eval($_POST[1]);" + b'$a.="x".$c;' * 1_000_000,
    "brackets in brackets": b"<?php eval($_POST[1]);" + b"(" * 1_000_000,
    "blocks in blocks": b"<?php eval($_POST[1]);" + b"if($a){" * 100_000,
    "worst of its grammar": b"<?php eval($_POST[1]); " + b'$}{`"' * 100_000,
    "worst of patterns": b"<?php eval($_POST[1]); " + b"/*" * 100_000 + b"'" + b" " * 300_000 + b"\\x41\\" * 50_000,
    "bomb in a layer": _packed(b"eval($_POST[1]);" + b"\n" * 50_000_000),
    "small texts": b"<?php eval($_POST[1]); $a = array(" + b"'a'," * 250_000 + b");",
    "doubled for ever": b"<?php eval($_POST[1]); $a = 'x'; " + b"$a .= $a; " * 5_000 + b"eval($a);",
    "no text": b"<?php eval($_POST[1]); " + bytes(range(256)) * 2_000,
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.timeout(60)
def test_judge_all_hostile_file_ends_within_bounds_and_costs_no_other(content: bytes) -> None:
    """Each is either judged or named as not looked at whole, within the judge's memory and time."""
    bounds = Bounds(cpu_s=1, stopped_after_cpu_s=8)
    with Isolation(SystemClock(), bounds=bounds) as isolation:
        hostile, after = said(isolation, content, BACK_DOOR)

    assert hostile.finding is not None or hostile.left_out is not None
    assert after.finding is not None


def test_judge_of_one_file_is_what_the_examiners_call(isolation: Isolation) -> None:
    """One at a time, the next one after a crash as well."""
    crashed = isolation.judge(AuditedFile("a.php", b"crash"), lambda: False)
    after = isolation.judge(AuditedFile("b.php", BACK_DOOR), lambda: False)

    assert crashed.left_out == "broke its judge"
    assert after.finding is not None
