"""As whom an audit looks at a site."""

from scanners.web.answer import Visitor

SIGNED = "online-sentry-audit"
"""Stands at the end of every borrowed name too, so that whoever reads the site's log sees who it was."""

_BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36"
_TELEPHONE = (
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Mobile "
    "Safari/537.36"
)
_BOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


def plain(user_agent: str) -> Visitor:
    """Returns the audit under its own name."""
    return Visitor("the audit", {"User-Agent": user_agent})


def _as(name: str, key: str, user_agent: str, **headers: str) -> Visitor:
    said = {"User-Agent": f"{user_agent} {SIGNED}", "Accept": "text/html,*/*;q=0.8", "Accept-Language": "en"}
    return Visitor(name, said | headers, key)


PERSON = _as("a visitor", "visitor", _BROWSER)
SEARCH_BOT = _as("a search bot", "search_bot", _BOT)
TELEPHONE = _as("a telephone", "telephone", _TELEPHONE)
FROM_SEARCH = _as("a visitor from a search engine", "from_search", _BROWSER, Referer="https://www.google.com/")
OTHERS = (SEARCH_BOT, TELEPHONE, FROM_SEARCH)
"""Those whom malware likes to show something else."""
