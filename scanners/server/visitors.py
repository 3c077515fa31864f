"""Where a web server sends visitors, and which of them."""

import re
from ipaddress import ip_address

SEARCHERS = re.compile(
    r"google|bing\b|bingbot|msnbot|yahoo|slurp|yandex|baidu|duckduck|aol\b|ask\.com|altavista|excite|lycos|rambler",
    re.IGNORECASE,
)
VISITED_FROM = re.compile(SEARCHERS.pattern + r"|facebook|twitter|instagram|pinterest|linkedin", re.IGNORECASE)
PHONES = re.compile(
    r"android|iphone|ipad|blackberry|windows ce|symbian|opera mini|opera mobi|midp|mobile|nokia|palm", re.IGNORECASE
)
_ADDRESS = re.compile(r"^https?://([^/\s:?\"'#]+)", re.IGNORECASE)
_OWN_PHONE_SITE = re.compile(r"^(?:m|mobile|mobi|wap|touch|amp)\.", re.IGNORECASE)
_RENDERERS = re.compile(r"(?:^|\.)(?:prerender\.io|prerender\.cloud|rendertron[\w.-]*|seo4ajax\.com|rendora[\w.-]*)$")


def host_of(address: str) -> str:
    """Returns the host that an address leads to; empty where it is of this site, or reckoned from the request."""
    found = _ADDRESS.match(address)
    host = found[1].lower() if found is not None else ""
    local = not host or host[0] in "%$" or "localhost" in host or host.startswith("127.") or _RENDERERS.search(host)
    return "" if local else host.rpartition("@")[2]


def is_bare(host: str) -> bool:
    """Whether a host is a public address and no name."""
    try:
        return ip_address(host).is_global
    except ValueError:
        return False


def is_for_phones(host: str) -> bool:
    """Whether a host is called as sites call their own for phones."""
    return _OWN_PHONE_SITE.match(host) is not None


def sends(asked: str, pattern: str, target: str) -> str:
    """Returns the rule that fits where visitors whose header fits a pattern are sent to.

    Args:
        asked: what the condition asks of the request, e.g. `%{HTTP_REFERER}`.
        pattern: that it must fit; one that begins with `!` names those who are not meant.
        target: where they are sent.
    """
    what = asked.upper()
    if pattern.startswith("!"):
        return ""
    host = host_of(target)
    from_search = "REFERER" in what and VISITED_FROM.search(pattern)
    if from_search or ("USER_AGENT" in what and SEARCHERS.search(pattern)):
        if host:
            return "settings_send_searchers_away"
        script = re.search(r"([\w-]+)\.(?:php\d?|phtml|cgi|pl)\b", target)
        odd = script is not None and script[1].lower() not in {"index", "prerender", "maintenance"}
        return "settings_other_page_for_searchers" if odd and SEARCHERS.search(pattern) else ""
    if "USER_AGENT" in what and PHONES.search(pattern) and host and not is_for_phones(host):
        return "settings_send_phones_away"
    return ""
