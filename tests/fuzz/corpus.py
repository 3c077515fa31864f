"""The recorded responses, and the mutated ones that once broke something or took a new way."""

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

RESPONSES = Path(__file__).parent.parent / "data" / "responses"
RECORDED = RESPONSES / "recorded"
FOUND = RESPONSES / "found"


def seeds() -> Mapping[str, bytes]:
    """Returns every kept response by `folder/name`, in a fixed order."""
    files = sorted(path for folder in (RECORDED, FOUND) for path in folder.glob("*.bin"))
    return {f"{path.parent.name}/{path.stem}": path.read_bytes() for path in files}


def keep(data: bytes, folder: Path, prefix: str) -> Path:
    """Writes an input under its digest, so that the same one is kept once."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{prefix}-{sha256(data).hexdigest()[:12]}.bin"
    path.write_bytes(data)
    return path
