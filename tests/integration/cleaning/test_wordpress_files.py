"""120 files of WordPress with three styles of injection: none is left broken, and none half clean."""

import os
import random
import shutil
import subprocess
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from scanners.cutting.surgeon import Surgeon
from scanners.engine import AuditedFile
from scanners.malware import Malware
from sentry.clock import SystemClock
from sentry.domain.cleaning import Authority, CleaningPlan, Remedy, Step
from sentry.domain.finding import Finding
from sentry.ports import Host
from sentry.services.cleaning_plans import CleaningPlans, Wishes
from sentry.services.site_files import SiteFiles
from tests.fakes.cleaning import Bench, Published
from tests.integration.cleaning.infections import STYLES, WORDPRESS, infected, sources

EACH = 40
CUT_AT_LEAST = 0.9
"""Of all of them are cut to the byte; where white space is ambiguous, a cut may leave a line end more."""

pytestmark = [
    pytest.mark.skipif(not WORDPRESS.is_dir(), reason="the package wordpress is missing"),
    pytest.mark.skipif(shutil.which("php") is None, reason="php8.2-cli is missing"),
    pytest.mark.timeout(600),
]
PERSON = Authority("ana", "the injected lines stand in the audit")


@dataclass(frozen=True, slots=True)
class Infected:
    """A site of infected files, with what they were."""

    originals: dict[bytes, bytes]
    findings: list[Finding]


@pytest.fixture
def infection(site: Path) -> Infected:
    chance = random.Random(20261122)  # noqa: S311  # the same files each time
    surgeon, malware = Surgeon(Malware(), SystemClock()), Malware()
    wanted, originals, findings = Counter(dict.fromkeys(STYLES, EACH)), {}, []
    for file, source in sources(WORDPRESS, chance):
        style = next((one for one in ("between", "before", "behind") if wanted[one]), None)
        if style is None:
            break
        content = infected(source, style, chance)
        if content is None or surgeon.finding(file.name, source) is not None or not _reads(content):
            continue
        path = file.relative_to(WORDPRESS)
        found = malware.judge(AuditedFile(str(path), content), lambda: False).finding
        if found is None:
            continue  # what the judges miss is their tests' business
        wanted[style] -= 1
        (site / path).parent.mkdir(parents=True, exist_ok=True)
        (site / path).write_bytes(content)
        originals[os.fsencode(path)] = source
        findings.append(found)
    assert len(originals) == EACH * len(STYLES)
    return Infected(originals, findings)


def _reads(content: bytes) -> bool:
    return subprocess.run(["php", "-n", "-l"], input=content, capture_output=True, check=False).returncode == 0


def _plan(host: Host, bench: Bench, site: Path, infection: Infected, known: Published) -> CleaningPlan:
    root = os.fsencode(site)
    plans = CleaningPlans(SiteFiles(host, root), known, Surgeon(Malware(), SystemClock()), bench.chest)
    paths = {path.decode(): path for path in infection.originals}
    files = plans.files(infection.findings, paths, Wishes(PERSON))
    return CleaningPlan("wordpress", host.name, root, bench.clock.now(), files)


@pytest.mark.promise("001-41")
def test_files_with_pristine_copies_are_all_restored_to_the_byte(
    host: Host, bench: Bench, site: Path, infection: Infected
) -> None:
    """All of 120 become what was published."""
    plan = _plan(host, bench, site, infection, Published(infection.originals))

    cleaned = bench.cleanings(host).clean(plan)

    assert {one.step for one in cleaned.outcomes} == {Step.VERIFIED}
    assert {one.remedy for one in plan.files} == {Remedy.RESTORE}
    assert {path: (site / os.fsdecode(path)).read_bytes() for path in infection.originals} == infection.originals


@pytest.mark.promise("001-41")
def test_files_without_pristine_copies_are_clean_and_whole_or_left(
    host: Host, bench: Bench, site: Path, infection: Infected
) -> None:
    """Each is either clean and read by PHP as before, or not touched and proposed; most are as they were.

    What was written is given back from quarantine, to the byte.
    """
    before = {path: (site / os.fsdecode(path)).read_bytes() for path in infection.originals}
    surgeon = Surgeon(Malware(), SystemClock())

    cleaned = bench.cleanings(host).clean(_plan(host, bench, site, infection, Published()))

    counted: Counter[str] = Counter()
    for outcome in cleaned.outcomes:
        path, name = outcome.file.path, os.fsdecode(outcome.file.path)
        after = (site / name).read_bytes()
        if outcome.step is Step.LEFT:
            assert after == before[path]
            assert outcome.note
            counted["left"] += 1
            continue
        assert outcome.file.remedy is Remedy.CUT
        assert _reads(after), f"{name} is broken"
        assert surgeon.finding(name, after) is None, f"{name} is half clean"
        assert after.split() in (infection.originals[path].split(), [*infection.originals[path].split(), b"?>"])
        counted["to the byte"] += after == infection.originals[path]
    assert counted["to the byte"] >= CUT_AT_LEAST * len(before), counted

    for kept in list(bench.register.all()):
        bench.cleanings(host).undo(kept, f"undo-{kept.key}", PERSON)
    assert {path: (site / os.fsdecode(path)).read_bytes() for path in before} == before
