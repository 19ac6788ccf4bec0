"""What rejected calls mean, and what helps, in the reader's words; and the cells that say it."""

from __future__ import annotations

from typing import NamedTuple

from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import partners
from accounts.calls import Cause
from accounts.models import RejectedCall
from accounts.partners import MIXPANEL

# What Mixpanel does at an answer; of other partners it is not known.
FOLLOWS = {
    400: gettext_lazy("Mixpanel pauses the sync until you act."),
    401: gettext_lazy("Mixpanel pauses the sync until you act."),
    429: gettext_lazy("Mixpanel tries again by itself."),
}
# What happened, and what to do about it.
WORDS = {
    Cause.UNKNOWN_KEY: (
        gettext_lazy("{partner} calls with a key that is unknown here."),
        gettext_lazy("Enter a valid data import key at {partner}."),
    ),
    Cause.INVALIDATED_KEY: (
        gettext_lazy("{partner} still calls with the invalidated key {key}"),
        gettext_lazy("Enter a valid data import key at {partner}."),
    ),
    Cause.OTHER_PARTNERS_KEY: (
        gettext_lazy("{partner} calls with the key {key} which was made for another partner."),
        gettext_lazy("Generate a key for {partner}, and enter that one there."),
    ),
    Cause.WRONG_PARTNER_KEY: (
        gettext_lazy("{partner} calls with a valid data import key, but with a wrong partner API key."),
        gettext_lazy("Enter the same partner API key at {partner} and in the settings of the integration."),
    ),
    Cause.NO_KEY: (
        gettext_lazy("{partner} calls without a key."),
        gettext_lazy("Enter a data import key at {partner}. For a webhook, it is the password."),
    ),
    Cause.BAD_BODY: (
        gettext_lazy("{partner} sent something that is not as agreed. Nothing of it was applied."),
        gettext_lazy(
            "The reason says what is wrong. Change the export at {partner}, then start it again there."
        ),
    ),
    Cause.BODY_TOO_LARGE: (
        gettext_lazy("{partner} sent more at once than this server takes. Nothing of it was applied."),
        gettext_lazy(
            "Export fewer properties or smaller pages, or ask the operator to raise MAX_BODY_BYTES."
        ),
    ),
    Cause.NOT_JSON: (
        gettext_lazy("{partner} sent something other than JSON. Nothing of it was applied."),
        gettext_lazy("Check at {partner} which address it calls, and that it sends JSON."),
    ),
    Cause.TOO_MANY_CALLS: (
        gettext_lazy("{partner} called more often in a minute than the key {key} may."),
        gettext_lazy("If this keeps happening, raise the limit in the settings of the integration."),
    ),
    Cause.OTHERS: (
        gettext_lazy("So many different calls were refused in this minute that these are only counted."),
        gettext_lazy(
            "The other calls of the minute show the likely reason. Block addresses that you do not know."
        ),
    ),
}


class Meaning(NamedTuple):
    """What happened, what follows from it (blank if nothing does) and what helps."""

    happened: str
    follows: str
    helps: str


def meaning_of(call: RejectedCall) -> Meaning:
    """Return what a rejected call means."""
    happened, helps = WORDS[Cause(call.cause)]
    known = {"partner": partner_name(call), "key": f"{call.key_prefix}…" if call.key_prefix else ""}
    follows = FOLLOWS.get(call.status, "") if call.partner == MIXPANEL.slug else ""
    return Meaning(str(happened).format(**known), str(follows), str(helps).format(**known))


def partner_name(call: RejectedCall) -> str:
    """Return the partner's name."""
    return partners.named(call.partner).name if call.partner else _("Several")


def when(_admin: object, call: RejectedCall) -> SafeString:
    """Return when the last of the calls came, and how many came in its minute."""
    return render_to_string("accounts/cell_call_when.html", {"call": call})


def answer(_admin: object, call: RejectedCall) -> SafeString:
    """Return the status that was answered."""
    tag = "rc-tag-warn" if call.cause == Cause.TOO_MANY_CALLS else "rc-tag-bad"
    return format_html('<span class="rc-tag {}">{}</span>', tag, call.status)


def happened(_admin: object, call: RejectedCall) -> SafeString:
    """Return what the call means, and what helps."""
    context = {"call": call, "meaning": meaning_of(call)}
    return render_to_string("accounts/cell_call_meaning.html", context)


def sender(_admin: object, call: RejectedCall) -> SafeString:
    """Return who called: partner, key and address."""
    return render_to_string("accounts/cell_call_sender.html", {"call": call, "partner": partner_name(call)})
