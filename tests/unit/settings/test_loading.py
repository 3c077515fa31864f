from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from sentry.domain.errors import Problem
from sentry.domain.severity import Severity
from sentry.domain.site import Language
from sentry.settings import Settings

Loader = Callable[..., Settings]
Writer = Callable[..., Path]
Refuser = Callable[..., tuple[Problem, ...]]

TINY = "sites: [{key: shop, url: 'https://shop.example/'}]"


def test_load_two_keys_gives_site_with_plan_client_and_checks(loaded: Loader, written: Writer) -> None:
    """A newcomer writes a key and an address and gets the promises: 99.7 %, a probe a minute, http and tls."""
    settings = loaded(written(TINY))
    http, tls = settings.checks()
    assert (http.key, tls.key) == ("shop/http", "shop/tls")
    assert http.interval_s == 60
    assert http.plan.uptime_target == 99.7
    assert list(http.recheck_after_s) == [10, 20]
    assert (http.client_key, http.plan_key, http.host_group, http.host_cap) == (
        "default",
        "default",
        "shop.example",
        8,
    )
    assert [warning.message.partition(":")[0] for warning in settings.warnings] == [
        "no channel is configured",
        "no anchors are configured",
    ]


def test_load_http_site_without_checks_gets_http_only(loaded: Loader, written: Writer) -> None:
    """There is no certificate to look at where there is no TLS."""
    settings = loaded(written("sites: [{key: a, url: 'http://127.0.0.1:8080/'}]"))
    assert [check.kind for check in settings.checks()] == ["http"]


def test_checks_inherit_interval_zone_and_language_from_the_nearest_that_says(
    loaded: Loader, written: Writer
) -> None:
    """Check before plan for the interval; plan before client before agency for zone and language."""
    settings = loaded(
        written("""
agency: {name: A, language: en, time_zone: UTC}
plans:
  fast: {interval_s: 30}
  local: {time_zone: Atlantic/Canary, language: es}
clients:
  acme: {name: Acme, language: es, time_zone: Europe/Madrid}
  plain: {name: Plain}
hosts: {web1: {address: 192.0.2.1, max_concurrent_probes: 3}}
sites:
  - key: a
    url: https://a.example/
    client: acme
    plan: fast
    host: web1
    checks: [{kind: tls}, {kind: http, interval_s: 20}]
  - {key: b, url: https://b.example/, client: acme, plan: local, checks: [{kind: http}]}
  - {key: c, url: https://c.example/, client: plain, plan: fast, checks: [{kind: http}]}
""")
    )
    checks = {check.key: check for check in settings.checks()}
    assert [(key, check.interval_s) for key, check in checks.items()] == [
        ("a/tls", 30),
        ("a/http", 20),
        ("b/http", 60),
        ("c/http", 30),
    ]
    assert [checks[key].time_zone for key in ("a/tls", "b/http", "c/http")] == [
        ZoneInfo("Europe/Madrid"),
        ZoneInfo("Atlantic/Canary"),
        ZoneInfo("UTC"),
    ]
    assert [checks[key].language for key in ("a/tls", "b/http", "c/http")] == [Language.ES, Language.ES, Language.EN]
    assert (checks["a/http"].host_group, checks["a/http"].host_cap) == ("web1", 3)
    assert (checks["b/http"].host_group, checks["b/http"].host_cap) == ("b.example", 8)


def test_load_only_plan_and_client_are_those_of_every_site(loaded: Loader, written: Writer) -> None:
    """Where there is one to choose, nobody needs to choose."""
    settings = loaded(written(f"plans: {{gold: {{}}}}\nclients: {{acme: {{name: Acme}}}}\n{TINY}"))
    assert (settings.sites[0].plan, settings.sites[0].client) == ("gold", "acme")


def test_load_defaults_choose_plan_and_client(loaded: Loader, written: Writer) -> None:
    """`defaults` decides among several."""
    text = "defaults: {plan: b, client: y}\nplans: {a: {}, b: {}}\nclients: {x: {name: X}, y: {name: Y}}\n" + TINY
    site = loaded(written(text)).sites[0]
    assert (site.plan, site.client) == ("b", "y")


def test_load_sites_folder_adds_mapping_list_and_section_in_order_of_names(loaded: Loader, written: Writer) -> None:
    """Each file holds one site, a list, or `sites`; hidden files, other names and empty files count for nothing."""
    settings = loaded(
        written(
            "agency: {name: A}\nsites:\n",
            **{
                "sites/c.yaml": "sites: [{key: c, url: 'https://c.example/'}]",
                "sites/a.yaml": "key: a\nurl: https://a.example/",
                "sites/b.yml": "[{key: b1, url: 'https://b1.example/'}, {key: b2, url: 'https://b2.example/'}]",
                "sites/off.yaml": "# key: off\n# url: https://off.example/\n",
                "sites/.hidden.yaml": "nonsense",
                "sites/notes.txt": "nonsense",
            },
        )
    )
    assert [site.key for site in settings.sites] == ["a", "b1", "b2", "c"]


def test_load_missing_file_says_how_to_make_one(problems_of: Refuser, tmp_path: Path) -> None:
    """The first thing a newcomer meets is a command to run."""
    (problem,) = problems_of(tmp_path / "sentry.yaml")
    path = tmp_path / "sentry.yaml"
    assert str(problem) == f"{path}: there is no such file; create one with: online-sentry --config {path} init"


def test_load_folder_instead_of_file_says_so(problems_of: Refuser, tmp_path: Path) -> None:
    """A folder is no configuration, however tempting."""
    (problem,) = problems_of(tmp_path)
    assert problem.message.startswith("this is a folder, not a file; name the YAML file inside it")


def test_load_file_above_the_limit_is_refused(problems_of: Refuser, written: Writer) -> None:
    """No more than the limit is ever read."""
    (problem,) = problems_of(written("#" * (4 * 1024 * 1024 + 1)))
    assert problem.message == "the file is larger than 4096 KiB"


def test_load_unreadable_file_says_who_may_not(problems_of: Refuser, written: Writer) -> None:
    """A symbolic link to itself stands for any refusal of the system; permissions do not bind root."""
    path = written(TINY)
    loop = path.with_name("loop.yaml")
    loop.symlink_to(loop)
    (problem,) = problems_of(loop)
    assert problem.message.startswith("it cannot be read: ")


def test_load_plain_words_are_what_they_look_like(loaded: Loader, written: Writer) -> None:
    """`on`, `no`, `9:00`, phone numbers and dates are text where text is wanted; YAML 1.1 would change them."""
    settings = loaded(
        written("""
agency: {name: on}
clients: {es: {name: no, contacts: [0034600000000, 9:00, 2026-01-31, 1_000]}}
sites: [{key: a, url: 'https://a.example/', contract_start: 2026-01-31}]
""")
    )
    assert settings.agency.name == "on"
    assert settings.clients["es"].name == "no"
    assert settings.clients["es"].contacts == ("0034600000000", "9:00", "2026-01-31", "1_000")


def test_load_anchors_and_merges_are_written_out(loaded: Loader, written: Writer) -> None:
    """Own keys x-… are a place for anchors; a key written beside a merge wins."""
    settings = loaded(
        written("""
x-usual: &usual {timeout_s: 8, max_response_s: 3}
sites:
  - key: a
    url: https://a.example/
    checks: [{kind: http, <<: *usual}, {kind: http, name: slow, <<: *usual, timeout_s: 30}]
""")
    )
    assert [check.options.timeout_s for check in settings.checks()] == [8, 30]


def test_load_relative_paths_begin_at_the_folder_of_the_file(
    loaded: Loader, written: Writer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From wherever the agent is started, it finds the same store and the same files."""
    main = written(f"store: sqlite:///data/sentry.db\nprobe: {{ca_file: ca.pem}}\n{TINY}", **{"ca.pem": "PEM"})
    monkeypatch.chdir("/")
    settings = loaded(main)
    assert settings.store == f"sqlite:///{tmp_path}/data/sentry.db"
    assert settings.probe.ca_file == tmp_path / "ca.pem"


@pytest.mark.parametrize("store", ["sqlite:////var/lib/sentry.db", "postgresql://sentry@db.example/sentry"])
def test_load_absolute_store_is_left_alone(loaded: Loader, written: Writer, store: str) -> None:
    """Four slashes are absolute; a server has no folder."""
    assert loaded(written(f"store: {store}\n{TINY}")).store == store


def test_load_token_file_gives_token(loaded: Loader, written: Writer) -> None:
    """The token is read with the rest, so a bad one is known before the pages open."""
    settings = loaded(written(f"web: {{token_file: web.token}}\n{TINY}", **{"web.token": "0123456789abcdef\n"}))
    assert settings.web.token is not None
    assert settings.web.token.get_secret_value() == "0123456789abcdef"


@pytest.mark.parametrize("content", ["", "short", "two words that are long enough"])
def test_load_token_file_without_a_usable_token_is_refused(
    problems_of: Refuser, written: Writer, content: str
) -> None:
    """An empty token would let everybody in."""
    (problem,) = problems_of(written(f"web: {{token_file: web.token}}\n{TINY}", **{"web.token": content}))
    assert problem.path == "web.token_file"
    assert "one word of at least 16 characters" in problem.message


def test_load_without_routes_sends_everything_to_every_channel_but_spares(loaded: Loader, written: Writer) -> None:
    """Whoever configures a channel wants to be told; a channel that is another's fall-back waits for its turn."""
    settings = loaded(
        written(f"""
channels:
  chat: {{kind: webhook, url: 'https://chat.example/', fallback: mail}}
  mail: {{kind: email, to: [a@example.com], smtp: 'smtp://127.0.0.1:25'}}
{TINY}
""")
    )
    (route,) = settings.routes
    assert route.to == ("chat",)
    assert route.matches(severity=Severity.SEV4, client="x", plan="y", site="z")
    assert {warning.path for warning in settings.warnings} == {"probe.anchors"}


def test_load_twice_gives_equal_settings(loaded: Loader, written: Writer) -> None:
    """A reload of an unchanged file must not look like a change, secrets and all."""
    main = written(f"store: postgresql://u:${{PW}}@localhost/s\n{TINY}")
    assert loaded(main, PW="one-password") == loaded(main, PW="one-password")
    assert loaded(main, PW="one-password") != loaded(main, PW="another-password")


def test_settings_are_frozen(loaded: Loader, written: Writer) -> None:
    """Nobody changes what is configured behind the others' backs."""
    settings = loaded(written(TINY))
    with pytest.raises(ValueError, match="frozen"):
        settings.store = "sqlite:///other.db"  # type: ignore[misc]  # what the test forbids


def test_load_sites_that_cannot_be_read_are_named_with_the_rest(problems_of: Refuser, written: Writer) -> None:
    """A broken site file hides neither the others nor what is wrong with the main file."""
    main = written("agency: {title: A}\n", **{"sites/a.yaml": "key: a\nurl: nowhere\n"})
    main.parent.joinpath("sites", "b.yaml").mkdir()
    main.parent.joinpath("sites", "c.yaml").write_bytes(b"key: c\nname: \xe9\n")
    main.parent.joinpath("sites", "d.yaml").symlink_to("gone.yaml")
    assert [(Path(problem.file).name, problem.line) for problem in problems_of(main)] == [
        ("sentry.yaml", 1),
        ("a.yaml", 2),
        ("b.yaml", 0),
        ("c.yaml", 2),
        ("d.yaml", 0),
    ]


def test_load_file_named_sites_is_no_folder_of_sites(problems_of: Refuser, written: Writer) -> None:
    """A file in the folder's place is said, not passed over: its sites would be missed."""
    (problem,) = problems_of(written(TINY, sites="key: a"))
    assert problem.file.endswith("/sites")
    assert problem.message.startswith("the folder cannot be read")


def test_load_sites_that_are_no_list_are_named_once(problems_of: Refuser, written: Writer) -> None:
    """The folder adds nothing to what is no list."""
    (problem,) = problems_of(written("sites: none\n", **{"sites/a.yaml": "key: a\nurl: https://a.example/\n"}))
    assert problem.message.startswith("must be a list")
