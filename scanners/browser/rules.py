"""What scripts and pages do to visitors: one table."""

from collections.abc import Mapping

from scanners.engine import Rule, rules_of
from sentry.domain.finding import Evidence, FindingClass

CONFIRMED, SUSPICIOUS = FindingClass.CONFIRMED, FindingClass.SUSPICIOUS

RULES: Mapping[str, Rule] = {
    **rules_of(
        Evidence.BEHAVIOUR,
        {
            "script_skims_payments": (
                CONFIRMED,
                "what customers type when they pay is collected and sent to a stranger",
            ),
            "script_sends_card_data": (
                SUSPICIOUS,
                "a script that reads payment fields sends something to a stranger",
            ),
            "script_loads_hidden_script": (CONFIRMED, "a script is loaded from an address that was hidden"),
            "script_loads_built_script": (SUSPICIOUS, "a script is loaded whose address is put together"),
            "script_redirects_hidden": (CONFIRMED, "visitors are sent to an address that was hidden"),
            "script_redirects_searchers": (
                CONFIRMED,
                "visitors who come from a search engine are sent to a stranger",
            ),
            "script_redirects_phones": (SUSPICIOUS, "visitors with a phone are sent to a stranger"),
            "script_runs_decoded": (SUSPICIOUS, "text that was hidden is run as a script"),
            "script_writes_decoded": (
                SUSPICIOUS,
                "text that was hidden, with a script or a frame in it, is written into the page",
            ),
            "script_runs_answer": (SUSPICIOUS, "what a stranger's server answers is run as a script"),
            "script_runs_from_chain": (CONFIRMED, "code is fetched from a public block chain and run"),
            "script_mines": (CONFIRMED, "visitors' computers are made to mine coins"),
            "script_gives_commands": (CONFIRMED, "visitors are brought to paste a command into their system"),
            "script_fakes_update": (SUSPICIOUS, "visitors are told to install an update of their browser"),
            "script_worker_of_stranger": (SUSPICIOUS, "a worker for push messages runs the script of a stranger"),
            "script_tells_bot": (CONFIRMED, "what visitors type is sent to a bot of a messenger"),
            "script_takes_logins": (SUSPICIOUS, "passwords that are typed are sent to a stranger"),
            "page_hidden_frame": (SUSPICIOUS, "a frame with a stranger's page stands where nobody sees it"),
            "page_hidden_links": (SUSPICIOUS, "links to strangers stand where nobody sees them"),
            "page_hidden_spam": (CONFIRMED, "links that sell things to search engines stand where nobody sees them"),
            "page_script_outside": (SUSPICIOUS, "a stranger's script stands before or after the page proper"),
            "page_script_odd_host": (
                SUSPICIOUS,
                "a script is loaded from an odd address or one like a known service",
            ),
            "page_password_to_stranger": (SUSPICIOUS, "a form sends a password to a stranger"),
            "page_asks_as_brand": (SUSPICIOUS, "a page asks for a password in the name of a well-known company"),
        },
    ),
    **rules_of(
        Evidence.STYLE,
        {
            "script_appended": (SUSPICIOUS, "an unreadable script stands at the begin or the end of a readable one"),
            "script_of_signs": (SUSPICIOUS, "a script is written in brackets and signs only"),
            "script_scrambled": (FindingClass.ENCODED, "the names and texts of a script were made unreadable"),
        },
    ),
}
