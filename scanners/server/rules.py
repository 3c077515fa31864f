"""What settings may do that a site's owner would not want: one table."""

from collections.abc import Mapping

from scanners.engine import Rule, rules_of
from sentry.domain.finding import Evidence, FindingClass, Sign

CONFIRMED, SUSPICIOUS = FindingClass.CONFIRMED, FindingClass.SUSPICIOUS
RISKY, ADVICE = FindingClass.RISKY_TOOL, FindingClass.ADVICE

RULES: Mapping[str, Rule] = rules_of(
    Evidence.SETTING,
    {
        # What is run.
        "settings_run_pictures": (CONFIRMED, "the web server is told to run files that are no scripts by their name"),
        "settings_run_strange_names": (SUSPICIOUS, "the web server is told to run files with an extension of nobody"),
        "settings_run_everything": (SUSPICIOUS, "the web server is told to run every file of a folder"),
        "settings_run_pages": (RISKY, "the web server is told to run pages as scripts"),
        "settings_run_uploads": (SUSPICIOUS, "scripts are switched on in a folder of uploads"),
        "settings_allow_programs": (RISKY, "programs of the operating system may be run as pages"),
        "settings_hold_code": (CONFIRMED, "code stands in a file of settings"),
        "settings_load_into_programs": (CONFIRMED, "a library is loaded into every program that the server starts"),
        "settings_show_source": (RISKY, "the source of scripts is shown instead of their pages"),
        "settings_show_linked_source": (
            CONFIRMED,
            "the source of scripts is shown, and links to other sites are followed",
        ),
        "settings_odd_index": (RISKY, "a folder's page is a file with an unusual name"),
        "settings_index_of_no_page": (SUSPICIOUS, "a folder's page is a file that is no page by its name"),
        "settings_out_of_sight": (SUSPICIOUS, "settings are moved out of sight by blank lines or blanks"),
        # PHP.
        "settings_prepend_script": (SUSPICIOUS, "a script is run before or after every page of the site"),
        "settings_prepend_disguised_script": (
            CONFIRMED,
            "a file that is no script by its name, or a hidden one, is run before or after every page of the site",
        ),
        "settings_foreign_code": (SUSPICIOUS, "PHP may run files of other servers"),
        "settings_unlocked": (SUSPICIOUS, "the functions and folders that the host forbids to PHP are allowed again"),
        "settings_strange_extension": (SUSPICIOUS, "a library from an unusual place is loaded into PHP"),
        "settings_mail_elsewhere": (SUSPICIOUS, "mail of the site goes through an unusual program"),
        "settings_log_is_script": (SUSPICIOUS, "a log that visitors write to is a script"),
        "settings_dangerous_callback": (CONFIRMED, "PHP is told to give texts to a function that runs them"),
        # Where visitors go.
        "settings_send_searchers_away": (
            CONFIRMED,
            "visitors who come from a search engine, or search engines themselves, are sent to another site",
        ),
        "settings_other_page_for_searchers": (SUSPICIOUS, "search engines and their visitors are given another page"),
        "settings_send_phones_away": (SUSPICIOUS, "visitors with a phone are sent to another site"),
        "settings_bare_address": (SUSPICIOUS, "visitors are sent to a bare address"),
        "settings_errors_elsewhere": (RISKY, "who meets an error is sent to another site"),
        "settings_all_errors_elsewhere": (SUSPICIOUS, "who meets any error is sent to the same page of another site"),
        "settings_change_pages": (SUSPICIOUS, "the web server writes scripts or frames into every page"),
        "settings_refresh": (SUSPICIOUS, "the web server tells browsers to go to another site"),
        "settings_proxy": (RISKY, "pages are fetched from another server"),
        # Who may call what.
        "settings_only_named_scripts": (SUSPICIOUS, "all scripts are forbidden but some that no CMS has"),
        "settings_few_named_scripts": (RISKY, "all scripts are forbidden but some that no CMS has"),
        "settings_keep_others_out": (
            CONFIRMED,
            "all scripts are forbidden, in every spelling, but those of an intruder",
        ),
        "settings_forbid_every_spelling": (SUSPICIOUS, "scripts are forbidden in every spelling, as intruders do"),
        "settings_config_readable": (SUSPICIOUS, "files of settings may be fetched"),
        # The settings of WordPress.
        "wp_config_runs_disguised_file": (SUSPICIOUS, "wp-config.php runs a file that is no script, or a hidden one"),
        "wp_config_runs_file": (RISKY, "wp-config.php runs a file that WordPress does not have"),
        "wp_config_hidden_name": (SUSPICIOUS, "wp-config.php runs a file whose name is hidden"),
        "wp_config_acts_at_end": (SUSPICIOUS, "wp-config.php goes on after WordPress was loaded"),
    },
)


def sign(rule: str, line: int, text: str, detail: str = "") -> Sign:
    """Returns that a rule was seen in a line."""
    return RULES[rule].sign(line, text.encode("latin-1", "replace"), detail=detail)
