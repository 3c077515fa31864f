"""Words for whose fault a failure most likely is, the fact that says so, and the entries of a timeline."""

from sentry.domain.failure_report import Attribution
from sentry.reports.wording import N_

SIDE_TEXT: dict[Attribution, str] = {
    Attribution.INFRASTRUCTURE: N_("the hosting"),
    Attribution.SITE: N_("the web site itself"),
    Attribution.THIRD_PARTY: N_("a third party"),
    Attribution.CLIENT: N_("the client"),
    Attribution.UNKNOWN: N_("not clear yet"),
}

BASIS_TEXT: dict[str, str] = {
    "connect_refused": N_("the server refuses the connection"),
    "connect_timeout": N_("the server does not answer the connection"),
    "connect_unreachable": N_("there is no network path to the server"),
    "connection_reset": N_("the server cuts the connection"),
    "certificate_invalid": N_("the certificate is not valid"),
    "certificate_expires_soon": N_("the certificate is about to expire"),
    "tls_handshake": N_("the TLS handshake fails"),
    "tls_timeout": N_("the TLS handshake does not end"),
    "status_5xx": N_("the server itself reports an error (5xx)"),
    "http_protocol": N_("the server does not speak proper HTTP"),
    "processing_timeout": N_("the server takes the request and does not answer"),
    "transfer_timeout": N_("the server does not finish its answer"),
    "slow_response": N_("the server answers slowly"),
    "reply_timeout": N_("the service gives no reply"),
    "reply_mismatch": N_("the service gives another reply"),
    "status_4xx": N_("the server works but refuses this page (4xx)"),
    "status_unexpected": N_("the server works but gives another status"),
    "header_mismatch": N_("the server works but a header is not right"),
    "bot_challenge": N_("the protection of the site refuses the watch"),
    "parked_page": N_("another page stands where the site was"),
    "error_page": N_("the server works but the page is an error message"),
    "body_text_missing": N_("the server works but the page lacks its text"),
    "body_text_forbidden": N_("the server works but the page shows an error text"),
    "body_json_mismatch": N_("the server works but its data is not right"),
    "body_too_large": N_("the server works but the page is too large"),
    "redirects": N_("the server works but its redirects lead nowhere"),
    "heartbeat_missed": N_("the job did not call in"),
    "heartbeat_failed": N_("the job called in and said that it failed"),
    "dns_answer_mismatch": N_("the DNS records differ from what was agreed"),
    "agent_fault": N_("the watch itself was at fault"),
    "unexplained": N_("no fact points to a side"),
    "dns_unconfirmed": N_("fewer than two resolvers gave an answer"),
    "dns_resolvers_disagree": N_("the resolvers disagree"),
    "dns_resolvers_agree": N_("every resolver fails alike"),
    "some_addresses_fail": N_("some of its addresses answer and others do not"),
}

TIMELINE_TEXT: dict[str, str] = {
    "first_failure": N_("first failure"),
    "confirmed": N_("outage confirmed"),
    "reopened": N_("failed again"),
    "check_joined": N_("another check fails"),
    "check_recovered": N_("a check answers again"),
    "check_removed": N_("a check is no longer watched"),
    "check_withdrawn": N_("it was a fault of the watch itself"),
    "maintenance_overran": N_("the announced maintenance is over, and it still fails"),
    "resolved": N_("resolved"),
    "evidence_added": N_("evidence added"),
    "raised": N_("noticed"),
    "raised_again": N_("noticed again"),
    "next_stage": N_("nearer"),
    "worse": N_("worse"),
    "changed": N_("still lasts"),
    "attributed": N_("put down to a side"),
    "acknowledged": N_("acknowledged"),
    "comment": N_("comment"),
    "alert_sent": N_("alert sent"),
    "alert_failed": N_("alert not delivered"),
    "ticket_filed": N_("ticket filed"),
}

SAID_BY_LABEL = frozenset(
    {
        "first_failure",
        "confirmed",
        "reopened",
        "resolved",
        "evidence_added",
        "maintenance_overran",
        "raised",
        "raised_again",
        "next_stage",
        "changed",
    }
)
"""Entries whose text only repeats, in English, what their label and the report around them say."""

SAID_BY_CHECK = frozenset({"check_recovered", "check_removed", "check_withdrawn"})
"""Entries that say no more than their label and the check that their data name."""
