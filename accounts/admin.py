"""Settings > Team, Workspaces and Audit log."""

from __future__ import annotations

from typing import Any, ClassVar, cast

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.db.models import Count, Model, Prefetch, QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts import admin_cells, team
from accounts.admin_calls import RejectedCallAdmin
from accounts.admin_forms import MemberForm, NewMemberForm
from accounts.admin_paginator import CappedPaginator
from accounts.models import AuditEntry, Membership, RejectedCall, User, Workspace
from accounts.permissions import current_workspace
from config.admin import ModelAdmin, Panel, PasswordForm, ReadOnlyAdmin, column

PERSON = ("username", "email", "first_name", "last_name")
ACCESS: Any = (_("Access"), {"fields": ("role", "workspaces", "is_active")})
ACTIVITY: Any = (_("Activity"), {"fields": ("last_login", "date_joined")})


@admin.register(User)
class TeamAdmin(UserAdmin, ModelAdmin):  # type: ignore[type-arg,misc]
    """The accounts of the current workspace's team. Nobody is made an operator here."""

    form, add_form, change_password_form = MemberForm, NewMemberForm, PasswordForm
    list_display = ("user_name", "full_name", "address", "role", "workspaces", "last_seen", "active")
    list_filter = ()
    actions = ("remove",)
    search_fields = ("username", "email", "first_name", "last_name")
    search_help_text = _("Search by user name, name or email")
    ordering = ("username",)
    workspace_lookup = "memberships__workspace"
    filter_horizontal = ()
    readonly_fields = ("password_page", "last_login", "date_joined")
    fieldsets = ((None, {"fields": (*PERSON, "password_page")}), ACCESS, ACTIVITY)
    add_fieldsets = (
        (None, {"fields": (*PERSON, "password1", "password2")}),
        (_("Access"), {"fields": ("role", "workspaces")}),
    )
    fieldsets_to_look_at = ((None, {"fields": PERSON}), ACCESS, ACTIVITY)

    user_name = column("username", _("User name"))
    full_name = admin.display(description=_("Name"), ordering="last_name")(admin_cells.full_name)
    role = admin.display(description=_("Role"))(admin_cells.role)
    workspaces = admin.display(description=_("Workspaces"))(admin_cells.workspaces)
    address = column("email", _("Email"))
    last_seen = column("last_login", _("Last login"))
    active = column("is_active", _("Active"), boolean=True)
    password_page = admin.display(description=_("Password"))(admin_cells.password_page)

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """Return the accounts the user may see, each with those of its workspaces that the user may see."""
        editor, workspace = cast("User", request.user), current_workspace(request)
        own = Membership.objects.filter(workspace__in=Workspace.objects.for_user(editor))
        memberships = Prefetch("memberships", own.select_related("workspace"), to_attr="seen_memberships")
        return team.visible_to(editor=editor, workspace=workspace).prefetch_related("groups", memberships)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Say whether the user may change accounts at all, or this one."""
        may = super().has_change_permission(request, obj)
        return may and (obj is None or team.may_change(editor=cast("User", request.user), user=obj))

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Say that accounts are made inactive instead: what they did keeps their name."""
        return False

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return the form's sections; no way to the password for those who may only look."""
        if obj and not self.has_change_permission(request, obj):
            return self.fieldsets_to_look_at
        return super().get_fieldsets(request, obj)

    def get_form(
        self, request: HttpRequest, obj: Model | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """Return the form, told who asks and where."""
        form = super().get_form(request, obj, change=change, **kwargs)
        return type(form.__name__, (form,), {"editor": request.user, "workspace": current_workspace(request)})

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Let everybody added here into the admin: roles decide what they may do there."""
        obj.is_staff = True
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Save role and workspaces."""
        super().save_related(request, form, formsets, change)
        if not change or {"role", "workspaces"} & set(form.changed_data):
            chosen = {name: form.cleaned_data[name] for name in ("role", "workspaces")}
            team.assign(user=form.instance, **chosen)

    def has_remove_permission(self, request: HttpRequest) -> bool:
        """Say who ends a team member's work in the workspace. Accounts of other workspaces too can be removed."""
        return request.user.has_perm("accounts.delete_membership")

    @admin.action(description=_("Remove from this workspace"), permissions=["remove"])
    def remove(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Remove the selected accounts from the current workspace, never one's own."""
        workspace = current_workspace(request)
        count = team.remove(users=queryset.exclude(pk=cast("User", request.user).pk), workspace=workspace)
        message = ngettext(
            "%(count)d team member no longer works in %(workspace)s.",
            "%(count)d team members no longer work in %(workspace)s.",
            count,
        )
        self.message_user(request, message % {"count": count, "workspace": workspace.name})


@admin.register(Workspace)
class WorkspaceAdmin(ModelAdmin):
    """The workspaces one belongs to. Operators see all of them and add more."""

    list_display = ("title", "short_name", "members", "created")
    search_fields = ("name", "slug")
    ordering = ("name",)
    fields = ("name", "slug")
    workspace_lookup = "pk"

    title = column("name", _("Name"))
    short_name = column("slug", _("Slug"))
    created = column("created_at", _("Created"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Workspace]:
        """Return one's own, whichever of them is the current one."""
        return Workspace.objects.for_user(cast("User", request.user)).annotate(
            member_count=Count("memberships")
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        """Keep the slug as it is: commands and scheduled jobs name the workspace by it."""
        return ("slug",) if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Say that a workspace goes by no click: all that partners sent would go with it."""
        return False

    @admin.display(description=_("Team"), ordering="member_count")
    def members(self, workspace: Any) -> int:
        """Return how many accounts work in it."""
        return workspace.member_count


def audit_facts(_request: HttpRequest, entry: AuditEntry) -> SafeString:
    """Return all that is known of an entry."""
    context = {
        "entry": entry,
        "who": admin_cells.who(None, entry),
        "details": admin_cells.details(entry),
    }
    return render_to_string("accounts/audit_facts.html", context)


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """What was done to keys and people, newest first."""

    panels: ClassVar[list[Panel]] = [audit_facts]
    change_list_template = "accounts/audit_log.html"
    list_display = ("happened", "who", "origin", "done", "concerns")
    list_filter = ("action",)
    list_filter_submit = False  # each choice is a link
    show_facets = admin.ShowFacets.NEVER  # they would count the whole table
    search_fields = ("subject",)
    search_help_text = _("Key prefix or user 123")
    ordering = ("-id",)
    sortable_by = ()
    list_select_related = ("actor",)
    paginator = CappedPaginator

    happened = column("happened_at", _("When"))
    who = admin.display(description=_("Who"))(admin_cells.who)
    origin = admin.display(description=_("From where"))(admin_cells.origin)
    done = admin.display(description=_("Action"))(admin_cells.action)
    concerns = admin.display(description=_("Concerns"))(admin_cells.subject)


admin.site.register(RejectedCall, RejectedCallAdmin)
