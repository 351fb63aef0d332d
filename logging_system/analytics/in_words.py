"""The answers as people read them: the number before what it counts, and what is not known said as that."""

from __future__ import annotations

import math
from collections.abc import Iterator

from logging_system.analytics.answers import Partial
from logging_system.analytics.comparing import Change, Comparison
from logging_system.analytics.latency import Latency
from logging_system.analytics.lines import Line
from logging_system.analytics.noisiest import NewLoggers, Noise, Noisiest
from logging_system.analytics.rates import BucketState, RateBucket, Rates
from logging_system.analytics.storage import Storage
from logging_system.analytics.templates import SEALED, NewTemplates, Template, TopTemplates, rounded
from logging_system.analytics.windows import zone_of

SHOWN_MAX = 10
_BAR_CHARACTERS = 30
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def rates_in_words(rates: Rates) -> Iterator[str]:
    """Yield the lines that tell records by level and over time.

    Args:
        rates: What `rates` returned.
    """
    window = rates.window
    since, until = (each.astimezone(zone_of(window.zone)) for each in (window.since, window.until))
    span = f"{since:%Y-%m-%d %H:%M:%S} to {until:%Y-%m-%d %H:%M:%S} ({window.zone})"
    yield f"{rates.count} records from {span}, buckets of {rates.interval.name}"
    yield from _partial(rates.partial)
    if not rates.streams_found:
        yield "  no data stream of these namespaces exists"
        return
    for level, count in rates.by_level.items():
        yield _one_line(f"  {count:>9} {level:10} {_share(count, rates.count)}")
    if rates.errors:
        yield f"  {_share(rates.errors, rates.count)} of the records are errors"
    most = max((bucket.count or 0 for bucket in rates.buckets), default=0)
    if most:
        yield from (_bucket(each, most, rates) for each in rates.buckets)


def _bucket(bucket: RateBucket, most: int, rates: Rates) -> str:
    form = "%Y-%m-%d" if rates.interval.is_calendar else "%m-%d %H:%M:%S"
    shown = bucket.start.strftime(form)
    if bucket.by_level is None or bucket.count is None:
        return f"  {shown}         ?  gap: the pipeline was down, so this is not zero"
    errors = sum(count for level, count in bucket.by_level.items() if level in ("error", "critical", "fatal"))
    bar = "#" * round(_BAR_CHARACTERS * bucket.count / most)
    told = f"  {errors} errors" if errors else ""
    doubt = "" if bucket.state is BucketState.SETTLED else f"  ({bucket.state.value})"
    return f"  {shown} {bucket.count:>9}  {bar}{told}{doubt}".rstrip()


def latency_in_words(latency: Latency | None) -> Iterator[str]:
    """Yield the line that tells logged → searchable."""
    if latency is None:
        yield (
            "logged to searchable: not known; documents have no event.ingested, give --status FILE of the "
            "shipper"
        )
        return
    form = "at most {}" if latency.is_bound else "{}"
    told = ", ".join(
        f"p{share} {form.format(_seconds(value))}"
        for share, value in ((50, latency.p50_seconds), (95, latency.p95_seconds), (99, latency.p99_seconds))
    )
    who = "the shipper, all it delivered" if latency.source == "shipper" else "event.ingested"
    share = "" if latency.sampled_share >= 1 else f", {latency.sampled_share:.1%} of the records"
    yield f"logged to searchable: {told} ({latency.count} records; {who}{share})"
    yield from _partial(latency.partial)


def templates_in_words(found: TopTemplates, title: str) -> Iterator[str]:
    """Yield the lines that tell templates.

    Args:
        found: The templates; none yield nothing.
        title: Begins the first line.
    """
    if not found.templates:
        return
    looked = "all looked at" if found.share >= 1 else f"{found.share:.1%} looked at, counts are estimates"
    yield f"{title}: {found.count} records, {looked}"
    yield from _partial(found.partial)
    yield from (_template(each, is_exact=found.share >= 1) for each in found.templates[:SHOWN_MAX])
    if len(found.templates) > SHOWN_MAX:
        yield f"  {len(found.templates) - SHOWN_MAX} more"


def new_templates_in_words(found: NewTemplates) -> Iterator[str]:
    """Yield the lines that tell new templates.

    Args:
        found: The new templates, and those of which it is not known.
    """
    if found.templates:
        yield f"error templates that did not come before: {len(found.templates)}"
        yield from (_template(each, is_exact=found.share >= 1) for each in found.templates[:SHOWN_MAX])
    if found.unchecked:
        yield f"error templates of which it is not known whether they came before: {len(found.unchecked)}"
        yield from (_template(each, is_exact=found.share >= 1) for each in found.unchecked[:SHOWN_MAX])
    if not found.templates and not found.unchecked:
        yield "no error template is new"
    yield from _partial(found.partial)


def noisiest_in_words(found: Noisiest) -> Iterator[str]:
    """Yield the lines that tell namespaces and loggers.

    Args:
        found: The noisiest first; of each kind at most `SHOWN_MAX` are told.
    """
    yield from _partial(found.partial)
    if len(found.namespaces) > 1:
        yield "noisiest namespaces:"
        yield from (_noise(each, found.count) for each in found.namespaces[:SHOWN_MAX])
    if found.loggers:
        yield "noisiest loggers:"
        yield from (_noise(each, found.count) for each in found.loggers[:SHOWN_MAX])
        left = found.loggers_left_out + sum(each.count for each in found.loggers[SHOWN_MAX:])
        if left:
            yield f"  {left:>9} of other loggers"
    if found.undeclared:
        yield f"{found.undeclared} records asked for a namespace that is not declared (setting namespaces)"


def new_loggers_in_words(found: NewLoggers) -> Iterator[str]:
    """Yield the lines that tell new loggers.

    Args:
        found: The new loggers, of which at most `SHOWN_MAX` are told.
    """
    if found.loggers:
        yield f"loggers that were not heard before: {len(found.loggers)}"
        yield from (_one_line(f"  {each.count:>9} {each.name}") for each in found.loggers[:SHOWN_MAX])
    if not found.is_exact:
        yield "  there are more loggers than were told apart; a quiet one may be missing, or not be new"
    yield from _partial(found.partial)


def comparison_in_words(found: Comparison) -> Iterator[str]:
    """Yield the lines that tell before and after.

    Args:
        found: What `compare` returned.
    """
    moment = found.moment.astimezone(zone_of(found.after.zone)).isoformat(timespec="seconds")
    yield f"{_span(found.before.seconds)} before and {_span(found.after.seconds)} after {moment}:"
    yield from _partial(found.partial)
    yield from (_change(each) for each in (found.records, found.errors))
    yield f"  error share: {_verdict(found.error_share)}"
    changed = [each for each in found.loggers if each.is_change]
    if changed:
        yield "errors by logger, where they changed:"
        yield from (_change(each) for each in changed[:SHOWN_MAX])
    if found.loggers_left_out:
        yield f"  {found.loggers_left_out} errors of loggers that are not listed"


def storage_in_words(found: Storage) -> Iterator[str]:
    """Yield the lines that tell what namespaces cost.

    Args:
        found: What `storage` returned.
    """
    yield from _partial(found.partial)
    if found.namespaces:
        yield "stored:"
    for each in found.namespaces:
        size = _size(each.stored_bytes)
        kept = f"kept {each.retention}" if each.retention else "nothing limits how long"
        if each.retention is None:
            kept = "the store does not say how long"
        yield f"  {each.namespace}: {each.documents} documents, {size}, {each.indices} indices, {kept}"


def line_in_words(line: Line, zone: str) -> str:
    """Return a stored line as one line of text.

    Args:
        line: The stored line.
        zone: The time zone to tell its moment in, by its IANA name.
    """
    moment = line.moment.astimezone(zone_of(zone)).isoformat(timespec="milliseconds")
    sealed = " [has sealed fields]" if line.sealed and line.message != SEALED else ""
    # Whoever may write a record may write its level and logger too.
    return _one_line(f"{moment} {line.namespace} {line.level} {line.logger}: {line.message}{sealed}")


def _partial(partial: Partial | None) -> Iterator[str]:
    if partial is not None:
        yield f"  PARTIAL, there may be more than is told here: {partial}"


def _change(change: Change) -> str:
    rates = f"{_number(change.before.per_minute)} → {_number(change.after.per_minute)} a minute"
    counts = f"{change.before.count} → {change.after.count}"
    return _one_line(f"  {change.name}: {rates} ({counts}), {_verdict(change)}")


def _verdict(change: Change) -> str:
    if not change.before.count and not change.after.count:
        return "none on both sides"
    if change.high is None:
        return "not comparable"
    interval = f"99 % interval {_number(change.low)} to {_number(change.high)}"
    ratio = "none before" if change.ratio is None else f"times {_number(change.ratio)}"
    if change.is_change:
        return f"{ratio}, {interval}"
    return f"{ratio}, within what noise makes ({interval})"


def _template(template: Template, *, is_exact: bool) -> str:
    about = "" if is_exact else "~"
    error = f" [{template.error}]" if template.error else ""
    return _one_line(
        f"  {about + str(rounded(template.estimate)):>9} {template.logger}: {template.text}{error}"
    )


def _noise(noise: Noise, total: int) -> str:
    errors = f", {noise.errors} errors" if noise.errors else ""
    return _one_line(f"  {noise.count:>9} {noise.name} {_share(noise.count, total)}{errors}")


def _one_line(text: str) -> str:
    # What an application logs must not move the cursor of whoever reads it.
    return "".join(each if each.isprintable() else " " for each in text)


def _share(count: int, total: int) -> str:
    return f"{count / total:.1%}" if total else ""


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1_000 else f"{value:.3g}"


def _span(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 120 else f"{seconds:.0f} s"


def _seconds(value: float) -> str:
    return f"{value:.3g} s" if math.isfinite(value) else "more than 2 hours"


def _size(size_bytes: float) -> str:
    for unit in _UNITS[:-1]:
        if size_bytes < 1024:
            return f"{size_bytes:.3g} {unit}"
        size_bytes /= 1024
    return f"{size_bytes:.3g} {_UNITS[-1]}"
