"""Whether strangers can list the names by which people log in."""

import json
import re
from collections.abc import Iterator

from scanners.engine import shown
from scanners.exposure.telling import told
from scanners.web.answer import Answer, Visitor, Web
from sentry.domain.finding import Finding

_AUTHOR = re.compile(r"/author/([^/?#]{1,60})/?(?:[?#]|$)")
_WORDPRESS = re.compile(rb"/wp-(?:content|includes)/|wp-json")


def is_wordpress(home: Answer) -> bool:
    """Whether a home page comes from WordPress."""
    return _WORDPRESS.search(home.body) is not None or "wp-json" in home.header("link")


def judged(web: Web, visitor: Visitor, root: str) -> Iterator[Finding]:
    """Yields the ways by which log-in names are told.

    Args:
        web: a site made with WordPress.
        visitor: as whom it is asked.
        root: the site's address, which ends in a slash.

    Raises:
        NoAnswer: the site does not answer any more.
    """
    by_number = web.get(f"{root}?author=1", visitor, follow=False)
    author = _AUTHOR.search(by_number.leaves_to)
    if author:
        meaning = "counting through ?author=1, 2, … tells the names by which people log in: forbid it"
        yield told(root, "names_by_author_page", meaning, shown(author.group(1).encode()))
    for address in (f"{root}wp-json/wp/v2/users?per_page=5", f"{root}?rest_route=/wp/v2/users&per_page=5"):
        names = _names(web.get(address, visitor))
        if names:
            meaning = "the REST interface lists the names by which people log in: forbid /wp/v2/users to strangers"
            yield told(root, "names_by_rest", meaning, ", ".join(names[:3]))
            return


def _names(answer: Answer) -> list[str]:
    try:
        users = json.loads(answer.body) if answer.is_good else []
    except (ValueError, RecursionError):
        return []
    named = [one for one in users if isinstance(one, dict)] if isinstance(users, list) else []
    return [
        shown(str(one["slug"]).encode()[:60]) for one in named if isinstance(one.get("slug"), str) and "id" in one
    ]
