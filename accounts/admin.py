"""Settings > Team and Workspaces."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.db.models import Count, Model, Prefetch, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from accounts import team
from accounts.admin_forms import MemberForm, NewMemberForm
from accounts.models import Membership, User, Workspace
from accounts.permissions import current_workspace
from config.admin import ModelAdmin, PasswordForm

PERSON = ("username", "email", "first_name", "last_name")
ACCESS: Any = (_("Access"), {"fields": ("role", "workspaces", "is_active")})
ACTIVITY: Any = (_("Activity"), {"fields": ("last_login", "date_joined")})


@admin.register(User)
class TeamAdmin(UserAdmin, ModelAdmin):  # type: ignore[type-arg,misc]
    """The accounts of the current workspace's team. Nobody is made an operator here."""

    form, add_form, change_password_form = MemberForm, NewMemberForm, PasswordForm
    list_display = ("username", "full_name", "email", "role", "workspaces", "last_login", "is_active")
    list_filter = ()
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

    @admin.display(description=_("name"), ordering="last_name")
    def full_name(self, user: User) -> str:
        """Return first and last name."""
        return user.get_full_name()

    @admin.display(description=_("role"))
    def role(self, user: User) -> str:
        """Return the role; operators need none."""
        if user.is_superuser:
            return str(_("Operator"))
        return ", ".join(str(team.ROLES.get(group.name, group.name)) for group in user.groups.all())

    @admin.display(description=_("workspaces"))
    def workspaces(self, user: User) -> str:
        """Return the names of the workspaces, as far as the one who looks belongs to them."""
        seen: list[Membership] = user.seen_memberships  # type: ignore[attr-defined]
        return ", ".join(membership.workspace.name for membership in seen)

    @admin.display(description=_("password"))
    def password_page(self, user: User) -> str:
        """Link to the page that sets a new password."""
        return format_html('<a class="rc-link" href="../password/">{}</a>', _("Set a new password"))


@admin.register(Workspace)
class WorkspaceAdmin(ModelAdmin):
    """The workspaces one belongs to. Operators see all of them and add more."""

    list_display = ("name", "slug", "members", "created_at")
    search_fields = ("name", "slug")
    ordering = ("name",)
    fields = ("name", "slug")
    workspace_lookup = "pk"

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

    @admin.display(description=_("team"), ordering="member_count")
    def members(self, workspace: Any) -> int:
        """Return how many accounts work in it."""
        return workspace.member_count
