"""The file that a newcomer starts from."""

import stat
from collections.abc import Callable
from pathlib import Path

import hypothesis
import hypothesis.strategies as st
import pytest

from sentry.domain.errors import ConfigurationError
from sentry.settings import Settings, starter, write_new

Loader = Callable[..., Settings]
Writer = Callable[..., Path]


def test_starter_loads_and_warns_of_missing_channels_only(loaded: Loader, written: Writer) -> None:
    """Two commands after the download, something is watched: the agent's own page."""
    settings = loaded(written(starter()))
    assert [(site.key, str(site.url)) for site in settings.sites] == [
        ("online-sentry", "http://127.0.0.1:9117/healthz")
    ]
    (warning,) = settings.warnings
    assert warning.message.startswith("no channel is configured")
    assert starter().splitlines()[warning.line - 1] == "channels:"


def test_starter_watches_given_addresses(loaded: Loader, written: Writer) -> None:
    """Addresses with and without a scheme; https ones get their certificate watched."""
    urls = ["https://www.shop.example/", "shop.example", "http://127.0.0.1:8080/x?a=b#c", "shop.example"]
    settings = loaded(written(starter(urls)))
    assert [(site.key, str(site.url), [check.kind for check in site.checks]) for site in settings.sites[1:]] == [
        ("shop-example", "https://www.shop.example/", ["http", "tls"]),
        ("shop-example-2", "https://shop.example/", ["http", "tls"]),
        ("127-0-0-1", "http://127.0.0.1:8080/x?a=b#c", ["http"]),
    ]
    assert len(settings.warnings) == 1


@pytest.mark.parametrize("host", ["false", "NULL", "2001-12-14", "yes"])
def test_starter_of_a_host_that_yaml_takes_for_something_else_loads(
    loaded: Loader, written: Writer, host: str
) -> None:
    """A host may be called what YAML takes for a truth, nothing or a day; its key is a text all the same."""
    assert [site.key for site in loaded(written(starter([host]))).sites[1:]] == [host.lower()]


def test_starter_follows_the_address_of_the_pages(loaded: Loader, written: Writer) -> None:
    """On another port the agent still finds its own page."""
    settings = loaded(written(starter(listen="[::1]:9200")))
    assert settings.web.address == ("::1", 9200)
    assert str(settings.sites[0].url) == "http://[::1]:9200/healthz"


def test_starter_explains_every_section(loaded: Loader, written: Writer) -> None:
    """Each section of the configuration that a newcomer may need stands in it, at least as a comment."""
    text = starter()
    rare = {"probe", "lookups", "audits", "tickets", "defaults", "hosts"}
    for section in Settings.model_fields.keys() - rare:
        assert f"\n{section}:" in text or f"\n# {section}:" in text, section


def test_starter_with_addresses_that_are_none_names_each(loaded: Loader) -> None:
    """All at once, as everywhere."""
    with pytest.raises(ConfigurationError) as refused:
        starter(["ftp://x.example", "https://user:hunter2@x.example/", "ok.example", "http://"])
    assert [problem.message.partition(";")[0] for problem in refused.value.problems] == [
        "this is no web address",
        "leave the user and password out",
        "this is no web address",
    ]
    assert "hunter2" not in str(refused.value)


@hypothesis.given(st.lists(st.text(max_size=60), max_size=4))
@hypothesis.example(["a.example/\n  - {key: x}"])
@hypothesis.example(['a.example/"}], store: x', "a.example/${HOME}", "https://ñandú.example/ñ", "a.example/$$"])
@hypothesis.settings(max_examples=60, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])
def test_starter_of_any_text_is_refused_or_loads(loaded: Loader, tmp_path: Path, texts: list[str]) -> None:
    """No argument can break out of its place in the file."""
    try:
        text = starter(texts)
    except ConfigurationError:
        return
    path = tmp_path / "sentry.yaml"
    path.write_text(text)
    settings = loaded(path)
    assert 1 <= len(settings.sites) <= len(texts) + 1
    assert settings.store == f"sqlite:///{tmp_path}/sentry.db"


def test_write_new_makes_a_file_for_its_owner_only(tmp_path: Path) -> None:
    """A configuration may come to hold what others must not read."""
    path = tmp_path / "sentry.yaml"
    write_new(path, "sites: []\n")
    assert path.read_text() == "sites: []\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_write_new_never_touches_what_exists(tmp_path: Path) -> None:
    """Neither a file nor the target of a link is written over."""
    path, link = tmp_path / "sentry.yaml", tmp_path / "link.yaml"
    path.write_text("mine")
    link.symlink_to(tmp_path / "elsewhere.yaml")
    for taken in (path, link):
        with pytest.raises(ConfigurationError, match="exists already and is left as it is"):
            write_new(taken, "yours")
    assert path.read_text() == "mine"
    assert not (tmp_path / "elsewhere.yaml").exists()


def test_write_new_in_a_missing_folder_says_how_to_make_it(tmp_path: Path) -> None:
    """The cure is a command."""
    with pytest.raises(ConfigurationError, match=f"mkdir -p {tmp_path}/etc"):
        write_new(tmp_path / "etc" / "sentry.yaml", "x")
