"""`online-sentry probe`: one probe, with every phase and all evidence, and no configuration needed."""

from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import TypeAdapter

from sentry.app.single import KINDS_BY_NAME, Probed, probe_once
from sentry.cli.explanation import explanation, verdict
from sentry.cli.shell import ExitCode, JsonOption, command, out, print_json, working
from sentry.domain.failure_report import CollectedEvidence
from sentry.domain.public_url import public_url
from sentry.domain.result import ProbeResult

RESULT: TypeAdapter[ProbeResult] = TypeAdapter(ProbeResult)
AROUND: TypeAdapter[CollectedEvidence] = TypeAdapter(CollectedEvidence)


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("probe")(command(probe))


async def probe(
    target: Annotated[
        str,
        typer.Argument(help="What to probe: a URL, host:port, or a host name; also tcp://, tls://, icmp://, dns://."),
    ],
    *,
    kind: Annotated[str, typer.Option(help=f"How: {', '.join(KINDS_BY_NAME)}. Follows from the target.")] = "",
    option: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="A key of the check, as in the configuration; repeatable."),
    ] = None,
    timeout_s: Annotated[
        float, typer.Option("--timeout", metavar="SECONDS", help="Deadline over all phases.")
    ] = 10.0,
    resolver: Annotated[
        list[str] | None,
        typer.Option(metavar="ADDRESS", help="DNS server to ask in place of the system's; repeatable."),
    ] = None,
    ca_file: Annotated[
        Path | None, typer.Option("--ca-file", metavar="FILE", help="Further trusted roots, PEM.")
    ] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Look around too, and print all evidence.")] = False,
    as_json: JsonOption = False,
) -> ExitCode:
    """Probe once, now. Exit code 0 when it is up or degraded, 1 when it is not."""
    with working(f"probing {public_url(target)}, {timeout_s:g} s at most"):
        probed = await probe_once(
            target,
            kind=kind,
            settings=option or (),
            timeout_s=timeout_s,
            resolvers=resolver or (),
            ca_file=ca_file,
            look_around=explain,
        )
    if as_json:
        print_json(_document(probed))
    else:
        for line in (*verdict(probed), *(explanation(probed) if explain else ())):
            out.print(line)
    return ExitCode.OK if probed.result.answers else ExitCode.NEGATIVE


def _document(probed: Probed) -> dict[str, Any]:
    document: dict[str, Any] = {"url": probed.url, **RESULT.dump_python(probed.result, mode="json")}
    if probed.around is not None:
        document["around"] = AROUND.dump_python(probed.around, mode="json")
    return document
