"""What works but is probably not meant."""

from collections.abc import Callable
from pathlib import Path

import pytest

from sentry.domain.errors import Problem
from sentry.settings import Settings
from sentry.settings.model import is_loopback

Loader = Callable[..., Settings]
Writer = Callable[..., Path]
Refuser = Callable[..., tuple[Problem, ...]]

ANCHORS = "probe: {anchors: ['192.0.2.1:443', '198.51.100.1:443']}"
CHANNEL = f"{ANCHORS}\nchannels: {{c: {{kind: webhook, url: 'https://c.example/'}}}}\n"


def warnings_of(settings: Settings) -> list[str]:
    return [f"{warning.line}: {warning.path}: {warning.message}" for warning in settings.warnings]


@pytest.mark.promise("000-02")
@pytest.mark.parametrize(
    ("checks", "lacks"),
    [
        ("[{kind: http, max_response_s: 2}, {kind: tls}]", []),
        ("[{kind: http, max_response_s: 2}, {kind: http, name: b}]", ["security"]),
        ("[{kind: http}, {kind: tls}]", ["how fast"]),
        ("[{kind: tls}]", ["whether the site answers", "how fast"]),
        ("[{kind: http, counts: false, max_response_s: 2}, {kind: tls}]", ["whether the site answers"]),
        ("[{kind: http}]", ["security", "how fast"]),
    ],
)
def test_site_without_availability_security_or_performance_check_is_named(
    loaded: Loader, written: Writer, checks: str, lacks: list[str]
) -> None:
    """Each site has at least one of the three, or check-config says which is missing and what to add."""
    settings = loaded(written(f"{CHANNEL}sites: [{{key: a, url: 'https://a.example/', checks: {checks}}}]"))
    assert [warning.path for warning in settings.warnings] == ["sites[0].checks"] * len(lacks)
    messages = sorted(warning.message for warning in settings.warnings)
    for message, lack in zip(messages, sorted(lacks), strict=True):
        assert lack in message or any(other in message for other in lacks)
        assert "; add " in message


@pytest.mark.promise("000-02")
def test_site_without_tls_is_told_to_use_it_unless_it_is_this_machine(loaded: Loader, written: Writer) -> None:
    """No check can secure what goes over the wire in the clear; a page of this machine crosses no wire."""
    settings = loaded(
        written(f"{CHANNEL}sites: [{{key: a, url: 'http://a.example/'}}, {{key: b, url: 'http://[::1]:8080/'}}]")
    )
    assert warnings_of(settings) == [
        "3: sites[0].checks: no check watches the site's security; serve it over https and add {kind: tls}"
    ]


def test_routes_without_sev1_of_a_site_are_named(loaded: Loader, written: Writer) -> None:
    """Nobody would be woken for these sites, and they are named."""
    sites = ", ".join(f"{{key: s{n}, url: 'https://s{n}.example/'}}" for n in range(7))
    routes = (
        "routes: [{severities: [SEV1], sites: [s0], to: [c]}, {severities: [SEV2], to: [c]}, {about: agent, to: [c]}]"
    )
    settings = loaded(written(f"sites: [{sites}]\n{CHANNEL}{routes}"))
    assert warnings_of(settings) == [
        "4: routes: no route takes SEV1 incidents of s1, s2, s3, s4, s5 and 1 more; add a route that matches them"
    ]


@pytest.mark.parametrize(
    ("routes", "deaf"),
    [
        ("{to: [c]}", None),
        ("{about: agent, to: [c]}, {about: site, to: [c]}", None),
        ("{about: site, to: [c]}", "SEV1, SEV2"),
        ("{severities: [SEV1], to: [c]}", "SEV2"),
        ("{plans: [default], to: [c]}, {clients: [default], to: [c]}", "SEV1, SEV2"),
    ],
)
def test_routes_that_nobody_hears_of_the_agent_by_are_named(
    loaded: Loader, written: Writer, routes: str, deaf: str | None
) -> None:
    """An agent that is blind and tells nobody is worse than none."""
    checks = "[{kind: http, max_response_s: 2}, {kind: tls}]"
    site = f"sites: [{{key: a, url: 'https://a.example/', checks: {checks}}}]\n"
    settings = loaded(written(f"{site}{CHANNEL}routes: [{routes}]"))
    told = [warning.message for warning in settings.warnings]
    assert [message.partition("of the agent itself of ")[2].partition(":")[0] for message in told] == (
        [deaf] if deaf else []
    )


def test_timeout_above_interval_is_named(loaded: Loader, written: Writer) -> None:
    """Probes of one check never overlap, so a slow answer costs slots."""
    checks = "[{kind: http, max_response_s: 2, timeout_s: 25, interval_s: 20}, {kind: tls}]"
    settings = loaded(written(f"{CHANNEL}sites: [{{key: a, url: 'https://a.example/', checks: {checks}}}]"))
    (warning,) = settings.warnings
    assert warning.path == "sites[0].checks[0]"
    assert warning.message.startswith("timeout_s (25) is longer than the interval (20 s)")


@pytest.mark.promise("001-31")
def test_check_whose_outage_cannot_be_told_within_90_seconds_is_named(loaded: Loader, written: Writer) -> None:
    """Three probes of 30 s that all time out take longer than the alert may: 90 s, and the waiting between."""
    checks = "[{kind: http, timeout_s: 30, max_response_s: 2}, {kind: tls, timeout_s: 20}]"
    settings = loaded(written(f"{CHANNEL}sites: [{{key: a, url: 'https://a.example/', checks: {checks}}}]"))
    (warning,) = settings.warnings
    assert warning.path == "sites[0].checks[0]"
    assert "only 100 s after its first failed probe; the alert is promised within 90 s" in warning.message


@pytest.mark.parametrize("listen", ["0.0.0.0:9117", ":9117", "192.0.2.1:9117", "[::]:9117", "sentry.example:9117"])
def test_open_pages_without_token_are_refused(problems_of: Refuser, written: Writer, listen: str) -> None:
    """What a site shows of its faults is not for everybody."""
    (problem,) = problems_of(written(f"web: {{listen: '{listen}'}}\nsites: [{{key: a, url: 'https://a.example/'}}]"))
    assert problem.path == "web"
    assert problem.message.startswith(f"'{listen}' can be reached from other machines; set token or token_file")


@pytest.mark.parametrize("web", ["{listen: '[::1]:80'}", "{listen: ':80', token: 0123456789abcdef}"])
def test_pages_with_token_or_on_loopback_are_fine(loaded: Loader, written: Writer, web: str) -> None:
    """One of the two is enough."""
    text = f"{CHANNEL}web: {web}\nsites: [{{key: a, url: 'https://a.example/'}}]"
    assert loaded(written(text)).warnings == ()


def test_token_file_that_everybody_may_read_is_named(loaded: Loader, written: Writer) -> None:
    """A secret that every user of the machine can read is none."""
    main = written(
        f"{CHANNEL}web: {{token_file: web.token}}\nsites: [{{key: a, url: 'https://a.example/'}}]",
        **{"web.token": "0123456789abcdef"},
    )
    token = main.with_name("web.token")
    token.chmod(0o644)
    (warning,) = loaded(main).warnings
    assert warning.message == f"every user of this machine may read the token; run: chmod 600 {token}"
    token.chmod(0o600)
    assert loaded(main).warnings == ()


@pytest.mark.parametrize(
    ("host", "answer"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("[::1]", True),
        ("localhost", True),
        ("a.localhost", True),
        ("192.0.2.1", False),
        ("localhost.example", False),
        ("127.0.0.1.example", False),
        ("", False),
    ],
)
def test_is_loopback_tells_by_spelling_alone(host: str, answer: bool) -> None:
    """Nothing is looked up: a name that merely points here is not trusted."""
    assert is_loopback(host) is answer


def test_sites_elsewhere_without_anchors_are_named_once(loaded: Loader, written: Writer) -> None:
    """The agent cannot tell its own dead line from dead sites; where all is on this machine there is no line."""
    sites = "{key: a, url: 'https://a.example/'}, {key: b, url: 'https://b.example/'}"
    warned = [one for one in loaded(written(f"sites: [{sites}]")).warnings if one.path == "probe.anchors"]
    assert len(warned) == 1
    assert "add 'anchors' under 'probe'" in warned[0].message
    here = loaded(written("sites: [{key: a, url: 'http://127.0.0.1:8080/'}]")).warnings
    assert "probe.anchors" not in {one.path for one in here}
