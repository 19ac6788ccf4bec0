"""What the cells of the team's list and form say, and those of the audit log."""

from __future__ import annotations

from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import AuditEntry, Integration, Membership, User
from accounts.team import ROLES

# What the entries of the audit log tell besides; the apps above write some of them.
DETAILS = {
    "partner": gettext_lazy("Partner"),
    "scopes": gettext_lazy("Allows"),
    "attributes": gettext_lazy("Attributes"),
    "merged": gettext_lazy("Merged users"),
    "merged_into": gettext_lazy("Merged into user"),
    "segment": gettext_lazy("Segment"),
    "fields": gettext_lazy("Fields"),
    "settings": gettext_lazy("Settings"),
    "data_points": gettext_lazy("Data points"),
    "period": gettext_lazy("Period"),
    "starts_on": gettext_lazy("First day"),
}


def full_name(_admin: object, user: User) -> str:
    """Return first and last name."""
    return user.get_full_name()


def role(_admin: object, user: User) -> str:
    """Return the role; operators need none."""
    if user.is_superuser:
        return _("Operator")
    return ", ".join(str(ROLES.get(group.name, group.name)) for group in user.groups.all())


def workspaces(_admin: object, user: User) -> str:
    """Return the names of the workspaces, as far as the one who looks belongs to them."""
    seen: list[Membership] = user.seen_memberships  # type: ignore[attr-defined]
    return ", ".join(membership.workspace.name for membership in seen)


def password_page(_admin: object, _user: User) -> str:
    """Link to the page that sets a new password."""
    return format_html('<a class="rc-link" href="../password/">{}</a>', _("Set a new password"))


def who(_admin: object, entry: AuditEntry) -> str:
    """Return who did it: a team member, a program by its key, or a command."""
    if entry.actor:
        return entry.actor.get_username()
    if entry.actor_key:
        return _("Program with the key %(key)s…") % {"key": entry.actor_key}
    return _("Command line")


def origin(_admin: object, entry: AuditEntry) -> str:
    """Return the address it was done from; a dash where none is kept."""
    return entry.address or "–"


def action(_admin: object, entry: AuditEntry) -> str:
    """Return what was done."""
    return entry.get_action_display()


def subject(_admin: object, entry: AuditEntry) -> str:
    """Return what it was done to."""
    return entry.subject_in_words()


def details(entry: AuditEntry) -> list[tuple[str, str]]:
    """Return what else is known, by name."""
    found = {name: value if isinstance(value, list) else [value] for name, value in entry.detail.items()}
    if "settings" in found:
        found["settings"] = [_setting(name) for name in found["settings"]]
    return [(str(DETAILS.get(name, name)), ", ".join(map(str, values))) for name, values in found.items()]


def _setting(name: str) -> str:
    """Return a setting of an integration as its page calls it."""
    names = {field.name: field.verbose_name for field in Integration._meta.concrete_fields}  # noqa: SLF001
    return str(names.get(name, name))
