"""Every text of the builder in the active language. The builder replaces what stands in braces."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import pgettext


def words() -> dict[str, str]:
    """Return the texts by the names that the scripts in `static/segments` know them by."""
    return (
        _of_filters()
        | _of_values()
        | _of_groups()
        | _of_moves()
        | _of_counts()
        | _of_users_looked_at()
        | _of_undoing()
    )


def _of_filters() -> dict[str, str]:
    return {
        "filters": _("Filters"),
        "filter_number": _("Filter {number}"),
        "filter_named": _("Filter {number}: {name}"),
        "about": _("{name} “{subject}”"),
        "which_filter": _("{name}. Choose another filter"),
        "unknown_filter": _("Filter that Rollcall does not know"),
        "operator": _("Operator"),
        "add_filter": _("Add filter"),
        "change_filter": _("Choose another filter"),
        "search_filters": _("Search filters"),
        "no_filter_match": _("No filter is called that. Try another word."),
        "close": _("Close"),
        "too_many": _("A segment can have {count} filters at most."),
    }


def _of_values() -> dict[str, str]:
    return {
        "choose": _("Choose"),
        "type_or_choose": _("Type or choose"),
        "add_value": _("Add another"),
        "remove_value": _("Remove {name}"),
        "value_added": _("{name} chosen"),
        "value_removed": _("{name} removed"),
        "too_many_values": _("{count} values at most can be chosen here."),
        "use_text": _("Use “{text}”"),
        "gone": _("No longer exists"),
        "to": pgettext("between two numbers", "to"),
        "unit_days": pgettext("after a number", "days"),
        "unit_times": pgettext("after a number", "times"),
        "unit_years": pgettext("after a number", "years"),
        "no_match": _("Nothing is called that."),
        "no_choices": _("There is nothing to choose from yet."),
        "type_freely": _("Type a value."),
        "looking": _("Looking…"),
        "no_suggestions": _("Suggestions could not be loaded."),
        "more_matches": _("{shown} of {count} shown. Type to narrow the list."),
    }


def _of_groups() -> dict[str, str]:
    return {
        "group_number": _("Group {number}"),
        "all_filters": _("All filters"),
        "join": _("How the filters are joined"),
        "and": pgettext("button", "AND"),
        "or_button": pgettext("button", "OR"),
        "match_and": _("Match all of these"),
        "match_or": _("Match at least one of these"),
        "exclude_and": _("Leave out users who match all of these"),
        "exclude_or": _("Leave out users who match at least one of these"),
        "exclude": _("Exclude this group"),
        "add_group": _("Add group"),
        "too_deep": _("Groups can be nested {count} levels deep at most."),
        "empty": _("Nobody is in this segment yet"),
        "empty_text": _(
            "Add at least one filter. A segment without filters selects nobody, never everybody."
        ),
        "empty_group": _("Add a filter to this group, or remove the group."),
    }


def _of_moves() -> dict[str, str]:
    return {
        "drag": _("Move {name}: drag, or use the arrow keys"),
        "more_of": _("More for {name}"),
        "move_up": _("Move up"),
        "move_down": _("Move down"),
        "move_into_above": _("Move into the group above"),
        "move_into_below": _("Move into the group below"),
        "move_out": _("Move out of this group"),
        "moved": _("Moved. It is now: {name}"),
        "cannot_move": _("It cannot be moved any further in this direction."),
        "duplicate": _("Duplicate"),
        "duplicated": _("Duplicated. The copy is: {name}"),
        "remove": _("Remove {name}"),
        "removed": _("Removed: {name}"),
    }


def _of_counts() -> dict[str, str]:
    return {
        "audience": _("Users in this segment"),
        "reachable": _("Reachable by"),
        "in_words": _("In words"),
        "counting": _("Counting…"),
        "counting_share": _("Counting… {percent}"),
        "stop": _("Stop"),
        "stopped": _("Stopped. The number shown is not of these filters."),
        "count_of": _("{count} users match"),
        # Translators: stands in a narrow column beneath the count of a filter.
        "left": _("→ {count} left"),
        "left_after": _("{count} users are left after this and what stands before it"),
        "at_fault": _("Not counted: correct what is marked first."),
        "failed": _("The count failed. The number shown is not of these filters."),
        "signed_out": _("You were signed out. Sign in again in another tab, then try again."),
        "retry": _("Count again"),
    }


def _of_users_looked_at() -> dict[str, str]:
    return {
        "people": _("Who is in it"),
        "people_text": _("Look at a few of the users whom these filters select now."),
        "people_changed": _("The filters have changed since. Look again."),
        "show_people": _("Show users"),
        "show_other_people": _("Show other users"),
        "explain": _("Is this user in it?"),
        "explain_text": _("See filter by filter why a user is in this segment, or why not."),
        "explain_changed": _("The filters have changed since. Check again."),
        "identifier": _("External ID, email, phone, alias or device ID"),
        "identifier_example": _("External ID, email, …"),
        "check": _("Check"),
        "show_user": _("Show this user"),
        "show_at_filters": _("Show at the filters"),
        "met": _("Matches"),
        "not_met": _("Does not match"),
        "kept": _("Is not left out"),
        "left_out": _("Is left out"),
        "not_looked_up": _("This could not be looked up. Correct what is marked, or try again."),
    }


def _of_undoing() -> dict[str, str]:
    return {
        "undo": _("Undo"),
        "redo": _("Redo"),
        "undone": _("Undone"),
        "redone": _("Redone"),
    }
