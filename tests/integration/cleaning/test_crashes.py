"""A cleaning that is killed at any point is finished by the next one, and nothing is ever half done."""

import hashlib
import signal
from pathlib import Path

import pytest

from sentry.domain.cleaning import Step
from sentry.ports import Host
from tests.fakes.cleaning import EVIL, Bench
from tests.fakes.dying import clean_until

MOST_CALLS = 400
INFECTED = {"a.php": EVIL + b"<?php // a\n", "b.php": EVIL, "c.php": b"<?php // c\n" + EVIL}
CLEAN = {"a.php": b"<?php // a\n", "c.php": b"<?php // c\n"}


def _content(site: Path) -> dict[str, bytes]:
    return {one.name: one.read_bytes() for one in site.iterdir()}


@pytest.mark.promise("001-41")
@pytest.mark.timeout(600)
def test_cleaning_killed_at_each_call_is_finished_by_the_next_start(tmp_path: Path, host: Host) -> None:
    """Killed at each call to host, journal and quarantine: no file is half done, and then all are clean."""
    finished = False
    for last in range(1, MOST_CALLS):
        site, data = tmp_path / f"site{last}", tmp_path / f"data{last}"
        site.mkdir()
        for name, content in INFECTED.items():
            (site / name).write_bytes(content)
            (site / name).chmod(0o640)
        status = clean_until(site, data, f"cleaning-{last}", last)
        assert status in (0, -signal.SIGKILL)
        broken_off = _content(site)
        for name, content in INFECTED.items():
            assert broken_off.get(name) in (content, CLEAN.get(name)), f"{name} is half done at call {last}"

        own = Bench(data)
        resumed = own.cleanings(host).resume(lambda _plan: True)

        if status == 0 or resumed:
            assert _content(site) == CLEAN, f"not finished after call {last}"
            assert all(one.step is Step.VERIFIED for cleaned in resumed for one in cleaned.outcomes)
            kept = {one.path.decode(): one for one in own.register.all()}
            assert {name: own.chest.get(one.before) for name, one in kept.items()} == INFECTED
            assert {(site / name).stat().st_mode & 0o7777 for name in CLEAN} == {0o640}
        else:  # killed before the plan was written down, or after its last step
            assert _content(site) in (INFECTED, CLEAN)
        if status == 0:
            finished = True
            break
    assert finished
    assert last > len(INFECTED) * len(Step)


def test_resume_of_a_file_changed_meanwhile_leaves_it(tmp_path: Path, site: Path, host: Host) -> None:
    """What somebody wrote between the crash and the next start is not overwritten."""
    for name, content in INFECTED.items():
        (site / name).write_bytes(content)
    data = tmp_path / "data"
    assert clean_until(site, data, "cleaning", _calls_to_first_write(tmp_path)) == -signal.SIGKILL
    (site / "c.php").write_bytes(b"somebody's")

    (resumed,) = Bench(data).cleanings(host).resume(lambda _plan: True)

    assert (site / "c.php").read_bytes() == b"somebody's"
    assert [one.file.path for one in resumed.left] == [b"c.php"]
    assert hashlib.sha256((site / "a.php").read_bytes()).hexdigest() == resumed.outcomes[0].file.after


def _calls_to_first_write(tmp_path: Path) -> int:
    """Returns a number of calls after which the plan is written down, and not yet done."""
    for last in range(1, MOST_CALLS):
        site, data = tmp_path / f"try{last}", tmp_path / f"tried{last}"
        site.mkdir()
        for name, content in INFECTED.items():
            (site / name).write_bytes(content)
        if clean_until(site, data, "trial", last) == 0:
            break
        if list((data / "journals").glob("*.jsonl")) and _content(site) == INFECTED:
            return last
    raise AssertionError("it was never killed between the plan and the first write")
