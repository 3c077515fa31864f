"""docs/cli.md and the command line say the same."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from typer.core import TyperArgument, TyperGroup
from typer.main import get_command

from sentry.cli import build
from sentry.cli.commands import COMMANDS, Commands

PAGE = Path(__file__).parents[3] / "docs" / "cli.md"
HEADING = re.compile(r"^#+ .*`online-sentry(?: (?P<command>[a-z -]+?))?(?: [A-Z\[].*)?`", re.MULTILINE)
FLAG = re.compile(r"(?<![\w-])--[a-z][a-z-]*")


@dataclass(frozen=True, slots=True)
class Command:
    """What one command takes."""

    flags: frozenset[str]
    arguments: tuple[str, ...] = field(default=())


def commands() -> Mapping[str, Command]:
    """Returns every command by its words, `` being the program itself."""
    root = get_command(build())
    assert isinstance(root, Commands)
    root.load(*COMMANDS)
    return dict(_walk("", root))


def _walk(words: str, group: TyperGroup) -> Iterator[tuple[str, Command]]:
    if not words:
        yield words, _command(group)
    for name, command in group.commands.items():
        path = f"{words} {name}".strip()
        if isinstance(command, TyperGroup):
            yield from _walk(path, command)
        elif not command.hidden:
            yield path, _command(command)


def _command(command: object) -> Command:
    parameters = getattr(command, "params", [])
    flags = {flag for parameter in parameters for flag in (*parameter.opts, *parameter.secondary_opts)}
    named = tuple(str(given.metavar or given.name) for given in parameters if isinstance(given, TyperArgument))
    return Command(frozenset(flag for flag in flags if flag.startswith("--") and flag != "--help"), named)


def sections() -> Mapping[str, str]:
    """Returns the text under each heading of the page that names a command."""
    text = PAGE.read_text(encoding="utf-8")
    found = list(HEADING.finditer(text))
    ends = [*(match.start() for match in found[1:]), len(text)]
    return {match["command"] or "": text[match.start() : end] for match, end in zip(found, ends, strict=True)}


def test_cli_page_has_a_section_for_each_command_and_no_other() -> None:
    """A command is documented as soon as it exists, and no longer."""
    assert sections().keys() == commands().keys()


def test_list_of_commands_says_what_each_command_says_of_itself() -> None:
    """The list is written without importing the commands, so its lines stand twice."""
    root = get_command(build())
    assert isinstance(root, Commands)
    root.load(*COMMANDS)
    for name, entry in COMMANDS.items():
        help_text = root.commands[name].help
        assert help_text is not None
        assert help_text.startswith(entry.summary.removesuffix(".")), name


@pytest.mark.parametrize("words", sorted(commands()))
def test_cli_page_names_each_flag_and_argument_of_the_command(words: str) -> None:
    """The section of a command names all that it takes, and no flag that it does not take."""
    section, command = sections()[words], commands()[words]
    documented = set(FLAG.findall(section))
    assert command.flags - documented == set()
    assert documented - command.flags - commands()[""].flags - {"--help"} == set()
    assert [name for name in command.arguments if name.strip("[]").upper() not in section.upper()] == []
