"""The forms of the team and of keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, cast

from django import forms
from django.contrib.auth.forms import UsernameField
from django.forms import ModelMultipleChoiceField
from django.utils.translation import gettext_lazy as _

from accounts.models import DataImportKey, RestApiKey, Scope, User, Workspace
from accounts.team import ROLES
from config.admin import CheckboxesWidget, RadioWidget, UserCreationForm

if TYPE_CHECKING:
    AccountForm = forms.ModelForm[User]
    KeyModelForm = forms.ModelForm[DataImportKey]
    RestKeyModelForm = forms.ModelForm[RestApiKey]
else:
    # It takes a type parameter in its stubs only.
    AccountForm = KeyModelForm = RestKeyModelForm = forms.ModelForm


class RoleAndWorkspaces(AccountForm):
    """What both forms of an account share. The admin sets `editor` and `workspace`, those of the request."""

    editor: ClassVar[User]
    workspace: ClassVar[Workspace]

    role = forms.ChoiceField(
        label=_("Role"),
        choices=ROLES,
        widget=RadioWidget,
        help_text=_(
            "Administrators generate keys, read the audit log and manage the team. "
            "Marketers build segments and see cohorts. "
            "The role is the same in all workspaces of the account."
        ),
    )
    workspaces = ModelMultipleChoiceField(
        label=_("Workspaces"), queryset=Workspace.objects.none(), widget=CheckboxesWidget
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = cast("ModelMultipleChoiceField[Workspace]", self.fields["workspaces"])
        choices.queryset = Workspace.objects.for_user(self.editor).order_by("name")
        self.initial["workspaces"] = self._workspaces()
        if self.instance.pk:
            names = self.instance.groups.filter(name__in=ROLES).values_list("name", flat=True)
            self.initial["role"] = names.first()
        if self.instance.is_superuser or self.instance == self.editor:
            self._leave_as_it_is()

    def _workspaces(self) -> list[Workspace]:
        if not self.instance.pk:
            return [self.workspace]
        return list(Workspace.objects.filter(memberships__user=self.instance))

    def _leave_as_it_is(self) -> None:
        # Operators need neither; and nobody can lock themselves out, so that a workspace keeps an administrator.
        for name in {"role", "workspaces", "is_active"} & set(self.fields):
            self.fields[name].disabled = True
            self.fields[name].required = False


class NewMemberForm(UserCreationForm, RoleAndWorkspaces):
    """A new account, with its first password."""

    usable_password = None

    class Meta:
        model = User
        fields = ("username", "email", "first_name", "last_name")
        field_classes = {"username": UsernameField}


class MemberForm(RoleAndWorkspaces):
    """An account that exists. Its password has a page of its own."""

    class Meta:
        model = User
        fields = ("username", "email", "first_name", "last_name", "is_active")
        field_classes = {"username": UsernameField}


class KeyForm(KeyModelForm):
    """What an administrator says about a key before it is made."""

    class Meta:
        model = DataImportKey
        fields = ("label",)


SCOPE_GROUPS = {
    _("Attributes and events"): [Scope.USERS_TRACK, Scope.EVENTS_IMPORT],
    _("Identities"): [
        Scope.USERS_ALIAS_NEW,
        Scope.USERS_ALIAS_UPDATE,
        Scope.USERS_IDENTIFY,
        Scope.USERS_MERGE,
        Scope.USERS_EXTERNAL_IDS_RENAME,
    ],
    _("Data requests"): [Scope.USERS_EXPORT_IDS, Scope.USERS_DELETE],
    _("Audience"): [Scope.SEGMENTS_READ, Scope.COHORTS_READ],
}


class RestKeyForm(RestKeyModelForm):
    """What an administrator says about a REST API key before it is made."""

    scopes = forms.MultipleChoiceField(
        choices=[
            (group, [(scope.value, scope.label) for scope in scopes])
            for group, scopes in SCOPE_GROUPS.items()
        ],
        error_messages={"required": _("Choose at least one thing that the key allows.")},
    )

    class Meta:
        model = RestApiKey
        fields = ("label", "scopes")
