"""The segments on a cohort's page and on a user's page."""

from __future__ import annotations

from collections.abc import Sequence

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from cohorts.models import Cohort
from profiles.models import Profile
from segments import audience
from segments.models import Segment


def used_by_segments(request: HttpRequest, cohort: Cohort) -> SafeString:
    """Return the segments whose filters mention a cohort."""
    if not request.user.has_perm("segments.view_segment"):
        return SafeString()
    segments = audience.segments_using(cohort=cohort)
    return _panel("used-by", _("Used by segments"), segments, _("No segment uses this cohort yet."))


def segments_of_user(request: HttpRequest, profile: Profile) -> SafeString:
    """Return the segments that select a user now."""
    if not request.user.has_perm("segments.view_segment"):
        return SafeString()
    segments = audience.segments_of(profile=profile, now=timezone.now())
    return _panel("segments", _("Segments"), segments, _("This user is in no segment."))


def _panel(anchor: str, title: str, segments: Sequence[Segment], empty: str) -> SafeString:
    context = {"anchor": anchor, "title": title, "segments": segments, "empty": empty}
    return render_to_string("segments/panel.html", context)
