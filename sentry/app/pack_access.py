"""Where packs are and whose are believed, as the process of an audit is told."""

from dataclasses import dataclass
from pathlib import Path

from scanners.packs.shelf import Shelf, Trust


@dataclass(frozen=True, slots=True)
class PackAccess:
    """Which packs are at hand.

    Attributes:
        folders: absolute.
        trusted_keys: public keys.
        unsigned: whether packs that nobody signed are believed too.
    """

    folders: tuple[str, ...] = ()
    trusted_keys: tuple[str, ...] = ()
    unsigned: bool = False

    def shelf(self) -> Shelf:
        """Opens the packs."""
        return Shelf([Path(folder) for folder in self.folders], Trust(self.trusted_keys, self.unsigned))
