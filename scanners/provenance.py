"""What files are judged by, as one SHA-256: another value means that every file is to be judged anew."""

import hashlib
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
JUDGES = (".py", ".yar")


@cache
def judged_by() -> str:
    """Returns the SHA-256 over all engines and rules of the program, hexadecimal."""
    whole = hashlib.sha256()
    for path in sorted(HERE.rglob("*")):
        if path.suffix in JUDGES:
            whole.update(f"{path.relative_to(HERE)}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return whole.hexdigest()


def judged_by_both(others: str) -> str:
    """Returns the SHA-256 over the program's own rules and those of others, hexadecimal; `others` may be empty."""
    return hashlib.sha256(f"{judged_by()}\n{others}\n".encode()).hexdigest() if others else judged_by()
