"""Finds the data that travels with the agent: examples, and the files for Prometheus, systemd and Grafana."""

from pathlib import Path

from sentry.domain.errors import NotFound

_HERE = Path(__file__).resolve().parent


def config_folder() -> Path:
    """Returns the folder `config/`: in a checkout at its root, in an installed wheel inside the package.

    Raises:
        NotFound: it is in neither place; the installation is damaged.
    """
    for folder in (_HERE / "_config", _HERE.parent / "config"):
        if (folder / "sentry.example.yaml").is_file():
            return folder
    raise NotFound("the folder with examples is missing from this installation; install online-sentry again")
