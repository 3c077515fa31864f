"""Puts what a YAML parser complains of into words that name the mistake and its cure; never quotes the file."""

import re

import yaml

# Both parsers of PyYAML (C and Python) are covered; their texts differ in detail. The first match wins.
EXPLANATIONS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), sentence)
    for pattern, sentence in (
        (
            r"mapping values are not allowed",
            "a ':' stands where none can be; put a text that holds ': ' in quotes, or check this line's indentation",
        ),
        (
            r"quoted scalar.*(end of stream|document separator)",
            "a quotation mark is opened and never closed",
        ),
        (r"unknown escape character", "unknown \\ sequence in a \"double-quoted\" text; use 'single quotes' instead"),
        (r"simple key.*expected ':'", "a key without ':' after it; write 'key: value', with a blank after the colon"),
        (r"flow sequence", "a list is opened with '[' and not closed; check commas and the closing ']'"),
        (r"flow mapping", "a mapping is opened with '{' and not closed; check commas and the closing '}'"),
        (r"block (mapping|collection)", "this line's indentation does not fit the lines above it"),
        (
            r"sequence entries are not allowed",
            "a list item '- ' cannot stand here; start the list on its own line",
        ),
        (r"duplicate anchor|found duplicate anchor", "two anchors (&name) have the same name"),
        (
            r"anchor|alias",
            "an anchor (&name) or alias (*name) is not well formed; put a text with '*' or '&' in quotes",
        ),
        (r"tag|directive", "tags and directives are not used here; put a text that begins with '!' or '%' in quotes"),
        (r"block scalar", "after '|' or '>' the text must start on the next line, indented"),
    )
)


def explained(error: yaml.YAMLError, text: str) -> tuple[int, str]:
    """Returns the line (1-based, 0 where unknown) and a sentence for what a YAML parser found wrong.

    Args:
        error: as PyYAML raised it.
        text: the file, looked at for the character at fault only.
    """
    if not isinstance(error, yaml.MarkedYAMLError):
        return _of_reader(error, text)
    mark = error.problem_mark or error.context_mark
    complaint = f"{error.context or ''} {error.problem or ''}"
    if mark is None:
        return 0, f"this is not valid YAML: {complaint.strip()}"
    char = _char_at(text, mark.line, mark.column)
    line, where = mark.line + 1, f"column {mark.column + 1}"
    if char == "\t" or "\t" in _indent_of(text, mark.line):
        return line, f"{where}: a tab is used for indentation; YAML takes spaces only"
    if "quoted scalar" in complaint and error.context_mark is not None:
        line, where = error.context_mark.line + 1, f"column {error.context_mark.column + 1}"
    for pattern, sentence in EXPLANATIONS:
        if pattern.search(complaint):
            return line, f"{where}: {sentence}"
    if "cannot start any token" in complaint and char:
        return line, f"{where}: a text cannot begin with '{char}' here; put it in quotes"
    return line, f"{where}: this is not valid YAML: {complaint.strip()}"


def _of_reader(error: yaml.YAMLError, text: str) -> tuple[int, str]:
    """A control character or an encoding fault; only this error carries a position instead of a mark."""
    position = getattr(error, "position", None)
    if not isinstance(position, int) or not 0 <= position <= len(text):
        return 0, "the file holds a character that YAML does not allow; keep to printable text"
    line = text.count("\n", 0, position) + 1
    column = position - (text.rfind("\n", 0, position) + 1) + 1
    return line, f"column {column}: a control character stands here; remove it"


def _line(text: str, number: int) -> str:
    lines = text.splitlines()
    return lines[number] if 0 <= number < len(lines) else ""


def _char_at(text: str, line: int, column: int) -> str:
    return _line(text, line)[column : column + 1]


def _indent_of(text: str, line: int) -> str:
    content = _line(text, line)
    return content[: len(content) - len(content.lstrip())]
