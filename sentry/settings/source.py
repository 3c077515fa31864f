"""Reads files bounded in size, and says in plain words why one cannot be read."""

from pathlib import Path

MAX_FILE_BYTES = 4 * 1024 * 1024
MAX_SECRET_BYTES = 64 * 1024


class UnreadableFile(Exception):  # noqa: N818  # becomes a Problem at once; never leaves this package
    """A file cannot be used as it is; the message says why and how to mend it."""

    def __init__(self, message: str, line: int = 0) -> None:
        """Keeps the message and the 1-based line, 0 where the whole file is meant."""
        super().__init__(message)
        self.message = message
        self.line = line


def text_of(path: Path, limit_bytes: int = MAX_FILE_BYTES) -> str:
    """Returns the whole text of a file.

    Args:
        path: the file.
        limit_bytes: more is refused; nothing beyond it is read.

    Raises:
        UnreadableFile: missing, a folder, not permitted, too large or not UTF-8.
    """
    reason, line = "", 0
    try:
        with path.open("rb") as file:
            content = file.read(limit_bytes + 1)
        if len(content) > limit_bytes:
            reason = f"the file is larger than {limit_bytes // 1024} KiB"
        else:
            return _decoded(content)
    except FileNotFoundError:
        reason = "there is no such file"
    except IsADirectoryError:
        reason = "this is a folder, not a file"
    except PermissionError:
        reason = "the agent may not read it; give its user the right to (chown or chmod)"
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        reason = "the file is not UTF-8 text; save it as UTF-8"
    except OSError as error:
        reason = f"it cannot be read: {error.strerror or type(error).__name__}"
    # Raised outside the handlers: a decoding error carries the bytes of the file.
    raise UnreadableFile(reason, line)


def _decoded(content: bytes) -> str:
    """Decodes UTF-8; a byte-order mark of some editors is dropped, UTF-16 fails as what it is."""
    return content.decode("utf-8-sig")
