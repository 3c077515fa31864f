"""Where a WordPress keeps texts that reach pages or are run, and what of them is to be looked at."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from scanners.database.marks import condition
from scanners.database.schema import Cell, Column, Schema
from scanners.database.session import quoted
from scanners.database.texts import TextJudge
from sentry.domain.finding import Finding

PHP_POSTS: Sequence[str] = ("wpcode", "wbcr-snippets", "php_snippet", "xyz_ips", "insert_php_code")
"""Types of posts in which plugins keep PHP that they run: WPCode, Woody, and their like."""

TEXTS: Sequence[Column] = (
    Column("posts", "ID", "post_content", "post_type"),
    Column("posts", "ID", "post_excerpt", "post_type"),
    Column("posts", "ID", "post_title", "post_type"),
    Column("postmeta", "meta_id", "meta_value", "meta_key"),
    Column("comments", "comment_ID", "comment_content"),
    Column("comments", "comment_ID", "comment_author"),
    Column("comments", "comment_ID", "comment_author_url"),
    Column("options", "option_id", "option_value", "option_name"),
    Column("terms", "term_id", "name"),
    Column("term_taxonomy", "term_taxonomy_id", "description"),
    Column("termmeta", "meta_id", "meta_value", "meta_key"),
    Column("usermeta", "umeta_id", "meta_value", "meta_key"),
    Column("links", "link_id", "link_url"),
)
"""Texts that WordPress and its themes put into pages, widgets among them: they are options."""


@dataclass(frozen=True, slots=True)
class Snippets:
    """A table in which a plugin keeps PHP that it runs."""

    table: str
    key: str
    code: str
    label: str


SNIPPETS: Sequence[Snippets] = (
    Snippets("snippets", "id", "code", "name"),
    Snippets("ms_snippets", "id", "code", "name"),
    Snippets("xyz_ips_short_code", "id", "content", "title"),
    Snippets("xyz_cfl_short_code", "id", "content", "title"),
    Snippets("posts_php", "id", "content", "title"),
)

SCRIPT_NAMES: Sequence[str] = ("_elementor_code",)
"""Meta that holds code for pages and is read whatever stands in it."""


def judge_contents(schema: Schema, prefix: str, judge: TextJudge) -> Iterator[Finding]:
    """Yields what is wrong with the texts of one site.

    Args:
        schema: of the database.
        prefix: of the site's tables.
        judge: of texts.
    """
    counted: set[str] = set()
    for column in TEXTS:
        table = prefix + column.table
        if not schema.has(table):
            continue
        if table not in counted and column.table != "usermeta":  # whoever looks at people counts them
            counted.add(table)
            schema.count(table)
        for cell in schema.cells(prefix, column, _worth(column)):
            is_php = column.table == "posts" and column.name == "post_content" and cell.label in PHP_POSTS
            yield from _told(judge, _named(cell), cell.text, is_php=is_php)
    for snippets in SNIPPETS:
        table = prefix + snippets.table
        if not schema.has(table):
            continue
        schema.count(table)
        column = Column(snippets.table, snippets.key, snippets.code, snippets.label)
        for cell in schema.cells(prefix, column, "1 = 1"):
            yield from _told(judge, f"{cell.place} {cell.label[:60]}", cell.text, is_php=True)


def _told(judge: TextJudge, place: str, text: bytes, *, is_php: bool) -> Iterator[Finding]:
    found = judge.finding(place, text, is_php=is_php)
    if found is not None:
        yield found


def _named(cell: Cell) -> str:
    """Returns where a text stands, with what says more to people than a number: the name of an option."""
    return f"{cell.place} ({cell.label[:60]})" if cell.label else cell.place


def _worth(column: Column) -> str:
    marked = condition(column.name)
    if column.table == "posts" and column.name == "post_content":
        return f"{marked} OR post_type IN ({', '.join(map(quoted, PHP_POSTS))})"
    if column.label == "meta_key":
        return f"{marked} OR {column.label} IN ({', '.join(map(quoted, SCRIPT_NAMES))})"
    return marked
