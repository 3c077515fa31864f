"""Who may log in by a key."""

import base64
import binascii
import hashlib
from collections.abc import Iterator, Sequence

from scanners.account.commands import rule_of
from scanners.account.rules import of_account
from scanners.engine import shown
from sentry.domain.finding import Finding

MOST_KEYS = 200
KINDS = (b"ssh-", b"ecdsa-", b"sk-")


def judged(content: bytes, where: str, known: Sequence[str]) -> Iterator[Finding]:
    """Yields the keys that are not known, and what they may start.

    Args:
        content: of a file `authorized_keys`, written by a stranger.
        where: its path, to be shown.
        known: fingerprints (`SHA256:…`) or comments of keys that are; empty where nobody has said.
    """
    for number, line in enumerate(content.splitlines()[:MOST_KEYS], 1):
        if not line.strip() or line.lstrip().startswith(b"#"):
            continue
        fingerprint, comment = fingerprint_of(line)
        command = rule_of(line.partition(b'command="')[2].partition(b'"')[0])
        if command:
            yield of_account(command, where, number, line, fingerprint)
        if fingerprint and fingerprint not in known:
            yield of_account("unknown_key" if known else "key", where, number, comment or b"no comment", fingerprint)


def fingerprint_of(line: bytes) -> tuple[str, bytes]:
    """Returns a key's fingerprint as `ssh-keygen -l` shows it, and its comment; empty where it is no key."""
    words = line.split()
    place = next((place for place, word in enumerate(words) if word.startswith(KINDS)), None)
    if place is None or place + 1 >= len(words):
        return "", b""
    try:
        blob = base64.b64decode(words[place + 1], validate=True)
    except (binascii.Error, ValueError):
        return "", b""
    digest = base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
    return f"SHA256:{digest}", shown(b" ".join(words[place + 2 :])).encode()
