"""A reload touches what changed, and nothing else."""

from collections.abc import Callable
from pathlib import Path

import pytest

from sentry.settings import Changes, Settings, difference

Loader = Callable[..., Settings]
Writer = Callable[..., Path]

BASE = """
agency: {name: A}
store: sqlite:///sentry.db
web: {listen: "127.0.0.1:9117"}
plans: {default: {interval_s: 60}, slow: {interval_s: 300}}
clients: {default: {name: A, time_zone: UTC}}
sites:
  - {key: a, url: 'https://a.example/'}
  - {key: b, url: 'https://b.example/', plan: slow}
channels:
  c: {kind: webhook, url: 'https://c.example/', headers: {X-Key: "${KEY}"}}
"""


@pytest.fixture
def changed(loaded: Loader, written: Writer) -> Callable[..., tuple[Settings, Settings]]:
    """Loads BASE, and BASE with one text replaced."""

    def change(old: str, new: str, key: str = "one") -> tuple[Settings, Settings]:
        assert old in BASE
        before = loaded(written(BASE), KEY="one")
        return before, loaded(written(BASE.replace(old, new)), KEY=key)

    return change


Changer = Callable[..., tuple[Settings, Settings]]


def test_difference_of_equal_configurations_is_empty(changed: Changer) -> None:
    """Comments, order of keys and a moved line are no change."""
    found = difference(*changed("agency: {name: A}", "# a comment\n\nagency:\n  name: A"))
    assert not found.any
    assert list(found.lines()) == []
    assert found.checks == Changes(unchanged=("a/http", "a/tls", "b/http", "b/tls"))


def test_difference_names_added_and_removed_checks(changed: Changer) -> None:
    """A new site starts, a removed one stops, the others go on."""
    found = difference(
        *changed("{key: b, url: 'https://b.example/', plan: slow}", "{key: d, url: 'http://d.example/'}")
    )
    assert found.checks == Changes(added=("d/http",), removed=("b/http", "b/tls"), unchanged=("a/http", "a/tls"))
    assert list(found.lines()) == ["checks added: d/http", "checks removed: b/http, b/tls"]


@pytest.mark.parametrize(
    ("old", "new", "checks"),
    [
        ("slow: {interval_s: 300}", "slow: {interval_s: 600}", ("b/http", "b/tls")),
        ("time_zone: UTC", "time_zone: Europe/Madrid", ("a/http", "a/tls", "b/http", "b/tls")),
        ("url: 'https://a.example/'", "url: 'https://a.example/new'", ("a/http", "a/tls")),
        ("{key: a, ", "{key: a, checks: [{kind: http, timeout_s: 3}, {kind: tls}], ", ("a/http",)),
    ],
)
def test_difference_names_checks_that_inherit_the_change(
    changed: Changer, old: str, new: str, checks: tuple[str, ...]
) -> None:
    """A check is changed when anything it goes by changed, wherever that is written."""
    assert difference(*changed(old, new)).checks.changed == checks


def test_difference_sees_a_changed_secret(changed: Changer) -> None:
    """A rotated secret reaches its channel; the difference names the channel only."""
    found = difference(*changed("agency", "agency", key="two"))
    assert found.channels == Changes(changed=("c",))
    assert list(found.lines()) == ["channels changed: c"]


def test_difference_sees_changed_routes(changed: Changer) -> None:
    """Routes are compared as a whole: their order has no key."""
    found = difference(*changed("channels:", "routes: [{severities: [SEV1], to: [c]}]\nchannels:"))
    assert found.routes
    assert list(found.lines()) == ["routes changed"]


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("sqlite:///sentry.db", "sqlite:///other.db", "store: the store"),
        ("127.0.0.1:9117", "127.0.0.1:9118", "web: how the pages are served"),
        (
            "agency: {name: A}",
            "agency: {name: B}",
            "agency: the agency's name, language or zone on pages and in alerts",
        ),
        ("agency: {name: A}", "agency: {name: A}\nprobe: {max_concurrent: 10}", "probe: how the agent probes"),
    ],
)
def test_difference_names_what_needs_a_restart(changed: Changer, old: str, new: str, named: str) -> None:
    """What is set up once is said to take effect only after a restart."""
    found = difference(*changed(old, new))
    assert found.restart == (f"{named} changed; restart the agent to use the new value",)
    assert not found.checks.any


@pytest.mark.parametrize(
    ("old", "new", "section"),
    [
        ("{name: A, time_zone: UTC}", "{name: B, time_zone: UTC}", "clients"),
        ("agency: {name: A}", "agency: {name: A}\nretention: {samples_days: 7}", "retention"),
    ],
)
def test_difference_names_other_sections(changed: Changer, old: str, new: str, section: str) -> None:
    """What takes effect at once is named, too."""
    assert difference(*changed(old, new)).other == (section,)
