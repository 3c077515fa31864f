"""Where a value stands: its location in the merged configuration, and the file and line that a person can open."""

from collections.abc import Iterable
from dataclasses import dataclass

Location = tuple[str | int, ...]
"""Keys and indices from the root of the merged configuration, e.g. `("sites", 2, "url")`."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value was written.

    Attributes:
        file: path as the user gave it; line: 1-based.
        location: as seen from the root of that file; it differs from the merged one for files in `sites/`.
    """

    file: str
    line: int
    location: Location


def spelled(location: Iterable[str | int]) -> str:
    """Returns a location as people write it: `sites[2].checks[0].expect_text`."""
    text = ""
    for part in location:
        if isinstance(part, int):
            text += f"[{part}]"
        elif part and all(char.isalnum() or char in "_-" for char in part):
            text += f".{part}" if text else part
        else:
            text += f'["{part[:80]}"]'
    return text
