"""The table of routes: the server is built from it, and so is its description."""

from http import HTTPStatus

from sentry.domain.incident import IncidentState
from sentry.domain.ticket import TicketState
from sentry.web import (
    assets,
    attributions,
    audits,
    exporter,
    heartbeats,
    interface,
    maintenance,
    operation,
    pages,
    sign_in,
)
from sentry.web.documents import (
    AttributionDocument,
    AttributionListDocument,
    BudgetListDocument,
    CheckListDocument,
    IncidentDetailDocument,
    IncidentListDocument,
    LedgerDocument,
    SiteDetailDocument,
    SiteListDocument,
    TicketDetailDocument,
    TicketListDocument,
)
from sentry.web.route import LIMIT, OFFSET, Access, Parameter, Route, path_parameter, schema_of
from sentry.web.standing import Standing

_NOT_FOUND = (HTTPStatus.NOT_FOUND,)
_BAD = (HTTPStatus.BAD_REQUEST,)
_BAD_OR_NOT_FOUND = (HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND)
_NO_STORE = (HTTPStatus.SERVICE_UNAVAILABLE,)

SITE = Parameter("site", "Key of a site.")
CLIENT = Parameter("client", "Key of a client.")
MONTH = Parameter(
    "month",
    "Calendar month in the site's zone; the running one when absent.",
    schema={"type": "string", "pattern": r"^\d{4}-\d{2}$"},
)

_AUDIT = path_parameter("number", "Number of the audit.")

PROMETHEUS = (
    Route(
        "GET", "/metrics", exporter.metrics, "Every metric, text format 0.0.4.", "prometheus", media_type="text/plain"
    ),
    Route(
        "GET",
        "/probe",
        exporter.probe,
        "The last scheduled sample of a target in blackbox_exporter's form. Never probes on demand.",
        "prometheus",
        parameters=(exporter.TARGET, exporter.MODULE),
        media_type="text/plain",
        errors=_BAD_OR_NOT_FOUND,
    ),
    Route("GET", "/sd", exporter.service_discovery, "Targets for Prometheus' HTTP service discovery.", "prometheus"),
)

OPERATION = (
    Route(
        "GET",
        "/healthz",
        operation.health,
        "How the agent is; 503 when the watch is stalled.",
        "operation",
        Access.OPEN,
        answer=operation.HealthDocument,
        errors=_NO_STORE,
    ),
    Route(
        "POST",
        "/-/reload",
        operation.reload,
        "Reads the configuration again; 400 names every problem.",
        "operation",
        answer=operation.ReloadDocument,
        errors=_BAD,
    ),
)

_JOB = (path_parameter("site", "Key of a site."), path_parameter("check", "Name of its heartbeat check."))
_CALL = (*_JOB, heartbeats.TOKEN_QUERY, heartbeats.TOKEN_IN_HEADER)
_CALL_ERRORS = (HTTPStatus.NOT_FOUND, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.TOO_MANY_REQUESTS)

HEARTBEATS = tuple(
    Route(
        method,
        path,
        handler,
        summary,
        "heartbeats",
        Access.HEARTBEAT,
        _CALL,
        heartbeats.HeartbeatDocument,
        errors=_CALL_ERRORS,
    )
    for path, handler, summary in (
        ("/heartbeat/{site}/{check}", heartbeats.succeeded, "A watched job went well."),
        ("/heartbeat/{site}/{check}/fail", heartbeats.failed, "A watched job failed; the body says why."),
    )
    for method in ("GET", "POST")
)

INTERFACE = (
    Route(
        "GET",
        "/api/v1/sites",
        interface.sites,
        "Sites and how they stand.",
        "sites",
        parameters=(CLIENT, Parameter("state", "How they stand.", schema=schema_of(Standing)), LIMIT, OFFSET),
        answer=SiteListDocument,
        errors=_BAD,
    ),
    Route(
        "GET",
        "/api/v1/sites/{key}",
        interface.site,
        "One site with its checks.",
        "sites",
        parameters=(path_parameter("key", "Key of the site."),),
        answer=SiteDetailDocument,
        errors=_NOT_FOUND,
    ),
    Route(
        "GET",
        "/api/v1/checks",
        interface.checks,
        "Checks with their last results.",
        "sites",
        parameters=(SITE, LIMIT, OFFSET),
        answer=CheckListDocument,
        errors=_BAD,
    ),
    Route(
        "GET",
        "/api/v1/audits",
        audits.audits,
        "Security audits, newest first.",
        "audits",
        parameters=(SITE, audits.BEFORE, LIMIT),
        answer=audits.AuditListDocument,
        errors=(*_BAD, *_NO_STORE),
    ),
    Route(
        "GET",
        "/api/v1/audits/{number}",
        audits.audit,
        "One security audit with every finding.",
        "audits",
        parameters=(_AUDIT,),
        answer=audits.AuditDetailDocument,
        errors=(*_NOT_FOUND, *_NO_STORE),
    ),
    Route(
        "GET",
        "/api/v1/incidents",
        interface.incidents,
        "Incidents, newest first.",
        "incidents",
        parameters=(SITE, Parameter("state", "Where they stand.", schema=schema_of(IncidentState)), LIMIT),
        answer=IncidentListDocument,
        errors=(*_BAD, *_NO_STORE),
    ),
    Route(
        "GET",
        "/api/v1/incidents/{id}",
        interface.incident,
        "One incident with timeline and failure report.",
        "incidents",
        parameters=(path_parameter("id", "Number of the incident."),),
        answer=IncidentDetailDocument,
        errors=(*_NOT_FOUND, *_NO_STORE),
    ),
    Route(
        "GET",
        "/api/v1/incidents/{id}/attributions",
        attributions.history,
        "All that was said of whose side an incident was on.",
        "incidents",
        parameters=(path_parameter("id", "Number of the incident."),),
        answer=AttributionListDocument,
        errors=(*_NOT_FOUND, *_NO_STORE),
    ),
    Route(
        "POST",
        "/api/v1/incidents/{id}/attributions",
        attributions.attribute,
        "Adds a person's word on whose side an incident was; it counts from now on.",
        "incidents",
        parameters=(path_parameter("id", "Number of the incident."),),
        body=attributions.Said,
        answer=AttributionDocument,
        errors=(
            *_BAD_OR_NOT_FOUND,
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            *_NO_STORE,
        ),
    ),
    Route(
        "GET",
        "/api/v1/tickets",
        interface.tickets,
        "Tickets, newest first.",
        "tickets",
        parameters=(Parameter("state", "Where they stand.", schema=schema_of(TicketState)), LIMIT),
        answer=TicketListDocument,
        errors=(*_BAD, *_NO_STORE),
    ),
    Route(
        "GET",
        "/api/v1/tickets/{number}",
        interface.ticket,
        "One ticket with its history.",
        "tickets",
        parameters=(path_parameter("number", "Number of the ticket."),),
        answer=TicketDetailDocument,
        errors=(*_NOT_FOUND, *_NO_STORE),
    ),
    Route(
        "GET",
        "/api/v1/ledger",
        interface.ledger,
        "The minutes of a site's month and the budget that they make.",
        "budget",
        parameters=(SITE, MONTH),
        answer=LedgerDocument,
        errors=(*_BAD_OR_NOT_FOUND, *_NO_STORE),
    ),
    Route(
        "GET",
        "/api/v1/budget",
        interface.budgets,
        f"Budgets of a month, at most {interface.BUDGETS_AT_ONCE} in one answer.",
        "budget",
        parameters=(SITE, MONTH, LIMIT, OFFSET),
        answer=BudgetListDocument,
        errors=(*_BAD_OR_NOT_FOUND, *_NO_STORE),
    ),
)

_WINDOW = path_parameter("key", "Number of the window.")
_SAID = (HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)

MAINTENANCE = (
    Route(
        "GET",
        "/api/v1/maintenance",
        maintenance.windows,
        "Maintenance that is announced or under way.",
        "maintenance",
        parameters=(SITE, CLIENT, maintenance.EVERY),
        answer=maintenance.WindowListDocument,
        errors=_BAD_OR_NOT_FOUND,
    ),
    Route(
        "POST",
        "/api/v1/maintenance",
        maintenance.announce,
        "Announces maintenance.",
        "maintenance",
        body=maintenance.Announcement,
        answer=maintenance.WindowDocument,
        errors=(*_SAID, *_NO_STORE),
    ),
    Route(
        "POST",
        "/api/v1/maintenance/{key}/end",
        maintenance.end,
        "Lets maintenance end at another time.",
        "maintenance",
        parameters=(_WINDOW,),
        body=maintenance.NewEnd,
        answer=maintenance.WindowDocument,
        errors=(*_SAID, *_NO_STORE),
    ),
    Route(
        "DELETE",
        "/api/v1/maintenance/{key}",
        maintenance.cancel,
        "Cancels what is still to come of maintenance.",
        "maintenance",
        parameters=(_WINDOW, maintenance.BY),
        answer=maintenance.WindowDocument,
        errors=(*_BAD_OR_NOT_FOUND, *_NO_STORE),
    ),
    Route(
        "GET",
        "/maintenance.ics",
        maintenance.calendar,
        "Maintenance as iCalendar, for programs that subscribe to it.",
        "maintenance",
        Access.CALENDAR,
        (SITE, CLIENT, maintenance.KEY),
        media_type="text/calendar",
        errors=_BAD_OR_NOT_FOUND,
    ),
)

_ID = path_parameter("id", "Number of the incident.")
_HTML = "text/html"

PAGES = (
    Route(
        "GET",
        "/",
        pages.status,
        "The status page of all sites.",
        "pages",
        parameters=(
            Parameter("q", "Words of a name, address or client."),
            CLIENT,
            Parameter("state", "How they stand.", schema=schema_of(Standing)),
            pages.PAGE,
            Parameter("refresh", "Anything: the page loads itself again every half minute."),
        ),
        media_type=_HTML,
        errors=_BAD,
    ),
    Route(
        "GET",
        "/sites/{key}",
        pages.site,
        "The page of one site.",
        "pages",
        parameters=(path_parameter("key", "Key of the site."),),
        media_type=_HTML,
        errors=_NOT_FOUND,
    ),
    Route(
        "GET", "/incidents", pages.incidents, "The newest incidents.", "pages", parameters=(SITE,), media_type=_HTML
    ),
    Route(
        "GET",
        "/incidents/{id}",
        pages.incident,
        "One incident with its failure report.",
        "pages",
        parameters=(_ID,),
        media_type=_HTML,
        errors=_NOT_FOUND,
    ),
    Route(
        "GET",
        "/incidents/{id}/report.txt",
        pages.report_text,
        "The failure report as text.",
        "pages",
        parameters=(_ID,),
        media_type="text/plain",
        errors=_NOT_FOUND,
    ),
    Route(
        "GET",
        "/maintenance",
        maintenance.page,
        "Maintenance that is announced.",
        "pages",
        parameters=(CLIENT,),
        media_type=_HTML,
        errors=_BAD_OR_NOT_FOUND,
    ),
    Route(
        "GET",
        "/audits/{number}",
        audits.page,
        "One security audit.",
        "pages",
        parameters=(_AUDIT,),
        media_type=_HTML,
        errors=_NOT_FOUND,
    ),
    Route("GET", "/tickets", pages.tickets, "The newest tickets.", "pages", media_type=_HTML),
    Route(
        "GET",
        "/tickets/{number}",
        pages.ticket,
        "One ticket with its history.",
        "pages",
        parameters=(path_parameter("number", "Number of the ticket."),),
        media_type=_HTML,
        errors=_NOT_FOUND,
    ),
    Route(
        "GET",
        "/sign-in",
        sign_in.form,
        "The form to sign in.",
        "sign-in",
        Access.OPEN,
        (Parameter("next", "Where to go on to."),),
        media_type=_HTML,
    ),
    Route(
        "POST",
        "/sign-in",
        sign_in.sign_in,
        "Takes the token, gives a cookie.",
        "sign-in",
        Access.OPEN,
        media_type=_HTML,
        errors=(HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS),
    ),
    Route(
        "POST",
        "/sign-out",
        sign_in.sign_out,
        "Takes the cookie back.",
        "sign-in",
        Access.OPEN,
        media_type=_HTML,
        errors=(HTTPStatus.FORBIDDEN,),
    ),
    Route(
        "GET",
        "/static/{name}",
        assets.static,
        "Style sheet and icons of the pages.",
        "pages",
        Access.OPEN,
        (path_parameter("name", "File name."),),
        media_type="text/css",
        errors=_NOT_FOUND,
    ),
)
