"""What differs between two probes of a check: the first thing that on-call staff ask is what has changed."""

from collections.abc import Callable, Iterator, Sequence

from sentry.domain.failure_report import RecentChange
from sentry.domain.result import Certificate, Evidence, HttpEvidence, ProbeResult

MAX_PART_CHARACTERS = 120
"""Longest old or new value in a line; both come from the watched site."""

MAX_ADDRESSES = 8
"""Most addresses named on each side of a line."""


_SERVER_CHARS = len("server")


def changes_between(previous: ProbeResult, current: ProbeResult) -> tuple[RecentChange, ...]:
    """Returns what changed from one probe to a later one of the same check.

    Only what both of them saw is compared: a probe that failed early says nothing of what it did not reach.

    Args:
        previous: the older result.
        current: the newer one, whose start is the time of the changes.
    """
    if _are_alike(previous.evidence, current.evidence):
        return ()
    return tuple(
        RecentChange(current.started_at, kind, text)
        for kind, compare in COMPARISONS.items()
        for text in compare(previous.evidence, current.evidence)
    )


def _are_alike(old: Evidence, new: Evidence) -> bool:
    """Whether no comparison can find anything: so it is from nearly every minute to the next."""
    if old.addresses != new.addresses and set(old.addresses) != set(new.addresses):
        return False
    before, after = old.tls, new.tls
    if before is not after and before is not None and after is not None:
        same_leaf = before.chain[:1] == after.chain[:1] or not before.chain or not after.chain
        if before.version != after.version or not same_leaf:
            return False
    return old.http is None or new.http is None or _answers_alike(old.http, new.http)


def _answers_alike(old: HttpEvidence, new: HttpEvidence) -> bool:
    return old.status == new.status and _redirects(old) == _redirects(new) and _server(old) == _server(new)


def _addresses(old: Evidence, new: Evidence) -> Iterator[str]:
    """Tells a move, an address added and one removed from a pool that answers with other members each time.

    Big providers answer with a few addresses of many, so two answers overlap and neither holds the other.
    """
    before, after = set(old.addresses), set(new.addresses)
    if not before or not after or before == after:
        return
    if before < after or after < before or before.isdisjoint(after):
        yield f"addresses: {_some(old.addresses)} → {_some(new.addresses)}"


def _certificate(old: Evidence, new: Evidence) -> Iterator[str]:
    before, after = _leaf(old), _leaf(new)
    if before is None or after is None or before.fingerprint_sha256 == after.fingerprint_sha256:
        return
    yield f"certificate: {_certificate_text(before)} → {_certificate_text(after)}"


def _tls_version(old: Evidence, new: Evidence) -> Iterator[str]:
    before, after = old.tls and old.tls.version, new.tls and new.tls.version
    if before and after and before != after:
        yield f"TLS version: {_clean(before)} → {_clean(after)}"


def _http(name: str, value: Callable[[HttpEvidence], str]) -> Callable[[Evidence, Evidence], Iterator[str]]:
    def compare(old: Evidence, new: Evidence) -> Iterator[str]:
        if old.http is None or new.http is None:
            return
        before, after = value(old.http), value(new.http)
        if before != after:
            yield f"{name}: {_clean(before) or 'none'} → {_clean(after) or 'none'}"

    return compare


def _redirects(http: HttpEvidence) -> str:
    return ", ".join([hop.location for hop in http.hops if hop.location])


def _server(http: HttpEvidence) -> str:
    return ", ".join(
        [value for name, value in http.headers if len(name) == _SERVER_CHARS and name.lower() == "server"]
    )


COMPARISONS: dict[str, Callable[[Evidence, Evidence], Iterator[str]]] = {
    "addresses": _addresses,
    "certificate": _certificate,
    "tls_version": _tls_version,
    "http_status": _http("HTTP status", lambda http: str(http.status)),
    "redirect": _http("redirect target", _redirects),
    "server_header": _http("Server header", _server),
}
"""The kinds of change, in the order in which a probe meets them."""


def _leaf(evidence: Evidence) -> Certificate | None:
    return evidence.tls.chain[0] if evidence.tls is not None and evidence.tls.chain else None


def _certificate_text(certificate: Certificate) -> str:
    issuer, until = _clean(certificate.issuer), certificate.not_after.date().isoformat()
    return f"sha256 {certificate.fingerprint_sha256[:16]} by {issuer} until {until}"


def _some(addresses: Sequence[str]) -> str:
    shown = sorted(set(addresses))
    more = f" and {len(shown) - MAX_ADDRESSES} more" if len(shown) > MAX_ADDRESSES else ""
    return ", ".join(_clean(address) for address in shown[:MAX_ADDRESSES]) + more


def _clean(text: str) -> str:
    """Makes a site's text safe for a line: no control characters, no unbounded length."""
    printable = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text[:1000])
    if len(printable) <= MAX_PART_CHARACTERS:
        return printable
    return printable[: MAX_PART_CHARACTERS - 1] + "…"
