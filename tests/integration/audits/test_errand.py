"""An audit in its own process: progress, report, and what becomes of it when the process does not come to its end."""

import os
import signal
from pathlib import Path

import pytest

from sentry.app.auditing.errand import audited
from sentry.app.auditing.frames import Progress
from sentry.app.auditing.order import AuditOrder
from sentry.domain.errors import AuditFailed, NotFound
from sentry.domain.finding import FindingClass

SHELL = "<?php\n$c = $_POST['b'];\n@eval($c);\n"


@pytest.fixture
def docroot(tmp_path: Path) -> Path:
    """A site of some pages, with a back door in it."""
    for number in range(30):
        (tmp_path / f"page{number}.php").write_text(f"<?php echo {number};")
    (tmp_path / "x.php").write_text(SHELL)
    return tmp_path


async def test_audit_tells_of_each_part_and_ends_with_the_report(docroot: Path) -> None:
    """Names are listed, hashed and judged; each part says when it has come to its end."""
    told: list[Progress] = []

    report = await audited(AuditOrder(folder=str(docroot)), told.append)

    assert {"listing", "hashing", "files"} <= {progress.part for progress in told}
    assert Progress("files", 31, 31) in told
    assert [finding.path for finding in report.findings] == ["x.php"]
    assert report.worst is FindingClass.CONFIRMED
    assert report.manifest.files == 31
    assert len(report.rules["files"]) == 64


async def test_audit_that_takes_too_long_is_stopped_and_is_no_verdict(docroot: Path) -> None:
    """Whoever wrote the files must not keep the machine busy for ever."""
    with pytest.raises(AuditFailed, match="stopped after"):
        await audited(AuditOrder(folder=str(docroot)), lambda _progress: None, within_s=0.01)


async def test_audit_whose_process_is_killed_has_failed_and_says_how(docroot: Path) -> None:
    """By the kernel, for want of memory, for instance; the agent lives on."""

    def kill(_progress: Progress) -> None:
        for child in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split():
            if b"sentry.app.auditing.process" in Path(f"/proc/{child}/cmdline").read_bytes():
                os.kill(int(child), signal.SIGKILL)

    with pytest.raises(AuditFailed, match="SIGKILL"):
        await audited(AuditOrder(folder=str(docroot)), kill)


async def test_audit_of_a_folder_that_is_not_there_says_so(tmp_path: Path) -> None:
    """As a mistake of whoever ordered it, not as a failure that another attempt would mend."""
    with pytest.raises(NotFound, match="is no folder"):
        await audited(AuditOrder(folder=str(tmp_path / "nothing")), lambda _progress: None)
