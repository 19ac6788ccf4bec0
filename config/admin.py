"""The theme seam: the only module that knows django-unfold. Apps import their admin classes from here.

Pages of our own extend `rollcall/page.html`, are rendered with `site.each_context(request)` (see `page`), and use the
classes of `static/rollcall/rollcall.css`: the theme's stylesheet is built, and holds no class it does not use itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, TypeVar, cast

from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from csp.decorators import csp_replace
from django.contrib import admin
from django.contrib.admin.views.main import SEARCH_VAR
from django.core.exceptions import BadRequest, PermissionDenied
from django.db.models import Field, Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.admin import ModelAdmin as ThemeModelAdmin
from unfold.forms import AdminPasswordChangeForm as PasswordForm
from unfold.forms import UserCreationForm
from unfold.sites import UnfoldAdminSite
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget as CheckboxesWidget
from unfold.widgets import UnfoldAdminRadioSelectWidget as RadioWidget
from unfold.widgets import UnfoldAdminTextInputWidget as TextWidget

from accounts import language
from accounts.permissions import choose_workspace, current_workspace, own_workspaces

__all__ = [
    "CheckboxesWidget",
    "ModelAdmin",
    "PasswordForm",
    "RadioWidget",
    "ReadOnlyAdmin",
    "TextWidget",
    "UserCreationForm",
    "column",
    "is_a_page",
    "page",
]

View = TypeVar("View", bound=Callable[..., HttpResponseBase])
# A part of an object's page, as HTML: `<section class="rc-card">`, "rc-wide" too if it needs the whole width.
Panel = Callable[[HttpRequest, Any], SafeString]

# What the theme needs and nothing else does: its Alpine code evaluates attributes and sets styles.
PAGE_POLICY = {
    "default-src": [NONE],
    "script-src": [SELF, UNSAFE_EVAL],
    "style-src": [SELF, UNSAFE_INLINE],
    "img-src": [SELF, "data:"],
    "font-src": [SELF],
    "connect-src": [SELF],
    "form-action": [SELF],
    "base-uri": [NONE],
    "frame-ancestors": [NONE],
}


def column(field: str, title: Any, *, boolean: bool | None = None) -> Callable[[Any, Any], Any]:
    """Return a column of a list that shows a field under a title with a capital letter, as phones repeat it."""

    @admin.display(description=title, ordering=field, boolean=boolean)
    def cell(_admin: Any, row: Any) -> Any:
        return getattr(row, field)

    return cell


def is_a_page(view: View) -> View:
    """Give the responses of a view the Content-Security-Policy of the admin's pages."""
    return cast("View", csp_replace(PAGE_POLICY)(view))


class ModelAdmin(ThemeModelAdmin):
    """An admin page of one model in the theme, which only ever sees rows of the current workspace."""

    workspace_lookup: ClassVar[str] = "workspace"
    show_full_result_count = False
    list_per_page = 50
    compressed_fields = True
    list_filter_submit = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the rows of the current workspace: lists, autocompletes and guessed addresses all come by here."""
        return super().get_queryset(request).filter(**{self.workspace_lookup: current_workspace(request)})

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Show the list under its own name: it is for reading too, not only "to change"."""
        if any("\0" in text for name, texts in request.GET.lists() if name != SEARCH_VAR for text in texts):
            raise BadRequest("No filter holds a NUL character.")  # which PostgreSQL fails at
        title = capfirst(str(self.opts.verbose_name_plural))
        return super().changelist_view(request, {"title": title, **(extra_context or {})})

    def get_field_queryset(
        self, db: str, db_field: Field[Any, Any], request: HttpRequest
    ) -> QuerySet[Any] | None:
        """Offer as related rows only what the related model's own page shows."""
        model = db_field.related_model
        if self.admin_site.is_registered(model):
            return self.admin_site.get_model_admin(model).get_queryset(request)
        return super().get_field_queryset(db, db_field, request)

    def save_model(self, request: HttpRequest, obj: Model, form: ModelForm[Any], change: bool) -> None:
        """Put a new row into the current workspace."""
        if not change and self.workspace_lookup == "workspace":
            obj.workspace = current_workspace(request)  # type: ignore[attr-defined]
        super().save_model(request, obj, form, change)


class ReadOnlyAdmin(ModelAdmin):
    """Rows that staff look at and nobody edits here: a list, and a page made of `panels` in their order.

    Apps above add theirs in their own admin module: `CohortAdmin.panels.append(used_by_segments)`.
    """

    panels: ClassVar[Sequence[Panel]] = ()
    change_form_template = "rollcall/panels.html"

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Render the page of one row: the form that Django made for it is not used."""
        context["panels"] = [panel(request, context["original"]) for panel in self.panels]
        return super().render_change_form(request, context, *args, **kwargs)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody adds one."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody changes one."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody deletes one."""
        return False


class RollcallAdminSite(UnfoldAdminSite):
    """Rollcall's admin."""

    def register(
        self, model_or_iterable: Any, admin_class: type[admin.ModelAdmin[Any]] | None = None, **options: Any
    ) -> None:
        """Take on pages made with our ModelAdmin only: those of other packages know no workspaces."""
        if admin_class is not None and issubclass(admin_class, ModelAdmin):
            super().register(model_or_iterable, admin_class, **options)

    def admin_view(self, view: Callable[..., HttpResponseBase], cacheable: bool = False) -> Any:
        """Wrap a view of the admin: for staff only, and with the pages' policy."""
        return is_a_page(super().admin_view(view, cacheable))

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Show the login page, the one page that is not behind `admin_view`."""
        response = is_a_page(super().login)(request, extra_context)
        language.note_at_login(user=request.user)
        return response

    def app_index(
        self, request: HttpRequest, app_label: str, extra_context: dict[str, Any] | None = None
    ) -> Any:
        """There is no page per app; the sidebar is the only map."""
        return redirect("admin:index")

    def extra_urls(self) -> list[URLPattern]:
        """Return the addresses that belong to no model."""
        from config.pages import PAGES  # noqa: PLC0415 - its pages are rendered by this module

        choose = self.admin_view(require_POST(self.choose_workspace))
        ours = [
            path(f"{folder}/{route}", self.admin_view(view), name=name)
            for folder, views in PAGES.items()
            for route, view, name in views
        ]
        return [path("workspace/", choose, name="workspace"), *ours]

    def choose_workspace(self, request: HttpRequest) -> HttpResponseRedirect:
        """Work in another workspace, from its overview on."""
        choose_workspace(request, request.POST.get("slug", ""))
        return redirect("admin:index")

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Add the current workspace and those to choose from to what every page knows."""
        return {**super().each_context(request), **_workspaces(request)}


def page(
    request: HttpRequest, template: str, context: Mapping[str, Any], *, status: int = 200
) -> HttpResponse:
    """Render a page of our own inside the admin: `title`, and `trail` (pairs of title and address) above it."""
    everywhere = admin.site.each_context(request)
    return TemplateResponse(request, template, {**everywhere, **context}, status=status)


@is_a_page
def refusal(request: HttpRequest, *, status: int, title: str, reason: str) -> HttpResponse:
    """Say why there is no page here, in the theme and with a way out."""
    everywhere = admin.site.each_context(request)
    context = {**everywhere, "title": title, "reason": reason}
    return TemplateResponse(request, "rollcall/refusal.html", context, status=status).render()


@is_a_page
def locked_out(request: HttpRequest, *_args: Any, **_kwargs: Any) -> HttpResponse:
    """Answer a login after too many failures. django-axes calls this."""
    context = {**admin.site.each_context(request), "title": _("Too many attempts")}
    return TemplateResponse(request, "registration/locked_out.html", context, status=429).render()


def form_too_old(request: HttpRequest, **_reason: str) -> HttpResponse:
    """Answer a form that was not sent from one of our pages, or from one that stood open for too long."""
    explanation = _("This form is too old. Go back, load the page again and repeat what you did.")
    return refusal(request, status=403, title=str(_("This did not work")), reason=str(explanation))


def _workspaces(request: HttpRequest) -> dict[str, Any]:
    """Return the switcher's content; nothing for those who belong to no workspace, so that they can still log out."""
    if not admin.site.has_permission(request):
        return {}
    try:
        current = current_workspace(request)
    except PermissionDenied:
        return {}
    others = [workspace for workspace in own_workspaces(request) if workspace != current]
    return {"workspace": current, "other_workspaces": sorted(others, key=lambda it: it.name.casefold())}
