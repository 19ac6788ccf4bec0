"""The pages of segments in the admin: statements and time of each, as a browser gets them, without the network."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import psycopg

from benchmarks import segments_sql, times
from benchmarks.segments_sql import Segment

ROUNDS = 30
HEAD = ("| page | statements | median ms | p95 ms |", "| --- | ---: | ---: | ---: |")


def measure(workspace: Any, segments: Sequence[Segment]) -> list[str]:
    """Return the table of the pages. The segments are saved for it."""
    from django.urls import reverse

    from benchmarks.people_search import staff_client

    client, saved = staff_client(), _saved(workspace, segments)
    pages = {
        "a saved segment": reverse("admin:segments_segment_change", args=[saved[-1]]),
        f"the list of {len(saved)} segments": reverse("admin:segments_segment_changelist"),
        "suggestions: names of custom attributes": f"{reverse('admin:segments_segment_suggest')}?type=custom_attribute",
        "suggestions: values of one": f"{reverse('admin:segments_segment_suggest')}?type=custom_attribute&subject=plan",
    }
    title = "Pages, with all filters known:"
    print(title, flush=True)
    return ["", title, "", *HEAD, *(_line(client, name, address) for name, address in pages.items())]


def _saved(workspace: Any, segments: Sequence[Segment]) -> list[int]:
    from segments.models import Segment as Saved

    return [
        Saved.objects.update_or_create(
            workspace=workspace,
            name=segment.name[:100],
            defaults={"definition": segments_sql.definition(segment.root)},
        )[0].pk
        for segment in segments
    ]


def _line(client: Any, name: str, address: str) -> str:
    _opened(client, address)  # finds nothing compiled
    with counted() as statements:
        _opened(client, address)
    taken = times.of(lambda: _opened(client, address), ROUNDS)
    line = f"| {name} | {len(statements)} | {taken.percentile(0.5):.0f} | {taken.percentile(0.95):.0f} |"
    print(line, flush=True)
    return line


def _opened(client: Any, address: str) -> None:
    answer = client.get(address)
    if answer.status_code != 200:  # noqa: PLR2004
        raise SystemExit(f"{address} answered {answer.status_code}")
    answer.getvalue()


@contextlib.contextmanager
def counted() -> Iterator[list[Any]]:
    """Yield a list that fills with all statements, those that read blobs too, which Django does not count."""
    execute, statements = psycopg.Cursor.execute, []

    def noted(cursor: Any, query: Any, *arguments: Any, **options: Any) -> Any:
        statements.append(query)
        return execute(cursor, query, *arguments, **options)

    psycopg.Cursor.execute = noted  # type: ignore[method-assign]
    try:
        yield statements
    finally:
        psycopg.Cursor.execute = execute  # type: ignore[method-assign]
