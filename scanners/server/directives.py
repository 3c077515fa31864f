"""Settings files read into directives: Apache's, nginx's, and those of PHP."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

MAX_DIRECTIVES = 20_000
MAX_LINE = 4_000

_WORDS = re.compile(r'"((?:\\.|[^"\\])*)"|\'((?:\\.|[^\'\\])*)\'|(\S+)')
_SECTION = re.compile(r"<(\w{2,40})\b\s*(.*?)\s*>?\s*$")
_NGINX = re.compile(r'#[^\n]*|"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|[{};]|[^\s{};"\'#]+')
_INI = re.compile(r"(?:php_(?:admin_)?(?:value|flag)\[)?\s*([\w.]{2,80})\s*\]?\s*=\s*(.*)$")
_INI_VALUE = re.compile(r'"([^"]*)"?|\'([^\']*)\'?|([^;]*)')


@dataclass(frozen=True, slots=True)
class Section:
    """What stands around a directive, e.g. `<FilesMatch "x">` or `location ~ x`."""

    name: str
    argument: str


@dataclass(frozen=True, slots=True)
class Directive:
    """One setting.

    Attributes:
        name: in lower case; words: its arguments, without quotes.
        text: as written; line: from 1; around: outermost first.
    """

    name: str
    words: tuple[str, ...]
    text: str
    line: int
    around: tuple[Section, ...] = ()

    @property
    def files(self) -> tuple[str, ...]:
        """The patterns of the files for which alone it is meant."""
        return tuple(one.argument for one in self.around if one.name in {"files", "filesmatch", "location"})


def words_of(text: str) -> tuple[str, ...]:
    """Returns the words of a line; those in quotes are one."""
    return tuple(found[1] or found[2] or found[3] or "" for found in _WORDS.finditer(text))


def apache(text: str) -> Iterator[Directive]:
    """Yields the directives of an `.htaccess`; a section itself is one too, named `<name`."""
    around: list[Section] = []
    for line, whole in _joined_lines(text):
        if whole.startswith("</"):
            del around[-1:]
        elif whole.startswith("<") and (found := _SECTION.match(whole)) is not None:
            argument = found[2].removeprefix("~").strip().strip("\"'")
            around.append(Section(found[1].lower(), argument))
            yield Directive(f"<{found[1].lower()}", (argument,), whole, line, tuple(around))
        elif words := words_of(whole):
            yield Directive(words[0].lower(), words[1:], whole, line, tuple(around))


def _joined_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yields what is no comment, with lines that end in a backslash joined, and the number of the first."""
    parts: list[str] = []
    first = given = 0
    for number, raw in enumerate(text.splitlines(), 1):
        first = first if parts else number
        parts.append(raw.removesuffix("\\"))
        if raw.endswith("\\"):
            continue
        whole = "".join(parts).strip()[:MAX_LINE]
        parts = []
        if whole and not whole.startswith("#"):
            given += 1
            yield first, whole
        if given >= MAX_DIRECTIVES:
            return


def nginx(text: str) -> Iterator[Directive]:
    """Yields the directives of a piece of nginx's configuration."""
    around: list[Section] = []
    words: list[str] = []
    line, counted = 1, 0
    for found in _NGINX.finditer(text):
        one = found[0]
        if one.startswith("#"):
            continue
        if one not in "{};":
            if not words:
                line += text.count("\n", counted, found.start())
                counted = found.start()
            words.append(one.strip("\"'"))
            continue
        if words and one == ";":
            yield Directive(words[0].lower(), tuple(words[1:]), " ".join(words), line, tuple(around))
        elif one == "{":
            around.append(Section(words[0].lower() if words else "", " ".join(words[1:])))
        elif one == "}":
            del around[-1:]
        words = []


def ini(text: str) -> Iterator[Directive]:
    """Yields the settings of an ini file of PHP; each has one word."""
    for line, raw in enumerate(text.splitlines()[:MAX_DIRECTIVES], 1):
        found = _INI.match(raw.strip()[:MAX_LINE])
        if found is None:
            continue
        value = _INI_VALUE.match(found[2])
        written = next((one for one in value.groups() if one is not None), "") if value is not None else ""
        yield Directive(found[1].lower(), (written.strip(),), raw.strip(), line)
