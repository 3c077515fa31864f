"""A reader of iCalendar that takes nothing for granted: it checks what RFC 5545 demands of each line."""

import re

NAME = re.compile(r"[A-Z][A-Z0-9-]*")


def read_calendar(text: str) -> list[dict[str, str]]:
    """Returns the properties of each event, values unescaped.

    Raises:
        AssertionError: a line is too long, ends wrongly or is no property, or components do not nest.
    """
    assert text.endswith("\r\n")
    assert "\n" not in text.replace("\r\n", "")
    lines = text[:-2].split("\r\n")
    assert all(len(line.encode()) <= 75 for line in lines)
    unfolded = "\r\n".join(lines).replace("\r\n ", "").split("\r\n")
    assert (unfolded[0], unfolded[1], unfolded[-1]) == ("BEGIN:VCALENDAR", "VERSION:2.0", "END:VCALENDAR")
    events: list[dict[str, str]] = []
    is_inside = False
    for line in unfolded[1:-1]:
        name, colon, value = line.partition(":")
        assert colon, line
        assert NAME.fullmatch(name), line
        if name in {"BEGIN", "END"}:
            assert value == "VEVENT"
            assert is_inside is (name == "END")
            is_inside = name == "BEGIN"
            if is_inside:
                events.append({})
        elif is_inside:
            assert name not in events[-1], f"{name} stands twice"
            events[-1][name] = _unescaped(value)
    assert not is_inside
    return events


def _unescaped(value: str) -> str:
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] in "nN" else found[1], value)
