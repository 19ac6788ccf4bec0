"""What the builder asks while somebody builds: counts, suggestions, people, and whether somebody is among them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeGuard

import orjson
import structlog
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts.permissions import current_workspace
from profiles import selection
from segments import audience, builder, explaining, filters, people, suggestions
from segments.audience import Question
from segments.filters import Fault, FilterError
from segments.models import Segment

log = structlog.get_logger("rollcall.segments")
MAX_IDENTIFIER = 1_000
View = Callable[[HttpRequest], HttpResponseBase]


def urls(admin_view: Callable[[Any], Any]) -> list[URLPattern]:
    """Return the addresses, each for those only who may save a segment."""
    views: dict[str, View] = {
        "counts": require_POST(counts),
        "suggest": require_GET(suggest),
        "people": require_POST(some_people),
        "explain": require_POST(explain),
    }
    return [
        path(f"{name}/", admin_view(_for_builders(view)), name=f"segments_segment_{name}")
        for name, view in views.items()
    ]


def _for_builders(view: View) -> View:
    def allowed(request: HttpRequest) -> HttpResponseBase:
        may = ("segments.add_segment", "segments.change_segment")
        if not any(request.user.has_perm(permission) for permission in may):
            raise PermissionDenied
        try:
            return view(request)
        except orjson.JSONDecodeError:
            return _faults([Fault("", _("The body must be JSON."))], status=400)
        except FilterError as error:
            return _faults(error.faults, status=422)

    return allowed


def counts(request: HttpRequest) -> HttpResponseBase:
    """Answer a draft with its exact counts, as lines of JSON: how far it came, then the counts.

    What is at fault is answered at once (422). Who closes the connection abandons the count.
    """
    question = _question(request, orjson.loads(request.body))
    return StreamingHttpResponse(_lines(question), content_type="application/x-ndjson")


def _lines(question: Question) -> Iterator[bytes]:
    try:
        counts = yield from selection.telling(
            audience.counting(question=question), lambda done: _line({"progress": round(done, 3)})
        )
    except DatabaseError as error:
        info = (type(error), error, error.__traceback__)
        log.exception("count_failed", workspace=question.workspace.pk, exc_info=info)
        yield _line({"failed": True})
    else:
        yield _line(builder.count_data(counts=counts, tree=question.tree))


def _line(data: dict[str, Any]) -> bytes:
    return orjson.dumps(data) + b"\n"


def suggest(request: HttpRequest) -> HttpResponseBase:
    """Answer what a filter may ask about, or which values users have most often."""
    asked = {name: request.GET.get(name, "") for name in ("type", "subject", "q")}
    return JsonResponse(
        suggestions.suggest(
            workspace=current_workspace(request),
            type_=asked["type"],
            subject=asked["subject"],
            text=asked["q"],
        )
    )


def some_people(request: HttpRequest) -> HttpResponseBase:
    """Answer a draft with some of the users it selects."""
    _must_see_users(request)
    return JsonResponse(people.sample(question=_question(request, orjson.loads(request.body))))


def explain(request: HttpRequest) -> HttpResponseBase:
    """Answer whether a draft selects a user, filter by filter."""
    _must_see_users(request)
    body = orjson.loads(request.body)
    identifier = body.get("identifier") if isinstance(body, dict) else None
    if not _is_identifier(identifier):
        return _faults([Fault("", _("Type an ID, an email address or a phone number."))], status=400)
    question = _question(request, body.get("definition"))
    return JsonResponse(explaining.explain(question=question, identifier=identifier))


def _is_identifier(text: Any) -> TypeGuard[str]:
    """Whether somebody may be called so: databases hold no NUL."""
    return isinstance(text, str) and bool(text.strip()) and len(text) <= MAX_IDENTIFIER and "\x00" not in text


def _must_see_users(request: HttpRequest) -> None:
    if not request.user.has_perm("profiles.view_profile"):
        raise PermissionDenied


def _question(request: HttpRequest, definition: Any) -> Question:
    """Return a draft as a question. `own` in the address is the segment it is going to be."""
    workspace, own = current_workspace(request), request.GET.get("own", "")
    tree = filters.parse(definition, is_draft=True)
    segment = Segment.objects.for_workspace(workspace).filter(pk=own).first() if own.isdecimal() else None
    return audience.ask(workspace=workspace, tree=tree, own=segment, now=timezone.now())


def _faults(faults: list[Fault], *, status: int) -> JsonResponse:
    return JsonResponse({"faults": builder.fault_data(faults)}, status=status)
