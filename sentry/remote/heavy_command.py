"""Commands that read much of a host's disk: the site's visitors come first."""

from collections.abc import Sequence

CANNOT_ENTER = 121

# Nothing is asked before: the host itself looks whether it has nice and ionice. Messages come in plain English.
_SCRIPT = """
cd -- "$1" || exit 121
shift
LC_ALL=C
export LC_ALL
if command -v ionice >/dev/null 2>&1; then set -- ionice -c 3 -t "$@"; fi
if command -v nice >/dev/null 2>&1; then set -- nice -n 19 "$@"; fi
exec "$@"
"""


def heavy(folder: bytes, command: Sequence[str | bytes]) -> Sequence[str | bytes]:
    """Returns a command that runs in a folder and lets everything else go first.

    Args:
        folder: absolute; the status is `CANNOT_ENTER` where that fails.
        command: the program and its arguments.
    """
    return ("sh", "-c", _SCRIPT, "sh", folder, *command)
