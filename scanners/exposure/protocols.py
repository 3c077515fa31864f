"""Whether a site comes by TLS, and which protocols and ciphers it still takes."""

import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

from scanners.exposure.telling import told
from scanners.web.answer import NoAnswer, Visitor, Web
from sentry.domain.finding import Finding, FindingClass

EVERY_CIPHER = "ALL:COMPLEMENTOFALL"


@dataclass(frozen=True, slots=True)
class Trial:
    """One kind of handshake that a site should refuse.

    Attributes:
        highest: the highest version offered; ciphers: those offered.
    """

    rule: str
    meaning: str
    highest: ssl.TLSVersion
    ciphers: str = EVERY_CIPHER
    verdict: FindingClass = FindingClass.ADVICE


TRIALS: Sequence[Trial] = (
    Trial("tls_1_0_taken", "TLS 1.0 is still taken (RFC 8996 forbids it): switch it off", ssl.TLSVersion.TLSv1),
    Trial("tls_1_1_taken", "TLS 1.1 is still taken (RFC 8996 forbids it): switch it off", ssl.TLSVersion.TLSv1_1),
    Trial(
        "tls_without_secrecy",
        "a cipher is taken that hides nothing, or lets anybody pretend to be the site: switch it off",
        ssl.TLSVersion.TLSv1_2,
        "eNULL:aNULL",
        FindingClass.EXPOSED,
    ),
    Trial(
        "tls_weak_cipher", "a broken cipher is taken: switch it off", ssl.TLSVersion.TLSv1_2, "RC4:3DES:DES:IDEA:SEED"
    ),
)
ACCEPTED = {"tls_1_0_taken": "TLSv1 ", "tls_1_1_taken": "TLSv1.1 "}
"""What the handshake must have come to: a lower version than the highest offered is another trial's."""


def judged(web: Web, visitor: Visitor, root: str) -> Iterator[Finding | NoAnswer]:
    """Yields what the protocols are told of, and what could not be tried.

    Args:
        web: the site.
        visitor: as whom it is asked.
        root: the site's address; findings are known by it.
    """
    parts = urlsplit(web.origin)
    if parts.scheme != "https":
        yield told(root, "no_tls", "the site comes without TLS: whoever sits between reads and changes it")
        return
    for trial in TRIALS:
        try:
            agreed = web.handshake(trial.highest, trial.ciphers)
        except NoAnswer as error:
            yield error
            continue
        if agreed is not None and f"{agreed} ".startswith(ACCEPTED.get(trial.rule, "")):
            yield told(root, trial.rule, trial.meaning, agreed, trial.verdict)
    if parts.port in {None, 443}:
        yield from _without_tls(web, visitor, root, parts.hostname or "")


def _without_tls(web: Web, visitor: Visitor, root: str, host: str) -> Iterator[Finding]:
    try:
        answer = web.get(f"http://{host}/", visitor, follow=False)
    except NoAnswer:
        return  # nobody listens there, and nothing comes without TLS
    if HTTPStatus.MULTIPLE_CHOICES <= answer.status < HTTPStatus.BAD_REQUEST:
        answer_is_safe = answer.leaves_to.startswith("https:")
    else:
        answer_is_safe = not answer.is_good
    if not answer_is_safe:
        yield told(root, "http_not_redirected", "http:// is not redirected to https://", f"answered {answer.status}")
