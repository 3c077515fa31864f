"""What the headers and cookies of a page let out, and what they leave open."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from scanners.engine import shown
from scanners.exposure.telling import told
from scanners.web.answer import Answer
from sentry.domain.finding import Finding

LEAST_HSTS_S = 180 * 86_400
"""Below half a year browsers forget it between two visits of many people."""

SHOWN = 120
_MAX_AGE = re.compile(r"max-age\s*=\s*\"?([0-9]{1,12})", re.IGNORECASE)
_FRAMES = re.compile(r"(?:^|;)\s*frame-ancestors\s", re.IGNORECASE)
_VERSIONED = re.compile(r"/[0-9]+(?:\.[0-9]+)+|PHP/[0-9]|\([A-Z][a-z]+\)")
_GENERATOR = re.compile(
    rb"<meta[^>]{1,40}generator[^>]{1,40}content=[\"']([^\"'<>]{1,60}[0-9][^\"'<>]{0,20})", re.IGNORECASE
)
_SESSION = re.compile(r"sess|sid\b|auth|token|logged_in|login", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Expectation:
    """A header that a page should have.

    Attributes:
        is_met: whether an answer does.
        tls_only: whether it means anything without TLS.
    """

    rule: str
    meaning: str
    is_met: Callable[[Answer], bool]
    tls_only: bool = False


def _lasting_hsts(answer: Answer) -> bool:
    found = _MAX_AGE.search(answer.header("strict-transport-security"))
    return found is not None and int(found.group(1)) >= LEAST_HSTS_S


EXPECTED: Sequence[Expectation] = (
    Expectation(
        "no_lasting_hsts",
        "browsers are not told to come by TLS only, for half a year at least (Strict-Transport-Security)",
        _lasting_hsts,
        tls_only=True,
    ),
    Expectation(
        "no_content_security_policy",
        "pages do not say where their scripts may come from (Content-Security-Policy)",
        lambda answer: bool(answer.header("content-security-policy")),
    ),
    Expectation(
        "content_type_guessed",
        "browsers may take a file for a script that it was not meant to be (X-Content-Type-Options: nosniff)",
        lambda answer: answer.header("x-content-type-options").strip().lower() == "nosniff",
    ),
    Expectation(
        "may_be_framed",
        "foreign pages may show this one in a frame and have it clicked (frame-ancestors, or X-Frame-Options)",
        lambda answer: (
            bool(answer.header("x-frame-options"))
            or _FRAMES.search(answer.header("content-security-policy")) is not None
        ),
    ),
    Expectation(
        "no_referrer_policy",
        "other sites are told which page a visitor came from (Referrer-Policy)",
        lambda answer: bool(answer.header("referrer-policy")),
    ),
    Expectation(
        "no_permissions_policy",
        "foreign content may ask for camera, place and the like (Permissions-Policy)",
        lambda answer: bool(answer.header("permissions-policy") or answer.header("feature-policy")),
    ),
)
LEAKING = ("server", "x-powered-by", "x-aspnet-version", "x-aspnetmvc-version", "x-generator")


def judged(answer: Answer, root: str) -> Iterator[Finding]:
    """Yields what a page's headers and cookies are told of.

    Args:
        answer: the home page.
        root: the site's address; findings are known by it.
    """
    is_tls = answer.url.startswith("https:")
    for one in EXPECTED:
        if (is_tls or not one.tls_only) and not one.is_met(answer):
            yield told(root, one.rule, one.meaning)
    for name in LEAKING:
        value = answer.header(name)
        if _VERSIONED.search(value) or (value and name != "server"):
            meaning = f"the header {name} tells what the server runs, and its version: leave it out"
            yield told(root, f"version_in_{name.replace('-', '_')}", meaning, shown(value.encode()[:SHOWN]))
    if generator := _GENERATOR.search(answer.body):
        meaning = "the page tells which version of the CMS made it: leave the generator out"
        yield told(root, "version_in_page", meaning, shown(generator.group(1)))
    yield from _cookies(answer, root, is_tls=is_tls)


def _cookies(answer: Answer, root: str, *, is_tls: bool) -> Iterator[Finding]:
    missing: dict[str, list[str]] = {}
    for cookie in answer.every("set-cookie"):
        pair, *attributes = cookie.split(";")
        name = shown(pair.partition("=")[0].strip().encode()[:60])
        has = {attribute.partition("=")[0].strip().lower() for attribute in attributes}
        if is_tls and "secure" not in has:
            missing.setdefault("cookie_without_secure", []).append(name)
        if "httponly" not in has and _SESSION.search(name):
            missing.setdefault("cookie_without_httponly", []).append(name)
        if "samesite" not in has:
            missing.setdefault("cookie_without_samesite", []).append(name)
    for rule, names in missing.items():
        yield told(root, rule, COOKIES[rule], ", ".join(sorted(names)[:5]))


COOKIES = {
    "cookie_without_secure": "a cookie also goes over connections without TLS (Secure)",
    "cookie_without_httponly": "scripts can read the cookie of a session (HttpOnly)",
    "cookie_without_samesite": "a cookie goes along with requests that foreign pages make (SameSite)",
}
