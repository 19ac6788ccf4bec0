"""Technology partners > one partner > Member properties: the rules that find a member's identifier, tried on a sample.

All buttons send the whole form: what was changed and not saved yet lives in the page alone, and so does the sample.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables

from accounts import addresses, integrations
from accounts.admin_partners import CHANGES, SEES, partner_of, trail
from accounts.models import User, Workspace
from accounts.partners import Partner
from accounts.permissions import current_workspace
from config.admin import page
from profiles import mapping, mapping_trial
from profiles.mapping import Kind, Rule
from profiles.mapping_trial import SampleError

_STEPS = {"up": -1, "down": 1}


@dataclass
class Draft:
    """Rules as they stand in the page. `focus` is the line and the control that goes on being used there."""

    rules: list[Rule]
    focus: tuple[int, str] | None = None


@never_cache
@permission_required([*SEES, CHANGES], raise_exception=True)
@sensitive_post_parameters("sample")
@sensitive_variables("sample")
def member_mapping(request: HttpRequest, partner: str) -> HttpResponse:
    """Show the rules, take what is done to them, try them, save them."""
    found, workspace = partner_of(partner), current_workspace(request)
    if not found.has_webhook:  # the others say what each of their ids is
        raise Http404
    saved = mapping.read(integrations.find(workspace=workspace, partner=found.slug).member_mapping)
    if request.method != "POST":
        return _mapping_page(request, found, saved, Draft(list(saved)))
    do, sample = request.POST.get("do", ""), request.POST.get("sample", "")
    draft = edited(_sent(request.POST), do)
    if do != "save":
        tried = _tried(workspace, draft, sample, is_asked=do == "try")
        return _mapping_page(request, found, saved, draft, sample=sample, **tried)
    faults = mapping.faults(draft.rules)
    if faults or not draft.rules:
        return _mapping_page(request, found, saved, draft, sample=sample, faults=faults, status=422)
    _save(request, workspace, found, draft)
    return redirect("admin:technology_partner_mapping", partner=found.slug)


def _save(request: HttpRequest, workspace: Workspace, partner: Partner, draft: Draft) -> None:
    changed = integrations.change(
        workspace=workspace,
        partner=partner.slug,
        values={"member_mapping": mapping.to_store(draft.rules)},
        by=cast("User", request.user),
        address=addresses.of_request(request),
        now=timezone.now(),
    )
    saved = _("The order is saved. It counts from the next page on that %(partner)s sends.")
    messages.success(request, saved % {"partner": partner.name} if changed else _("Nothing was changed."))


def _sent(post: QueryDict) -> list[Rule]:
    """Return the rules of the form. Raises BadRequest for what no form of ours sends."""
    try:
        lines = zip(post.getlist("property"), post.getlist("kind"), post.getlist("label"), strict=True)
        rules = [
            Rule(name.strip(), Kind(kind), label.strip() if kind == Kind.ALIAS else "")
            for name, kind, label in lines
        ]
    except ValueError as error:
        raise BadRequest("The lines of the form do not fit together.") from error
    if len(rules) > mapping.MAX_RULES:
        raise BadRequest("There are too many lines.")
    return rules


def edited(rules: list[Rule], do: str) -> Draft:
    """Return rules after a button: `up:2`, `down:2`, `remove:2`, `add`, `usual`; any other changes nothing."""
    verb, _colon, line = do.partition(":")
    place = int(line) if line.isascii() and line.isdecimal() and len(line) < 4 else -1  # noqa: PLR2004
    if verb == "usual":
        return Draft(list(mapping.USUAL))
    if verb == "add" and len(rules) < mapping.MAX_RULES:
        return Draft([*rules, Rule("", Kind.EXTERNAL_ID)], (len(rules), "property"))
    if not 0 <= place < len(rules):
        return Draft(rules)
    if verb == "remove":
        rest = rules[:place] + rules[place + 1 :]
        return Draft(rest, (min(place, len(rest) - 1), "remove"))
    if verb in _STEPS:
        return _moved(rules, place, verb)
    return Draft(rules)


def _moved(rules: list[Rule], place: int, verb: str) -> Draft:
    to = place + _STEPS[verb]
    if not 0 <= to < len(rules):
        return Draft(rules)
    moved = list(rules)
    moved.insert(to, moved.pop(place))
    # At the end of its way a line's button works no more: the other one goes on.
    is_last = not 0 <= to + _STEPS[verb] < len(rules)
    other = "up" if verb == "down" else "down"
    return Draft(moved, (to, other if is_last else verb))


def _tried(workspace: Workspace, draft: Draft, sample: str, *, is_asked: bool) -> dict[str, Any]:
    """Try the rules on the sample, if there is one: after each change anew."""
    if not sample.strip() and not is_asked:
        return {}
    try:
        member = mapping_trial.read(sample)
        trial = mapping_trial.run(workspace_id=workspace.pk, member=member, rules=draft.rules)
    except SampleError as error:
        return {"sample_error": error.message, "is_asked": is_asked, "status": 422 if is_asked else 200}
    return {"trial": trial, "is_asked": is_asked}


def _mapping_page(
    request: HttpRequest,
    partner: Partner,
    saved: Sequence[Rule],
    draft: Draft,
    *,
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    faults = more.get("faults", {})
    context = {
        "title": _("Member properties"),
        "trail": trail(partner),
        "partner": partner,
        "lines": [(rule, faults.get(place)) for place, rule in enumerate(draft.rules)],
        "kinds": Kind.choices,
        "focus": draft.focus,
        "is_usual": tuple(draft.rules) == mapping.USUAL,
        "is_saved": draft.rules == list(saved),
        "is_full": len(draft.rules) >= mapping.MAX_RULES,
    }
    return page(request, "profiles/member_mapping.html", {**context, **more}, status=status)


# As in accounts/admin_partners.py.
PAGES: list[tuple[str, Callable[..., HttpResponse], str]] = [
    ("<slug:partner>/members/", member_mapping, "technology_partner_mapping"),
]
