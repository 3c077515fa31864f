"""A file that stands where nothing of its kind belongs, or is not what it is called. Place alone is never a proof."""

from collections.abc import Callable, Iterator, Mapping

from scanners.engine import AuditedFile, Opinion, Rule, line_of, rules_of
from scanners.place.contents import (
    ARCHIVED_PHP,
    acts,
    answers_requests,
    begins_with_php,
    declares,
    first_code,
    injected_first_line,
    is_php_archive,
    is_quiet,
    kind_of,
)
from scanners.place.names import (
    BINARIES,
    KEEPS,
    PICTURES,
    SHOWS,
    TEXTS,
    UPLOADS,
    WRITABLE,
    Claim,
    claim_of,
)
from sentry.domain.finding import Evidence, FindingClass, Sign

LOOKED_AT_BYTES = 2_000_000
SUSPICIOUS, RISKY, ADVICE = FindingClass.SUSPICIOUS, FindingClass.RISKY_TOOL, FindingClass.ADVICE

RULES: Mapping[str, Rule] = rules_of(
    Evidence.PLACE,
    {
        "php_among_uploads": (SUSPICIOUS, "a script stands where only uploaded files belong"),
        "inert_php_among_uploads": (RISKY, "a script that does little stands where only uploaded files belong"),
        "php_among_pictures": (
            SUSPICIOUS,
            "a script that obeys visitors stands in a folder of pictures, fonts or styles",
        ),
        "php_among_kept": (SUSPICIOUS, "a script that obeys visitors stands in a folder of temporary files"),
        "php_in_picture": (SUSPICIOUS, "a picture, document or font has PHP in it"),
        "php_behind_picture": (SUSPICIOUS, "a script begins like a picture or a document"),
        "php_called_text": (SUSPICIOUS, "a script is called as if it were a style, a log or another text"),
        "covered_name": (SUSPICIOUS, "a script has the name of something else: two extensions"),
        "hidden_script": (SUSPICIOUS, "a script has a name that listings leave out"),
        "imitated_name": (SUSPICIOUS, "a script has nearly the name of one of the CMS"),
        "unreadable_name": (SUSPICIOUS, "a script's name has letters that look like others, or cannot be seen"),
        "blank_name": (SUSPICIOUS, "a script's name begins or ends with a blank, or is of dots only"),
        "injected_first_line": (SUSPICIOUS, "hidden code stands before the beginning of the file proper"),
        "program_among_uploads": (SUSPICIOUS, "a program of the operating system stands where only uploads belong"),
        "program_called_otherwise": (
            SUSPICIOUS,
            "a program of the operating system is called as if it were a picture",
        ),
        "program": (RISKY, "a program of the operating system stands among the files of the site"),
        "archive_called_picture": (SUSPICIOUS, "an archive is called as if it were a picture"),
        "php_archive_disguised": (SUSPICIOUS, "an archive that PHP can run is called as if it were something else"),
        "archived_php_among_uploads": (RISKY, "an archive with scripts stands among the uploads"),
    },
)


class PlaceEngine:
    """Judges by name, folder and first bytes."""

    name = "place"

    def judge(self, file: AuditedFile, is_late: Callable[[], bool]) -> Opinion:  # noqa: ARG002  # it is never slow
        """Judges a file; see `Engine`."""
        path = file.entry.path.decode("utf-8", "replace") if file.entry is not None else file.path
        claim, content = claim_of(path), file.content[:LOOKED_AT_BYTES]
        kind = kind_of(content)
        if claim.is_script and b"<?" in content:
            return Opinion(tuple(_of_script(claim, content, kind)))
        return Opinion(tuple(_of_other(claim, content, kind)))


def _of_script(claim: Claim, content: bytes, kind: str) -> Iterator[Sign]:
    if is_quiet(content):
        return
    told = {
        "covered_name": claim.is_covered,
        "hidden_script": claim.is_hidden,
        "imitated_name": bool(claim.imitates),
        "unreadable_name": claim.is_unreadable,
        "blank_name": claim.is_blank,
        "php_behind_picture": kind in {"picture", "document"} and first_code(content) is not None,
    }
    for name in (name for name, fits in told.items() if fits):
        yield RULES[name].sign(detail=claim.imitates if name == "imitated_name" else "")
    if injected_first_line(content):
        yield RULES["injected_first_line"].sign(1, content.lstrip()[:400])
    folder = _folder_rule(claim, content)
    if folder:
        yield RULES[folder].sign()


def _folder_rule(claim: Claim, content: bytes) -> str:
    if WRITABLE.search(claim.path):
        return "php_among_uploads" if acts(content) else "inert_php_among_uploads"
    if UPLOADS.search(claim.path) and acts(content) and not declares(content):
        return "php_among_uploads"
    if SHOWS.search(claim.path) and answers_requests(content):
        return "php_among_pictures"
    return "php_among_kept" if KEEPS.search(claim.path) and answers_requests(content) else ""


def _of_other(claim: Claim, content: bytes, kind: str) -> Iterator[Sign]:
    disguises = claim.extension in PICTURES
    if kind == "program":
        uploaded = WRITABLE.search(claim.path) or UPLOADS.search(claim.path)
        other = claim.extension in BINARIES | TEXTS
        name = "program_called_otherwise" if other else "program_among_uploads" if uploaded else "program"
        yield RULES[name].sign()
        return
    if claim.extension != "phar" and is_php_archive(content):
        yield RULES["php_archive_disguised"].sign()
    if kind == "archive":
        if disguises:
            yield RULES["archive_called_picture"].sign()
        elif WRITABLE.search(claim.path) and ARCHIVED_PHP.search(content):
            yield RULES["archived_php_among_uploads"].sign()
        return
    if kind in {"picture", "document"} or claim.extension in BINARIES:
        yield from _hidden_code(content)
    elif (claim.extension in TEXTS or claim.is_covered) and begins_with_php(content) and acts(content):
        yield RULES["covered_name" if claim.is_covered else "php_called_text"].sign(1, content.lstrip()[:400])


def _hidden_code(content: bytes) -> Iterator[Sign]:
    found = first_code(content)
    if found is not None:
        yield RULES["php_in_picture"].sign(line_of(content, found.start()), found[0])
