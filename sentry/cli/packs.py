"""`pack key|build|list|verify|show`: what systems, plugins and themes consist of as they were published."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from scanners.packs import pack_file
from scanners.packs.building import Order, build
from scanners.packs.components import Component, ComponentKind
from scanners.packs.keys import make_key, public_bytes, read_key
from scanners.packs.pack import Pack
from scanners.packs.shelf import Shelf
from sentry.app.packs import DEFAULT_FOLDER, chosen
from sentry.cli.shell import ExitCode, JsonOption, command, config_of, err, out, print_json, working
from sentry.cli.tables import show as show_table
from sentry.clock import SystemClock


def _key(text: str) -> str:
    try:
        public_bytes(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    return text


def _keys(texts: list[str] | None) -> list[str]:
    return [_key(text) for text in texts or ()]


PacksOption = Annotated[
    list[Path] | None,
    typer.Option("--packs", metavar="DIR", help="A folder with packs, in place of the settings'; may be repeated."),
]
TrustOption = Annotated[
    list[str] | None,
    typer.Option("--trust", metavar="KEY", callback=_keys, help="A public key to trust too; may be repeated."),
]
UnsignedOption = Annotated[bool, typer.Option("--unsigned", help="Believe packs that nobody signed.")]


def register(app: typer.Typer) -> None:
    """Adds the group of commands."""
    group = typer.Typer(
        help="Packs: what systems, plugins and themes consist of as they were published.", no_args_is_help=True
    )
    group.command("key")(command(key))
    group.command("build")(command(build_packs))
    group.command("list")(command(list_packs))
    group.command("verify")(command(verify))
    group.command("show")(command(show))
    app.add_typer(group, name="pack")


async def key(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="The new file for the secret half.")],
) -> None:
    """Make a key that vouches for packs, and print its public half for the settings."""
    made = make_key(path)
    out.print(f"wrote the secret half to {escape(str(path))}; trust packs that it signs by the settings:")
    out.print(f"audits: {{trusted_keys: [{made.public_text!r}]}}", markup=False)


async def build_packs(
    sources: Annotated[list[Path], typer.Argument(metavar="SOURCE", help="A zip, deb, tar or folder.")],
    *,
    into: Annotated[Path, typer.Option("--into", metavar="DIR", help="The folder that packs go to.")] = Path(
        DEFAULT_FOLDER
    ),
    key_file: Annotated[Path | None, typer.Option("--key", metavar="FILE", help="The key that signs them.")] = None,
    beside: Annotated[
        list[Path] | None,
        typer.Option("--with", metavar="SOURCE", help="A package that links of it lead into; may be repeated."),
    ] = None,
    name: Annotated[str, typer.Option("--name", help="What it is called, where it cannot be recognised.")] = "",
    version: Annotated[str, typer.Option("--version", help="Its version, where it cannot be recognised.")] = "",
    below: Annotated[
        str,
        typer.Option("--below", metavar="FOLDER", help="With --name: the folder in it that a site is served from."),
    ] = "",
    without_files: Annotated[
        bool, typer.Option("--without-files", help="Keep no pristine files: nothing can be compared or restored.")
    ] = False,
) -> None:
    """Build packs of packages, one for each system, plugin and theme in them."""
    if bool(name) != bool(version) or (below and not name):
        raise typer.BadParameter("--name and --version belong together, and --below belongs to them")
    signing = None if key_file is None else read_key(key_file)
    root = below.strip("/").encode() + b"/" if below.strip("/") else b""
    component = Component(ComponentKind.PACKAGE, name, version, root) if name else None
    for source in sources:
        order = Order(
            source=source,
            folder=into,
            built_on=SystemClock().now().date(),
            key=signing,
            beside=tuple(beside or ()),
            component=component,
            keep_files=not without_files,
        )
        with working(f"reading {source}"):
            built = build(order)
        for path in built:
            header = pack_file.read_header(path)
            out.print(f"{escape(str(header.component))}: {header.files:,} files in {escape(str(path))}")
    if signing is None:
        err.print("nobody signed: such packs are believed with audits.unsigned_packs or --unsigned only")


async def list_packs(
    context: typer.Context,
    *,
    packs: PacksOption = None,
    trust: TrustOption = None,
    unsigned: UnsignedOption = False,
    as_json: JsonOption = False,
) -> ExitCode:
    """List packs, and who signed them. Exit code 1 when one of them is not believed."""
    with chosen(config_of(context), packs or (), trust or (), unsigned=unsigned).shelf() as shelf:
        rows = [_row(shelf, path) for path in shelf.headers]
    if as_json:
        print_json({"packs": rows, "problems": shelf.problems})
    else:
        columns = ("kind", "name", "version", "language", "files", "built_on", "believed", "file")
        show_table(columns, [[row[column] for column in columns] for row in rows], "no packs")
        _tell(shelf.problems)
    return ExitCode.NEGATIVE if shelf.problems else ExitCode.OK


async def verify(
    context: typer.Context,
    *,
    packs: PacksOption = None,
    trust: TrustOption = None,
    unsigned: UnsignedOption = False,
) -> ExitCode:
    """Prove every pack and every pristine file that is kept for it. Exit code 1 when something is not as it was."""
    with chosen(config_of(context), packs or (), trust or (), unsigned=unsigned).shelf() as shelf:
        lost = {pack.header.component: _lost(shelf, pack) for pack in _believed(shelf)}
    for component, paths in lost.items():
        if paths:
            first = paths[0].decode("utf-8", "backslashreplace")
            out.print(
                f"{escape(str(component))}: {len(paths):,} pristine files are not kept or not as they were, "
                f"the first is {escape(repr(first))}"
            )
    _tell(shelf.problems)
    out.print(f"{len(lost):,} packs are believed, {len(shelf.problems):,} are not")
    return ExitCode.NEGATIVE if shelf.problems or any(lost.values()) else ExitCode.OK


async def show(
    path: Annotated[Path, typer.Argument(metavar="PACK", help="The file of a pack.")],
    *,
    as_json: JsonOption = False,
) -> None:
    """Show what a pack says: what it is of, who signed it, and every file."""
    pack = pack_file.read(path)
    files = {name.decode("utf-8", "backslashreplace"): one for name, one in pack.files.items()}
    if as_json:
        document = pack_file.HEADER.dump_python(pack.header, mode="json")
        listed = {name: {"sha256": one.digest.hex(), "size_bytes": one.size_bytes} for name, one in files.items()}
        print_json({**document, "signed_by": pack.signed_by, "listed": listed})
        return
    header = pack.header
    out.print(f"{escape(str(header.component))}, {header.files:,} files, {header.size_bytes:,} bytes")
    out.print(f"built on {header.built_on} of {escape(', '.join(source.name for source in header.sources))}")
    out.print(f"signed by {pack.signed_by or 'nobody'}")
    for name, one in files.items():
        out.print(f"{one.digest.hex()}  {one.size_bytes:>10}  {name!r}", markup=False)


def _row(shelf: Shelf, path: Path) -> dict[str, Any]:
    header = shelf.headers[path]
    document = pack_file.HEADER.dump_python(header, mode="json", exclude={"marks"})
    return {**document, "believed": "yes" if shelf.opened(path) else "no", "file": str(path)}


def _believed(shelf: Shelf) -> list[Pack]:
    return [pack for path in shelf.headers if (pack := shelf.opened(path)) is not None]


def _lost(shelf: Shelf, pack: Pack) -> list[bytes]:
    return [path for path in pack if shelf.read(pack, path) is None]


def _tell(problems: Sequence[str]) -> None:
    for problem in problems:
        err.print(f"[red]refused[/red] {escape(problem)}")
