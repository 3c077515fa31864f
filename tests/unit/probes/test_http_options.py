import pytest
from pydantic import ValidationError

from probes import KINDS
from probes.http import HttpProbe
from probes.http_options import HttpOptions
from probes.http_status import accepts, ranges_text, status_range
from probes.tls import TlsOptions, TlsProbe


def message(**options: object) -> str:
    """What a user is told of options that cannot be used."""
    with pytest.raises(ValidationError) as caught:
        HttpOptions.model_validate({"kind": "http", **options})
    return "; ".join(str(error["msg"]) for error in caught.value.errors())


def test_kinds_http_and_tls_are_known_by_their_names() -> None:
    """The names of the configuration lead to the classes."""
    assert KINDS["http"] is HttpProbe
    assert KINDS["tls"] is TlsProbe
    assert HttpProbe.Options is HttpOptions


def test_http_options_one_text_or_many_become_a_tuple() -> None:
    """A single text needs no list."""
    one = HttpOptions.model_validate({"expect_text": "Carrito", "accepted_status": 204})
    many = HttpOptions.model_validate({"expect_text": ["Carrito", "Pagar"], "accepted_status": ["2xx", "301", 302]})
    assert (one.expect_text, one.accepted_status) == (("Carrito",), (204,))
    assert (many.expect_text, many.accepted_status) == (("Carrito", "Pagar"), ("2xx", "301", 302))


@pytest.mark.parametrize("options", [HttpOptions, TlsOptions])
def test_options_every_key_has_a_description_in_the_schema(options: type[HttpOptions] | type[TlsOptions]) -> None:
    """Editors and docs show what each key means."""
    properties = options.model_json_schema()["properties"]
    own = set(options.model_fields) - {"kind"}
    assert [name for name in own if not properties[name].get("description")] == []


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"accepted_status": "200-"}, "'200-' is no status; write one like 200, a range like 200-299, or a class"),
        ({"accepted_status": [299, "299-200"]}, "'299-200' runs backwards; write 200-299"),
        ({"accepted_status": 700}, "'700' is no status"),
        ({"allow_pages": "nginx_defalt"}, "'nginx_defalt' is no page that is known; did you mean 'nginx_default'?"),
        ({"expect_regex": "(["}, "'([' is no regular expression: "),
        ({"expect_json": {"status": 1}}, "'status' is no JSON path; it begins with $, e.g. $.status.items[0].ok"),
        ({"expect_json": {"$.items[*]": 1}}, "'$.items[*]' is no JSON path: at '[*]' write .name, [0] or [\"name\"]"),
        ({"url": "ftp://files.test/"}, "'ftp://files.test/' is no web address; write http://…, https://… or a path"),
        ({"url": "/my page"}, "an address has no spaces; write them as %20"),
        (
            {"url": "http://host:99999/"},
            "the address cannot be used: Input should be a valid URL, invalid port number",
        ),
        ({"headers": {"X Y": "1"}}, "'X Y' is no header name; letters, digits and '-' only"),
        ({"headers": {"Host": "a"}}, "'Host' cannot be set here: write it as host_header"),
        ({"headers": {"X-A": "a\r\nEvil: 1"}}, "a header value is one line; take the line breaks out"),
        ({"bearer_token": "a\nEvil: 1"}, "a header value is one line; take the line breaks out"),
        ({"body": "a"}, "a GET request has no body; set method to POST, or take body out"),
        ({"method": "POST", "body": "a", "body_json": 1}, "body and body_json exclude each other; keep one"),
        ({"username": "ana"}, "username and password belong together; write both or none"),
        (
            {"bearer_token": "t", "headers": {"authorization": "x"}},
            "username, bearer_token and an Authorization header exclude each other; keep one",
        ),
        (
            {"max_response_s": 12},
            "max_response_s (12) must be below timeout_s (10): a slower answer is already a failure",
        ),
        ({"client_key_file": "key.pem"}, "client_key_file needs client_cert_file; write both"),
        ({"method": "HEAD", "expect_text": "a"}, "a HEAD answer has no body to look into; use GET, or take the body"),
        (
            {"proxy": "http://p.test:3128", "headers": {"proxy-authorization": "x"}},
            "the site would see a Proxy-Authorization header; take it out and write user and password into proxy",
        ),
        ({"expect_txt": "a"}, "Extra inputs are not permitted"),
    ],
)
def test_http_options_mistake_is_told_with_its_remedy(options: dict[str, object], told: str) -> None:
    """Each mistake says what is wrong and what to write instead."""
    assert told in message(**options)


def test_http_options_secrets_show_nowhere() -> None:
    """Neither repr nor a dump nor an error shows what is secret."""
    options = HttpOptions.model_validate(
        {
            "method": "POST",
            "body_form": {"pass": "form-secret"},
            "username": "ana",
            "password": "pass-secret",
            "headers": {"X-Api-Key": "key-secret"},
        }
    )
    shown = repr(options) + options.model_dump_json() + message(password="pass-secret")
    assert "secret" not in shown.replace("client_secret", "")


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("socks5://ana:secret@p.test:1080", "a proxy is spoken to over plain http; write it like http://proxy.exam"),
        (
            "https://ana:secret@p.test:3128",
            "a proxy is spoken to over plain http; write it like http://proxy.example",
        ),
        ("ana:secret@p.test:3128", "a proxy is spoken to over plain http; write it like http://proxy.example:3128"),
        ("http://ana:secret@p.test", "a proxy's address names its port; write it like http://proxy.example:3128"),
        ("http://ana:secret@p.test:99999", "the proxy's address cannot be used: "),
        ("http://ana:secret@[p.test:3128", "the proxy's address cannot be used: "),
        ("http://ana:secret@:3128", "the proxy's address cannot be used: "),
        ("http://ana:secret@p.test:3128/path", "a proxy's address ends after its port; take the path out"),
        ("http://ana:secret@p.test:3128/?secret", "a proxy's address ends after its port; take the path out"),
    ],
)
def test_http_options_proxy_that_cannot_be_used_is_told_without_its_password(written: str, told: str) -> None:
    """Each mistake has its remedy, and nothing of the address is repeated."""
    said = message(proxy=written)
    assert told in said
    assert "secret" not in said


@pytest.mark.parametrize(
    ("written", "shown", "authorization"),
    [
        ("http://proxy.test:3128", "proxy.test:3128", None),
        ("HTTP://proxy.test:80/", "proxy.test:80", None),
        ("http://[::1]:3128", "[::1]:3128", None),
        ("http://pröxy.test:3128", "xn--prxy-6qa.test:3128", None),
        # RFC 7617's own example, its space percent-encoded.
        ("http://Aladdin:open%20sesame@proxy.test:3128", "proxy.test:3128", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
        ("http://token@proxy.test:3128", "proxy.test:3128", "Basic dG9rZW46"),
    ],
)
def test_http_options_proxy_is_taken_apart_and_shows_its_host_only(
    written: str, shown: str, authorization: str | None
) -> None:
    """User and password become the header; whatever shows the options or the address has neither."""
    options = HttpOptions.model_validate({"proxy": written})
    assert options.through is not None
    assert (str(options.through), options.through.authorization) == (shown, authorization)
    kept = repr(options) + options.model_dump_json() + repr(options.through)
    assert not any(secret in kept for secret in ("sesame", "token@", "QWxh", "dG9r"))


def test_http_options_changed_secret_makes_them_unequal() -> None:
    """A reload sees a new password."""
    old = HttpOptions.model_validate({"username": "ana", "password": "old"})
    assert old == HttpOptions.model_validate({"username": "ana", "password": "old"})
    assert old != HttpOptions.model_validate({"username": "ana", "password": "new"})


def test_status_ranges_are_read_and_shown() -> None:
    """Codes, ranges and classes are accepted as written."""
    written: list[str | int] = [200, "204", "300-302", "4XX"]
    ranges = tuple(map(status_range, written))
    assert ranges == ((200, 200), (204, 204), (300, 302), (400, 499))
    assert [status for status in (199, 200, 201, 302, 303, 499, 500) if accepts(ranges, status)] == [200, 302, 499]
    assert ranges_text(ranges) == "200, 204, 300-302, 400-499"
