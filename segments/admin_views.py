"""The builder asks here after each edit: counts and words of a draft."""

from __future__ import annotations

import orjson
from django.http import HttpRequest, JsonResponse
from django.utils.translation import gettext as _

from accounts.permissions import current_workspace
from segments import builder, filters
from segments.filters import Fault, FilterError


def counts(request: HttpRequest) -> JsonResponse:
    """Answer a draft with its exact counts (200), or with what is at fault and where (422)."""
    try:
        tree = filters.parse(orjson.loads(request.body), is_draft=True)
        answer = builder.count_data(workspace=current_workspace(request), tree=tree)
    except orjson.JSONDecodeError:
        return _faults([Fault("", _("The body must be JSON."))], status=400)
    except FilterError as error:
        return _faults(error.faults, status=422)
    return JsonResponse(answer)


def _faults(faults: list[Fault], *, status: int) -> JsonResponse:
    return JsonResponse({"faults": builder.fault_data(faults)}, status=status)
