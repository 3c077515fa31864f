"""Which packs are at hand and whose are believed: what the command line says, else the settings."""

from collections.abc import Sequence
from pathlib import Path

from sentry.app.kinds import load_settings
from sentry.app.pack_access import PackAccess
from sentry.domain.errors import NotFound
from sentry.settings import Settings

DEFAULT_FOLDER = "packs"


def configured(settings: Settings) -> PackAccess:
    """Returns what the settings say."""
    beside = settings.file.absolute().parent / DEFAULT_FOLDER
    folders = settings.audits.packs_dirs or ((beside,) if beside.is_dir() else ())
    return PackAccess(
        tuple(str(folder) for folder in folders), settings.audits.trusted_keys, settings.audits.unsigned_packs
    )


def chosen(config: Path, folders: Sequence[Path], keys: Sequence[str], *, unsigned: bool) -> PackAccess:
    """Returns what the command line says, with the settings for what it leaves open.

    Args:
        config: the configuration; none is needed.
        folders: with packs, in place of those of the settings.
        keys: trusted beside those of the settings.
        unsigned: whether packs that nobody signed are believed too.

    Raises:
        NotFound: there is no such folder.
        ConfigurationError: there is a configuration, and it cannot be used.
    """
    stands = configured(load_settings(config, advised=False)) if config.is_file() else _without_settings()
    for folder in folders:
        if not folder.is_dir():
            raise NotFound(f"there is no folder {folder} with packs; make some with `online-sentry pack build`")
    return PackAccess(
        tuple(str(folder.absolute()) for folder in folders) or stands.folders,
        (*stands.trusted_keys, *keys),
        unsigned or stands.unsigned,
    )


def _without_settings() -> PackAccess:
    here = Path(DEFAULT_FOLDER).absolute()
    return PackAccess((str(here),) if here.is_dir() else ())
