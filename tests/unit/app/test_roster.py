"""What is configured, by key: a reload replaces it whole and at once, and keeps what is as it was."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sentry.app.kinds import load_settings
from sentry.app.roster import Roster
from sentry.domain.announcement import Revision
from sentry.domain.failure_report import Attribution
from sentry.domain.maintenance import Calendar
from sentry.domain.maintenance_window import MaintenanceWindow
from sentry.settings import Settings


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the configuration stands."""
    return tmp_path / "sentry.yaml"


def configured(path: Path, *sites: str) -> Settings:
    """Loads a configuration of some sites."""
    path.write_text("\n".join(["sites:", *(f"  - {site}" for site in sites)]) + "\n")
    return load_settings(path)


def test_prepare_changes_nothing_until_it_is_put_in_force(path: Path) -> None:
    """A reload may yet fail between the two."""
    old = configured(path, "{key: a, url: 'https://a.example/'}")
    roster = Roster(old)
    new = configured(path, "{key: b, url: 'https://b.example/'}")

    put_in_force = roster.prepare(new)
    assert (list(roster.sites), roster.settings) == (["a"], old)

    put_in_force()
    assert (list(roster.sites), list(roster.checks), roster.settings) == (["b"], ["b/http", "b/tls"], new)


def test_prepare_a_site_that_is_as_it_was_stays_the_same_object(path: Path) -> None:
    """And so do its checks, once the configuration kept what is equal; nobody has to look at them again."""
    a, b = "{key: a, url: 'https://a.example/'}", "{key: b, url: 'https://b.example/', name: B}"
    old = configured(path, a, b)
    roster = Roster(old)
    before, checks = dict(roster.sites), {check.key: check for check in old.checks()}

    new = configured(path, a, b.replace("name: B", "name: C"), "{key: c, url: 'http://c.example/'}")
    new.keep_equal(old)
    roster.prepare(new)()

    assert roster.sites["a"] is before["a"]
    assert roster.sites["b"] is not before["b"]
    assert roster.sites["b"].name == "C"
    assert [check.key for check in new.checks() if check is not checks.get(check.key)] == ["c/http"]


def test_keep_equal_a_text_that_became_a_secret_is_hidden_from_then_on(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It equals what it was, but the object that shows it must not stay."""
    monkeypatch.setenv("S", "plain-words")  # the process's own environment, as a user sets it
    url = "{key: a, url: 'https://a.example/?k=plain-words', checks: [{kind: http, expect_text: ['plain-words']}]}"
    old = configured(path, url)
    new = configured(path, url.replace("plain-words", "${S}"))
    assert new.checks() == old.checks()

    new.keep_equal(old)

    assert "plain-words" in repr(old.checks())
    assert "plain-words" not in repr(new.checks())


async def test_schedule_only_sites_with_other_work_become_other_objects(path: Path) -> None:
    """A window is filled in, and taken out again, without a look at those that it is not about."""
    roster = Roster(configured(path, "{key: a, url: 'https://a.example/'}", "{key: b, url: 'https://b.example/'}"))
    before = dict(roster.sites)
    window = MaintenanceWindow.model_validate(
        {"reason": "disks", "starts_at": "2026-12-01T02:00", "duration_min": 60, "sites": ["a"]}
    )
    said = datetime(2026, 11, 1, tzinfo=UTC)
    calendar = Calendar([Revision("1", 0, said, "ana", window, {"a": 48.0})], datetime(2027, 1, 1, tzinfo=UTC))

    await roster.schedule(calendar)
    begin = 29_934_840  # 2026-12-01T02:00Z, minutes since the epoch
    assert roster.sites["a"].maintenance == ((begin, begin + 60),)
    assert roster.sites["b"] is before["b"]

    roster.prepare(roster.settings)()
    assert roster.sites["a"].maintenance == ((begin, begin + 60),)

    await roster.schedule(Calendar((), said))
    assert roster.sites["a"] == before["a"]


async def test_schedule_while_a_reload_is_read_is_not_forgotten(path: Path) -> None:
    """The reload puts in force what it has read, and the newer calendar is put in force once more."""
    roster = Roster(configured(path, "{key: a, url: 'https://a.example/'}"))
    window = MaintenanceWindow.model_validate(
        {"reason": "disks", "starts_at": "2026-12-01T02:00", "duration_min": 60, "sites": ["a"]}
    )
    said = datetime(2026, 11, 1, tzinfo=UTC)
    calendar = Calendar([Revision("1", 0, said, "ana", window, {"a": 48.0})], datetime(2027, 1, 1, tzinfo=UTC))

    put_in_force = roster.prepare(roster.settings)
    await roster.schedule(calendar)
    put_in_force()
    await roster.schedule(calendar)

    assert roster.sites["a"].work == calendar.of("a")


@pytest.mark.promise("001-19")
def test_site_that_is_not_hosted_and_its_plans_sides_reach_the_budget(path: Path) -> None:
    """What the contract covers and leaves out is configured, and by default the client and third parties."""
    settings = configured(
        path, "{key: a, url: 'https://a.example/'}", "{key: b, url: 'https://b.example/', hosted: false}"
    )
    sites = Roster(settings).sites
    assert (sites["a"].hosted, sites["b"].hosted) == (True, False)
    assert sites["a"].excluded == {Attribution.CLIENT, Attribution.THIRD_PARTY}


async def test_schedule_while_another_configuration_comes_in_force_takes_its_sites(path: Path) -> None:
    """A reload between two turns loses neither its sites nor the work."""
    roster = Roster(configured(path, "{key: a, url: 'https://a.example/'}"))
    put_in_force = roster.prepare(
        configured(path, "{key: a, url: 'https://a.example/'}", "{key: b, url: 'https://b.example/'}")
    )
    window = MaintenanceWindow.model_validate(
        {"reason": "disks", "starts_at": "2026-12-01T02:00", "duration_min": 60, "all_sites": True}
    )
    said = datetime(2026, 11, 1, tzinfo=UTC)
    revision = Revision("1", 0, said, "ana", window, {"a": 48.0, "b": 48.0})
    calendar = Calendar([revision], datetime(2027, 1, 1, tzinfo=UTC))

    scheduling = asyncio.create_task(roster.schedule(calendar))
    await asyncio.sleep(0)
    put_in_force()
    await scheduling

    assert [len(site.maintenance) for site in roster.sites.values()] == [1, 1]
