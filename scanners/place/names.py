"""What the name of a file and the folders above it claim."""

import re
import unicodedata
from dataclasses import dataclass

PICTURES = frozenset(("jpg", "jpeg", "jpe", "png", "gif", "ico", "webp", "bmp", "tif", "tiff", "avif", "svg"))
BINARIES = PICTURES | {
    *("woff", "woff2", "ttf", "eot", "otf", "mp3", "mp4", "avi", "mov", "webm", "ogg", "wav", "flv", "swf"),
    *("pdf", "doc", "docx", "xls", "xlsx", "zip", "gz", "tgz", "rar", "7z", "psd"),
}
TEXTS = frozenset(("css", "js", "mjs", "map", "json", "log", "dat", "tmp", "suspected", "lock", "db"))
"""Names of texts in which nobody writes PHP; `.txt`, `.md` and `.html` show examples of it."""

SCRIPTS = frozenset(("php", "php2", "php3", "php4", "php5", "php6", "php7", "php8", "phtml", "pht", "phps", "phar"))
COVERS = BINARIES | {"txt", "log", "css", "js", "xml", "html", "htm"}
"""An extension of these before `.php` makes a script look like something else."""

HIDDEN_TOOLS = re.compile(
    r"^\.(?:php[-_]cs(?:[-_]fixer)?|phpstorm\.meta|rector|phan|phpactor|styleci|config|env(?:\.\w+)?|psalm|php_cs)"
    r"(?:\.dist)?\.php$"
)
CORE_NAMES = frozenset(
    f"{name}.php"
    for name in (
        *("index", "wp-activate", "wp-blog-header", "wp-comments-post", "wp-config", "wp-config-sample", "wp-cron"),
        *("wp-links-opml", "wp-load", "wp-login", "wp-mail", "wp-settings", "wp-signup", "wp-trackback", "xmlrpc"),
        *("wp-admin", "wp-includes", "wp-content", "configuration", "admin-ajax", "functions", "header", "footer"),
    )
)
_LOOK_ALIKE = str.maketrans({"0": "o", "1": "l", "|": "l", "I": "l", "5": "s", "$": "s", "@": "a", "3": "e"})
_ALPHABETS = ("CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "FULLWIDTH", "MATHEMATICAL")
_INVISIBLE = frozenset("\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u2060\u3164\ufeff\uffa0")

WRITABLE = re.compile(
    r"(?:^|/)(?:wp-content/uploads|sites/[^/]+/files|pub/media|images/stories|userfiles|\.well-known)/"
    r"|^(?:uploads?|media|files)/"
)
"""Where visitors and editors put files and no program puts code."""

UPLOADS = re.compile(r"(?:^|/)(?:uploads?|user_?uploads|attachments)/")
SHOWS = re.compile(r"(?:^|/)(?:images?|img|pics?|photos?|icons?|gallery|fonts?|webfonts|css|styles?)/[^/]*$")
"""A folder of what pages show; some programs build such things by a script."""

KEEPS = re.compile(r"(?:^|/)(?:cache|tmp|temp|logs?)/")


@dataclass(frozen=True, slots=True)
class Claim:
    """What a path says of its file.

    Attributes:
        path: below the root, in lower case; name: its last part, as written.
        extensions: in lower case, without dots.
    """

    path: str
    name: str
    extensions: tuple[str, ...]

    @property
    def extension(self) -> str:
        """The last one; empty where there is none."""
        return self.extensions[-1] if self.extensions else ""

    @property
    def is_script(self) -> bool:
        """Whether a web server would run it by its name."""
        return self.extension in SCRIPTS

    @property
    def is_hidden(self) -> bool:
        """Whether it is a script that listings leave out, and none that programmers have."""
        return self.is_script and self.name.startswith(".") and HIDDEN_TOOLS.match(self.name) is None

    @property
    def is_covered(self) -> bool:
        """Whether a script's extension stands beside one of something else: `a.jpg.php`, `a.php.jpg`."""
        if len(self.extensions) < 2:  # noqa: PLR2004  # there must be two
            return False
        before, last = self.extensions[-2:]
        binary = BINARIES - {"svg"}
        return (last in SCRIPTS and before in binary) or (before in SCRIPTS and last in COVERS)

    @property
    def imitates(self) -> str:
        """The name of a file of a CMS that it looks like without being it, empty where there is none."""
        plain = _plain(self.name)
        looks = (one for one in (plain, plain.replace("rn", "m")) if one in CORE_NAMES and one != self.name.lower())
        return next(looks, "")

    @property
    def is_unreadable(self) -> bool:
        """Whether its name has characters that nobody sees or that stand for others."""
        if any(one in _INVISIBLE or unicodedata.category(one) == "Cf" for one in self.name):
            return True
        letters = [unicodedata.name(one, "") for one in self.name if one.isalpha()]
        strange = any(name.startswith(_ALPHABETS) for name in letters)
        stem = self.name.rpartition(".")[0]
        return strange and any(one.isascii() and one.isalpha() for one in stem)

    @property
    def is_blank(self) -> bool:
        """Whether its name ends or begins with a blank, or is made of dots."""
        return self.name != self.name.strip() or self.name.strip(". ") == ""


def claim_of(path: str) -> Claim:
    """Returns what a path says."""
    name = path.rpartition("/")[2]
    parts = name.lower().lstrip(".").split(".")
    return Claim(path.lower(), name, tuple(part.strip() for part in parts[1:]))


_CONFUSED = str.maketrans("авеорсухіјѕԁԛԝһⅼո", "abeopcyxijsdqwhln")


def _plain(name: str) -> str:
    """Returns a name as it looks at a glance."""
    folded = unicodedata.normalize("NFKD", name).translate(_LOOK_ALIKE).translate(_CONFUSED)
    return "".join(one for one in folded if one not in _INVISIBLE and not unicodedata.combining(one)).lower()
