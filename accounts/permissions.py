"""Who may do what: staff in the admin, one workspace at a time and only one's own; programs what their key allows."""

from __future__ import annotations

from typing import cast

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils.translation import gettext as _
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.models import RestApiKey, User, Workspace

SESSION_KEY = "workspace"


def current_workspace(request: HttpRequest) -> Workspace:
    """Return the workspace the request works in: the one chosen in the session, else the user's first.

    Raises PermissionDenied for users who belong to none. Looked up once per request, among the user's own only,
    so that a membership that ended is felt at the next click.
    """
    mine, chosen = own_workspaces(request), request.session.get(SESSION_KEY)
    if not mine:
        raise PermissionDenied(_("You belong to no workspace yet. Ask an administrator to add you to one."))
    return next((workspace for workspace in mine if workspace.pk == chosen), mine[0])


def own_workspaces(request: HttpRequest) -> list[Workspace]:
    """Return the workspaces the user may work in, the oldest first; every page offers them, so they are asked for once."""
    mine = cast("list[Workspace] | None", getattr(request, "_workspaces", None))
    if mine is None:
        mine = list(Workspace.objects.for_user(cast("User", request.user)).order_by("id"))
        request._workspaces = mine  # type: ignore[attr-defined]  # noqa: SLF001
    return mine


def choose_workspace(request: HttpRequest, slug: str) -> Workspace:
    """Work in another workspace from now on. Raises PermissionDenied if it is not one of the user's."""
    workspace = Workspace.objects.for_user(cast("User", request.user)).filter(slug=slug).first()
    if workspace is None:
        raise PermissionDenied(_("You do not belong to this workspace."))
    request.session[SESSION_KEY] = workspace.pk
    return workspace


class HasScope(BasePermission):
    """Lets a REST API key pass that has the view's `required_scope`; 403 names the scope that is missing."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Whether the key of the request has the scope."""
        scope: str = view.required_scope  # type: ignore[attr-defined]
        self.message = f"This REST API key does not have the scope “{scope}”. Use one that has it."
        return scope in cast("RestApiKey", request.auth).scopes
