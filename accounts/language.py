"""The language of each member of staff: the one they chose last, for what reaches them when they are not here."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import get_language
from django.views import i18n

from accounts.models import User


def set_language(request: HttpRequest) -> HttpResponseBase:
    """Switch the language of the pages, as Django does, and remember it for mails."""
    response = i18n.set_language(request)
    if request.method == "POST":
        _note(request.user, request.POST.get("language", ""))
    return response


def note_at_login(*, user: User | AnonymousUser) -> None:
    """Remember the language somebody logs in with, if none is known of them: the one their browser asks for."""
    if isinstance(user, User) and not user.language:
        _note(user, get_language() or "")


def _note(user: User | AnonymousUser, code: str) -> None:
    if isinstance(user, User) and user.is_staff and code in dict(settings.LANGUAGES):
        User.objects.filter(pk=user.pk).update(language=code)
