"""Puts the main file and the files of the `sites/` folder beside it together into one document."""

from pathlib import Path
from typing import Any

from sentry.domain.errors import Problem
from sentry.settings.document import Document, parsed
from sentry.settings.place import Location
from sentry.settings.source import UnreadableFile, text_of

MAX_SITE_FILES = 10_000
SITES_FOLDER = "sites"
_SITE_FILE_SHAPES = "a site file holds one site (key: …, url: …), a list of sites, or 'sites:' with a list"


def collected(path: Path) -> Document:
    """Returns everything written in the main file and in `sites/*.yaml`, sites of the folder last, by file name."""
    document = _main(path)
    if isinstance(document.value, dict):
        for file in _site_files(path.parent / SITES_FOLDER, document):
            _add_sites(document, file)
    return document


def _main(path: Path) -> Document:
    try:
        text = text_of(path)
    except UnreadableFile as error:
        message = error.message
        if not path.exists():
            message += f"; create one with: online-sentry --config {path} init"
        elif path.is_dir():
            message += "; name the YAML file inside it, e.g. " + str(path / "sentry.yaml")
        return Document(str(path), problems=[Problem(str(path), error.line, "", message)])
    document = parsed(text, str(path))
    if not document.problems and not isinstance(document.value, dict):
        document.problems.append(_wrong_root(document))
    return document


def _wrong_root(document: Document) -> Problem:
    message = (
        "the file is empty; the smallest useful one is: sites: [{key: example, url: 'https://example.com/'}]"
        if document.value is None
        else "the file must be a mapping with keys like 'sites:' and 'channels:' at its left margin"
    )
    line = 0 if document.value is None else document.place(()).line
    return Problem(document.file, line, "", message)


def _site_files(folder: Path, document: Document) -> list[Path]:
    try:
        files = sorted(
            file for file in folder.iterdir() if file.suffix in {".yaml", ".yml"} and not file.name.startswith(".")
        )
    except FileNotFoundError:
        return []
    except OSError as error:
        document.problems.append(Problem(str(folder), 0, "", f"the folder cannot be read: {error.strerror}"))
        return []
    if len(files) > MAX_SITE_FILES:
        message = f"the folder holds more than {MAX_SITE_FILES} files; put several sites into one file"
        document.problems.append(Problem(str(folder), 0, "", message))
    return files[:MAX_SITE_FILES]


def _add_sites(document: Document, file: Path) -> None:
    try:
        added = parsed(text_of(file), str(file))
    except UnreadableFile as error:
        document.problems.append(Problem(str(file), error.line, "", error.message))
        return
    document.problems += added.problems
    if added.value is None:
        return  # empty or commented out: how a site is switched off for a while
    if document.value.get("sites") is None:
        document.value["sites"] = []
    sites = document.value["sites"]
    if not isinstance(sites, list):
        return  # the main file's fault, named where the shapes are checked
    targets: dict[Location, Location] = {}
    for site, location in _sites_of(added, document):
        targets[location] = ("sites", len(sites))
        sites.append(site)
    depth = max(map(len, targets), default=0)
    for at, place in added.places.items():
        if at[:depth] in targets:
            document.places[targets[at[:depth]] + at[depth:]] = place


def _sites_of(added: Document, document: Document) -> list[tuple[Any, Location]]:
    """Returns each site of a site file and where it stands in there."""
    value = added.value
    if isinstance(value, list):
        return [(site, (index,)) for index, site in enumerate(value)]
    if isinstance(value, dict) and "sites" in value:
        document.problems += [
            added.problem((key,), "only 'sites' can stand here; move this into the main file")
            for key in value
            if key != "sites"
        ]
        sites = value["sites"]
        if isinstance(sites, list):
            return [(site, ("sites", index)) for index, site in enumerate(sites)]
    elif isinstance(value, dict):
        return [(value, ())]
    document.problems.append(added.problem((), _SITE_FILE_SHAPES))
    return []
