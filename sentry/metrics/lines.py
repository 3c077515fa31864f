"""Rendered series by family: a line is made when a figure changes and only joined when somebody scrapes."""

from collections.abc import Mapping

Block = tuple[str, list[str]]
"""A family's header and its lines."""


class LinePage:
    """Families of lines, each line under an owner (a check or site) so that it can be replaced or forgotten.

    Args:
        helps: family → help; the order is the order on the page.
        default_help: help of a family that the table does not name.
    """

    def __init__(self, helps: Mapping[str, str], default_help: str = "") -> None:
        self._helps = dict(helps)
        self._default_help = default_help
        self._families: dict[str, dict[str, str]] = {family: {} for family in helps}
        self._written: dict[str, frozenset[str]] = {}

    def replace(self, owner: str, lines: Mapping[str, str]) -> None:
        """Makes these the only lines of the owner: family → one or more ended lines."""
        now = frozenset(lines)
        for family in self._written.get(owner, now) - now:
            self._families[family].pop(owner, None)
        for family, text in lines.items():
            self._families.setdefault(family, {})[owner] = text
        self._written[owner] = now

    def forget(self, owner: str) -> None:
        """Drops every line of the owner."""
        self.replace(owner, {})
        self._written.pop(owner, None)

    def blocks(self) -> list[Block]:
        """Returns what stands now, family by family; a copy, so that a thread may join it."""
        return [(self._header(family), list(lines.values())) for family, lines in self._families.items() if lines]

    def page_of(self, owner: str, strip: str) -> str:
        """Returns the families of one owner without the labels that every line of it begins with."""
        found = []
        for family in self._families:
            text = self._families[family].get(owner)
            if text is not None:
                bare = text.replace(f"{family}{{{strip}}} ", f"{family} ").replace(
                    f"{family}{{{strip},", f"{family}{{"
                )
                found.append(self._header(family) + bare)
        return "".join(found)

    def _header(self, family: str) -> str:
        return header(family, self._helps.get(family, self._default_help), "gauge")


def header(family: str, help_text: str, kind: str) -> str:
    """Returns the HELP and TYPE lines of a family."""
    return f"# HELP {family} {help_text}\n# TYPE {family} {kind}\n"


def join(blocks: list[Block]) -> str:
    """Returns the page of some blocks."""
    return "".join(head + "".join(lines) for head, lines in blocks)
