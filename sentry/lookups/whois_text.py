"""WHOIS answers (RFC 3912): text for people, in as many forms as there are registries, read as far as it can be."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

MAX_LINES = 2_000
MAX_LINE_CHARS = 500

LABELS = frozenset(
    {
        "registry expiry date",
        "registrar registration expiration date",
        "domain expiration date",
        "domain name expiration date",
        "expiration date",
        "expiration time",
        "expiration",
        "expiry date",
        "expiry",
        "expire date",
        "expire-date",
        "expire",
        "expires",
        "expires on",
        "expires at",
        "expired",
        "domain expires",
        "paid-till",
        "paid until",
        "renewal date",
        "renewal",
        "valid until",
        "validity",
        "valid-date",
        "free-date",
        "status expires",
        "record expires on",
        "domain_dateto",
        "data de expiração",
        "data de validade",
        "fecha de expiración",
        "fecha de vencimiento",
        "date d'expiration",
    }
)
"""What registries call the end of a registration, in small letters."""

FORMATS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), form)
    for pattern, form in (
        (r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}", "%Y-%m-%d %H:%M:%S"),
        (r"\d{4}-\d{2}-\d{2}", "%Y-%m-%d"),
        (r"\d{4}/\d{2}/\d{2}", "%Y/%m/%d"),
        (r"\d{4}\.\s?\d{2}\.\s?\d{2}", "%Y.%m.%d"),
        (r"\d{2}\.\d{2}\.\d{4}", "%d.%m.%Y"),
        (r"\d{2}/\d{2}/\d{4}", "%d/%m/%Y"),
        (r"\d{2}-\d{2}-\d{4}", "%d-%m-%Y"),
        (r"\d{1,2}-[a-z]{3}-\d{4}", "%d-%b-%Y"),
        (r"\d{1,2} [a-z]{3} \d{4}", "%d %b %Y"),
        (r"\d{1,2} [a-z]{4,9} \d{4}", "%d %B %Y"),
        (r"[a-z]{3} \d{1,2},? \d{4}", "%b %d %Y"),
        (r"[a-z]{4,9} \d{1,2},? \d{4}", "%B %d %Y"),
        (r"\b\d{8}\b", "%Y%m%d"),
    )
)
"""How registries write a date; the first that is found in a line counts. Where day and month are figures between
slashes, the day is first: registries of North America write years first."""

UNKNOWN = (
    "no match",
    "not found",
    "no entries found",
    "no data found",
    "no object found",
    "nothing found",
    "does not exist",
    "is available",
    "is free",
    "status: free",
    "status: available",
    "not registered",
)
"""What registries say of a name that nobody has."""


def expires_at(text: str) -> datetime | None:
    """Returns when a registration ends, None where the text does not say, or says it in a way unknown here."""
    for label, value in _lines(text):
        if label in LABELS:
            found = _instant(value)
            if found is not None:
                return found
    return None


def is_unknown(text: str) -> bool:
    """Whether a registry says that nobody has the name."""
    lines = (line.strip().lower() for line in text.splitlines()[:MAX_LINES])
    return any(word in line for line in lines if not line.startswith("#") for word in UNKNOWN)


def referral(text: str) -> str | None:
    """Returns the server that IANA, or a registry, says knows more; None where there is none."""
    for label, value in _lines(text):
        if label in {"refer", "whois", "registrar whois server", "whois server"} and value:
            return value.lower().removeprefix("whois://").rstrip("/")
    return None


def _lines(text: str) -> Iterator[tuple[str, str]]:
    """Yields label and value of `label: value`, `[label] value` and `label......: value`."""
    for line in text.splitlines()[:MAX_LINES]:
        label, colon, value = line[:MAX_LINE_CHARS].strip().lstrip("[").partition("]" if "]" in line[:60] else ":")
        if colon:
            yield label.strip(" .\t").lower(), value.strip()


def _instant(value: str) -> datetime | None:
    for pattern, form in FORMATS:
        match = pattern.search(value)
        if match is None:
            continue
        written = " ".join(match.group().replace("T", " ", form.count("H")).replace(",", " ").split())
        if "." in form:
            written = written.replace(" ", "")
        try:
            return datetime.strptime(written.title() if "%b" in form.lower() else written, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    return None
