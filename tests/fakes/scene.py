"""The scene of an audit over a folder of the test's own."""

from collections.abc import Mapping
from pathlib import Path

from sentry.domain.finding import Manifest
from sentry.domain.site import Site
from sentry.ports import Clock, Host, Scene
from sentry.remote.local_tree import LocalTree
from tests.fakes.clock import ManualClock


def planted(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """Writes files below a folder, with the folders above them, and returns it."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def scene_of(
    folder: Path, *, site: Site | None = None, host: Host | None = None, clock: Clock | None = None
) -> Scene:
    """Lists a folder as an audit does."""
    folder.mkdir(parents=True, exist_ok=True)
    tree, manifest = LocalTree(folder), Manifest()
    entries = list(tree.entries(manifest))
    return Scene(site, host, tree, entries, manifest, clock or ManualClock(), lambda _done, _whole: None)
