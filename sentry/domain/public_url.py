"""Addresses as they may be shown to anyone: without the name and password that stand in some of them."""

import re

_CREDENTIALS = re.compile(r"^([a-zA-Z][a-zA-Z0-9+.-]*://)[^/?#]*@")


def public_url(url: str) -> str:
    """Returns the address without credentials: `https://user:secret@host/` → `https://host/`."""
    return _CREDENTIALS.sub(r"\1", url)
