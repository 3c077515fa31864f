"""Ten thousand sites that are watched alike are kept alike: once; what differs, or is secret, stays apart."""

from collections.abc import Callable
from pathlib import Path

import pytest

from sentry.domain.errors import Problem
from sentry.settings import Settings

Loader = Callable[..., Settings]
Writer = Callable[..., Path]
Refuser = Callable[..., tuple[Problem, ...]]


def config(*checks: str) -> str:
    """A configuration with one site for each check."""
    sites = (f"  - {{key: s{at}, url: 'https://s{at}.example/', checks: [{one}]}}" for at, one in enumerate(checks))
    return "\n".join(["sites:", *sites]) + "\n"


def test_load_equal_checks_are_one_object(loaded: Loader, written: Writer) -> None:
    """Also where a default check is filled in; the sites share what they say of their keys too."""
    same = "{kind: http, max_response_s: 5}"
    settings = loaded(written(config(same, same) + "  - {key: x, url: 'http://x.example/'}\n"))
    first, second, third = (site.checks[0] for site in settings.sites)
    assert first is second is third
    one, other, _ = settings.sites
    assert one.model_fields_set is other.model_fields_set
    assert one.model_fields_set >= {"key", "url", "checks"}
    assert [check.options for check in settings.checks()] == [first] * 3


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("{kind: http}", "{kind: tls}"),
        ("{kind: http, expect_text: ['1']}", "{kind: http, expect_text: ['2']}"),
        ("{kind: http, method: POST, body_json: {a: 1}}", "{kind: http, method: POST, body_json: {a: true}}"),
        ("{kind: http, method: POST, body_json: {a: 1}}", "{kind: http, method: POST, body_json: {a: 1.0}}"),
        ("{kind: http, method: POST, body_json: {a: 1}}", "{kind: http, method: POST, body_json: {a: '1'}}"),
    ],
)
def test_load_checks_that_differ_stay_apart(loaded: Loader, written: Writer, one: str, other: str) -> None:
    """Also where Python calls the values equal, as it does with 1, 1.0 and true."""
    first, second = (site.checks[0] for site in loaded(written(config(one, other))).sites)
    assert first is not second
    assert repr(first.model_dump()) != repr(second.model_dump())


def test_load_checks_with_a_secret_are_hidden_in_each_place(loaded: Loader, written: Writer) -> None:
    """The same text written out is no secret, and is not hidden with it."""
    secret, plain = "{kind: http, expect_text: ['${S}']}", "{kind: http, expect_text: [plain-words]}"
    settings = loaded(written(config(secret, plain, secret)), S="plain-words")
    shown = [str(settings.shown()["sites"][at]["checks"][0]) for at in range(3)]
    assert ["plain-words" in text for text in shown] == [False, True, False]
    assert ["plain-words" in repr(site.checks[0]) for site in settings.sites] == [False, True, False]


def test_load_equal_checks_with_a_fault_are_named_in_each_place(problems_of: Refuser, written: Writer) -> None:
    """Whoever mends one must see the other."""
    found = problems_of(written(config("{kind: http, timeout_s: -1}", "{kind: tls}", "{kind: http, timeout_s: -1}")))
    assert [(problem.line, problem.path) for problem in found] == [
        (2, "sites[0].checks[0].timeout_s"),
        (4, "sites[2].checks[0].timeout_s"),
    ]


def test_load_equal_checks_that_name_a_missing_file_are_named_in_each_place(
    problems_of: Refuser, written: Writer
) -> None:
    """As above, for what is only seen once the file is looked for."""
    check = "{kind: http, client_cert_file: none.pem}"
    found = problems_of(written(config(check, check)))
    assert [problem.path for problem in found] == [
        "sites[0].checks[0].client_cert_file",
        "sites[1].checks[0].client_cert_file",
    ]


def test_load_equal_checks_with_a_file_all_get_its_path(loaded: Loader, written: Writer) -> None:
    """Relative paths begin at the folder of the main file, in every place."""
    check = "{kind: http, client_cert_file: ca.pem}"
    path = written(config(check, check), **{"ca.pem": ""})
    found = {getattr(site.checks[0], "client_cert_file") for site in loaded(path).sites}  # noqa: B009  # of that kind alone
    assert found == {path.parent / "ca.pem"}
