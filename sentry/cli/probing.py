"""`online-sentry probe`: one probe, with every phase and all evidence, and no configuration needed."""

from typing import Annotated

import typer
from pydantic import TypeAdapter
from rich.markup import escape

from sentry.app.single import KINDS_BY_NAME, probe_once
from sentry.cli.shell import ExitCode, JsonOption, command, out, print_json
from sentry.domain.result import Phase, ProbeResult, Status

COLOURS = {Status.UP: "green", Status.DEGRADED: "yellow", Status.DOWN: "red", Status.UNKNOWN: "magenta"}
BAR_WIDTH = 40


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("probe")(command(probe))


async def probe(
    target: Annotated[
        str, typer.Argument(help="What to probe: a URL, or host:port for tls and tcp, or a host name.")
    ],
    *,
    kind: Annotated[str, typer.Option(help=f"How: {', '.join(KINDS_BY_NAME)}. Follows from the target.")] = "",
    option: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="A key of the check, as in the configuration; repeatable."),
    ] = None,
    timeout_s: Annotated[float, typer.Option("--timeout", help="Deadline over all phases, seconds.")] = 10.0,
    explain: Annotated[bool, typer.Option("--explain", help="Print each step and all evidence.")] = False,
    as_json: JsonOption = False,
) -> ExitCode:
    """Probe once, now. Exit code 0 when it is up or degraded, 1 when it is not."""
    result = await probe_once(target, kind=kind, settings=option or [], timeout_s=timeout_s)
    if as_json:
        print_json(TypeAdapter(ProbeResult).dump_python(result, mode="json"))
    else:
        _show(target, result, explain=explain)
    return ExitCode.OK if result.answers else ExitCode.NEGATIVE


def _show(target: str, result: ProbeResult, *, explain: bool) -> None:
    colour = COLOURS[result.status]
    why = f"  {result.reason}" if result.reason else ""
    out.print(f"[{colour} bold]{result.status.upper()}[/]{why}  {escape(target)}  {result.duration_s * 1000:.1f} ms")
    if result.detail:
        out.print(f"  {escape(result.detail)}")
    whole = sum(result.phases.values()) or 1.0
    for phase in Phase:
        if phase in result.phases:
            seconds = result.phases[phase]
            bar = "━" * max(1, round(BAR_WIDTH * seconds / whole))
            mark = "[red]✗[/red]" if phase is result.failed_phase else "[green]✓[/green]"
            out.print(f"  {mark} {phase:<11}{seconds * 1000:>9.1f} ms  [dim]{bar}[/dim]")
        elif phase is result.failed_phase:
            out.print(f"  [red]✗[/red] {phase}")
    if explain:
        _explain(result)


def _explain(result: ProbeResult) -> None:
    evidence = result.evidence
    if evidence.log:
        out.print("\n[bold]Steps[/bold]")
        for line in evidence.log:
            out.print(f"  {escape(line)}")
    if evidence.tls is not None and evidence.tls.chain:
        out.print("\n[bold]Certificate chain as presented[/bold]")
        for number, one in enumerate(evidence.tls.chain):
            out.print(f"  {number} {escape(one.subject)}")
            out.print(f"    issued by {escape(one.issuer)}")
            out.print(f"    {one.not_before:%Y-%m-%d %H:%M} to {one.not_after:%Y-%m-%d %H:%M} UTC, {escape(one.key)}")
            if one.names:
                out.print(f"    names {escape(', '.join(one.names))}")
    if evidence.http is not None:
        out.print(f"\n[bold]Answer[/bold]\n  HTTP/{evidence.http.version} {evidence.http.status}")
        for name, value in evidence.http.headers:
            out.print(f"  {escape(name)}: {escape(value)}")
        if evidence.http.body_head:
            out.print("\n[bold]Body, its head[/bold]")
            for line in evidence.http.body_head[:2000].splitlines():
                out.print(f"  │ {escape(line)}")
