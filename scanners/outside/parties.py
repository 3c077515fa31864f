"""Whose a host is: the site's own, a known helper's, or a stranger's."""

from scanners.database.known_hosts import is_known

SECOND_LEVEL = frozenset({"ac", "co", "com", "edu", "gob", "gov", "ne", "net", "nom", "or", "org"})
"""Labels under which countries hand names out: `acme.co.uk` is one party, `co.uk` is not."""

LINKED_TO = frozenset({"ampproject.org", "gravatar.com", "t.me", "wa.me"})
"""Beside those that are known everywhere."""


def party(host: str) -> str:
    """Returns the name under which a host was registered, as far as that can be told without a list."""
    labels = host.lower().rstrip(".").split(".")
    if labels[-1].isdecimal():  # an address, and no name
        return host
    count = 3 if len(labels) > 2 and labels[-2] in SECOND_LEVEL and len(labels[-1]) == 2 else 2  # noqa: PLR2004  # labels
    return ".".join(labels[-count:])


def is_foreign(host: str, own: str) -> bool:
    """Whether a host is neither the site's nor one of its sisters."""
    return party(host) != party(own)


def is_helper(host: str) -> bool:
    """Whether a host is one of those that many honest sites bring in, or lead to, also for some visitors only.

    Malware hides behind some of them too, but not by being shown to some.
    """
    return is_known(host, LINKED_TO)
