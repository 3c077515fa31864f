"""What may be wrong with the account of a site: one table."""

from collections.abc import Mapping

from scanners.engine import Rule, rules_of
from sentry.domain.finding import Evidence, Finding, FindingClass, Place
from sentry.domain.tree_entry import TreeEntry

CONFIRMED, SUSPICIOUS, EXPOSED = FindingClass.CONFIRMED, FindingClass.SUSPICIOUS, FindingClass.EXPOSED
RISKY, ADVICE = FindingClass.RISKY_TOOL, FindingClass.ADVICE

RULES: Mapping[str, Rule] = {
    **rules_of(
        Evidence.BEHAVIOUR,
        {
            "account_runs_download": (CONFIRMED, "what another server sends is run as commands of the account"),
            "account_runs_hidden": (CONFIRMED, "commands that were encoded are run by the account"),
            "account_back_door": (CONFIRMED, "the account gives a stranger a shell"),
            "account_mines": (CONFIRMED, "the account mines coins"),
            "account_fetches_script": (
                SUSPICIOUS,
                "the account fetches a script from another server, again and again",
            ),
            "account_runs_from_odd_place": (
                SUSPICIOUS,
                "the account runs a hidden file or one of a temporary folder",
            ),
            "account_preloads": (SUSPICIOUS, "a library is loaded into every program that the account starts"),
        },
    ),
    **rules_of(
        Evidence.SETTING,
        {
            "unknown_key": (SUSPICIOUS, "a key that is not among `audit.known_keys` may log in to the account"),
            "key": (ADVICE, "this key may log in to the account: name it in `audit.known_keys` if it is known"),
            "runs_as_owner": (SUSPICIOUS, "whoever starts this file has the rights of its owner (setuid, setgid)"),
            "script_written_by_all": (EXPOSED, "every account of this host may write to a script or to its settings"),
            "written_by_all": (ADVICE, "every account of this host may write here: take that right away (chmod o-w)"),
            "settings_written_by_group": (ADVICE, "the group may write to the site's settings (chmod g-w)"),
            "link_to_secrets": (SUSPICIOUS, "a link leads to the secrets of others, as in attacks by links"),
            "other_owner": (ADVICE, "a script belongs to another account than most of the site's files"),
            "no_regular_file": (ADVICE, "a pipe, a socket or a device stands among the files of the site"),
        },
    ),
    **rules_of(
        Evidence.PLACE,
        {
            "drop_in": (RISKY, "WordPress runs this file at every page, and no list of plugins shows it (drop-in)"),
            "time_set_back": (
                ADVICE,
                "a script was changed long after all others of its folder, and has a time of before (a hint only)",
            ),
            "must_use_plugin": (
                RISKY,
                "WordPress runs this plugin at every page, and nobody can switch it off there",
            ),
        },
    ),
}


def of_entry(rule: str, entry: TreeEntry, detail: str = "") -> Finding:
    """Returns a finding of a file below the docroot."""
    told = RULES[rule]
    return Finding(entry.shown_path, told.verdict, (told.sign(detail=detail),), size_bytes=entry.size_bytes)


def of_account(rule: str, where: str, line: int, text: bytes, detail: str = "") -> Finding:
    """Returns a finding of a line of the account's own files."""
    told = RULES[rule]
    return Finding(where, told.verdict, (told.sign(line, text, detail=detail),), place=Place.ACCOUNT)
