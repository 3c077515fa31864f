"""The site that the speed of an audit is measured on."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from benchmarks.audit_speed import FIRST, KNOWN, UNCHANGED, Timed, make_site, owed
from benchmarks.measure import RunRejected
from sentry.domain.finding import AuditReport, Manifest

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def _tree(folder: Path) -> Path:
    tree = folder / "tree"
    (tree / "inner").mkdir(parents=True)
    (tree / "index.php").write_text("<?php echo 1;")
    (tree / "inner/a.js").write_text("var a;")
    (tree / "inner/b.css").symlink_to("a.js")
    return tree


def test_site_of_a_tree_has_as_many_files_as_asked_for_and_each_is_another(tmp_path: Path) -> None:
    """The tree itself, links resolved, and copies of its files that no pack can know."""
    made = make_site(_tree(tmp_path), tmp_path / "site", 8)
    files = [path for path in (tmp_path / "site").rglob("*") if path.is_file()]
    copies = [path for path in files if "copy" in str(path)]
    assert made == len(files) == 8
    assert len({path.read_bytes() for path in copies}) == len(copies) == 5
    assert not any(path.is_symlink() for path in files)


def test_site_of_an_empty_tree_is_refused(tmp_path: Path) -> None:
    """There would be nothing to measure."""
    (tmp_path / "tree").mkdir()
    with pytest.raises(RunRejected):
        make_site(tmp_path / "tree", tmp_path / "site", 8)


def test_owed_figures_are_the_worst_of_the_rounds() -> None:
    """What an audit owes it owes each time."""
    report = AuditReport("/", NOW, NOW, Manifest(), ())
    timed = {
        FIRST: [Timed(10, 1, 100_000_000, report), Timed(70, 1, 100_000_000, report)],
        UNCHANGED: [Timed(2, 1, 90_000_000, report)],
        KNOWN: [Timed(5, 1, 500_000_000, report)],
    }
    assert [(one.measured, one.met) for one in owed(timed)] == [(70, False), (2, True), (500, False)]
