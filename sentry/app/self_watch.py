"""The agent's watch over itself, between its probes and the watch over the sites; in the parent of workers alone."""

from probes.environment import ProbeEnvironment
from probes.resolver import AiodnsResolver
from probes.surroundings import AgentSurroundings
from sentry.app.books import Books
from sentry.domain.anchor import parse_anchor
from sentry.metrics.telemetry import Metrics
from sentry.services.hearing import Hearing
from sentry.services.self_examination import SelfExamination
from sentry.services.watch import Watch


def build_hearing(
    books: Books,
    metrics: Metrics,
    watch: Watch,
    environment: ProbeEnvironment,
    resolver: AiodnsResolver,
    *,
    probes_here: bool,
) -> Hearing:
    """Builds what hears failures before they count.

    Args:
        books: settings and clock.
        metrics: told of each look.
        watch: where results go on.
        environment: with what the anchors are asked.
        resolver: asks dead servers last.
        probes_here: whether the probes run in this process and not in workers.
    """
    probing, clock = books.settings.probe, books.clock
    anchors = [parse_anchor(text) for text in probing.anchors]
    examination = SelfExamination(
        AgentSurroundings(environment, anchors, probing.resolvers),
        clock,
        metrics,
        correct=watch.correct,
        put_last=resolver.put_last,
        times_loop=probes_here,
        site_count=lambda: len(books.settings.sites),
    )
    return Hearing(examination, clock, take=watch.take, correct=watch.correct, every_s=probing.examine_every_s)


async def resume(hearing: Hearing, books: Books) -> None:
    """Ends the spans of own fault that a former run left open."""
    now = books.clock.now()
    hearing.resume([fault for fault in await books.store.ledger.own_faults(now, now) if fault.ended_at is None])
