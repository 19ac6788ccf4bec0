"""Ten typical segments, each as a definition and as the SQL that somebody who knows PostgreSQL would write for it.

The SQL counts rows: members of cohorts are rows of a table with the primary key (cohort_id, profile_id). It may leave
out what the application must bear in mind, as it is written for these data: an attribute has one type here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

COUNT = "SELECT count(*) FROM profiles_profile p WHERE p.workspace_id = %(workspace)s AND p.deleted_at IS NULL AND "
MEMBER = "EXISTS (SELECT FROM segments_yardstick m WHERE m.cohort_id = %(cohort_{})s AND m.profile_id = p.id)"
DID = "EXISTS (SELECT FROM profiles_customevent e WHERE e.name_id = %(event_{})s AND e.profile_id = p.id{})"
A, B, C = (MEMBER.format(name) for name in "ABC")
TEXT, NUMBER = "p.custom_attributes->>'{}'", "(p.custom_attributes->>'{}')::numeric"
SIGNED_UP = "(p.custom_attributes->'signup'->>'$time')::timestamptz"

Node = dict[str, Any]


@dataclass(frozen=True)
class Segment:
    """A segment in words, its outermost node as the builder saves it, and the condition that selects the same."""

    name: str
    root: Node
    condition: str

    @property
    def sql(self) -> str:
        """The statement that counts it."""
        return f"{COUNT}({self.condition})"


def definition(root: Node) -> dict[str, Any]:
    """Return a definition of a node."""
    return {"version": 2, "root": root}


# --- nodes --------------------------------------------------------------------------------------------------
def every(*children: Node, operator: str = "and", exclude: bool = False) -> Node:
    """Return a group of users whom all children select."""
    return {"type": "group", "operator": operator, "exclude": exclude, "children": list(children)}


def either(*children: Node) -> Node:
    """Return a group of users whom any child selects."""
    return every(*children, operator="or")


def asks(type_: str, operator: str, value: Any = None, subject: Any = None) -> Node:
    """Return a filter."""
    node = {"type": type_, "subject": subject, "operator": operator, "value": value}
    return {key: it for key, it in node.items() if it is not None}


def attribute(name: str, operator: str, value: Any = None) -> Node:
    """Return a filter of a custom attribute."""
    return asks("custom_attribute", operator, value, name)


def event(name: str, operator: str, value: Any = None) -> Node:
    """Return a filter of a custom event."""
    return asks("custom_event", operator, value, name)


# --- the ten ------------------------------------------------------------------------------------------------
def segments(cohorts: Mapping[str, int]) -> list[Segment]:
    """Return the segments over the cohorts A, B and C, a tenth, a half and a fifth of all users."""
    return [*_of_cohorts(cohorts), *_of_attributes(), *_of_times(), _nested(cohorts)]


def _in(cohorts: Mapping[str, int], name: str, operator: str = "includes") -> Node:
    return asks("cohort", operator, [cohorts[name]], "mixpanel")


def _of_cohorts(cohorts: Mapping[str, int]) -> list[Segment]:
    a, b, no_c = _in(cohorts, "A"), _in(cohorts, "B"), _in(cohorts, "C", "does_not_include")
    france, rich = asks("country", "is_one_of", ["FR"]), attribute("ltv", "number_above", 500)
    paying = attribute("plan", "text_is_one_of", ["plus", "pro"]), attribute("is_trial", "is_false")
    return [
        Segment("in A", every(a), A),
        Segment("in A and B, not in C", every(a, b, no_c), f"{A} AND {B} AND NOT {C}"),
        Segment(
            "in B, country FR, ltv above 500",
            every(b, france, rich),
            f"{B} AND p.country = 'FR' AND {NUMBER.format('ltv')} > 500",
        ),
        Segment(
            "in A, plan plus or pro, not on trial",
            every(a, *paying),
            f"{A} AND {TEXT.format('plan')} IN ('plus', 'pro') AND NOT ({TEXT.format('is_trial')})::boolean",
        ),
    ]


def _of_attributes() -> list[Segment]:
    return [
        Segment(
            "country FR, BE or CH, language fr, opted in to emails",
            every(
                asks("country", "is_one_of", ["FR", "BE", "CH"]),
                asks("language", "is_one_of", ["fr"]),
                asks("email_subscribe", "is_one_of", ["opted_in"]),
            ),
            "p.country IN ('FR', 'BE', 'CH') AND p.language = 'fr' AND p.email_subscribe = 'opted_in'",
        ),
        Segment(
            "interests music or travel, has a push token",
            every(attribute("interests", "list_includes", ["music", "travel"]), asks("push_token", "has")),
            "(p.custom_attributes->'interests') ?| ARRAY['music', 'travel'] AND p.push_tokens <> '[]'",
        ),
    ]


def _of_times() -> list[Segment]:
    abandoned = DID.format(2, " AND e.last_at >= %(days_30)s")
    return [
        Segment(
            "abandoned a cart in the last 30 days, viewed 10 times or more",
            every(event("Abandoned cart", "last_in_last_days", 30), event("Viewed product", "at_least", 10)),
            f"{abandoned} AND {DID.format(1, ' AND e.count >= 10')}",
        ),
        Segment(
            "signed up in the last 90 days, never viewed a product",
            every(attribute("signup", "time_in_last_days", 90), event("Viewed product", "has_not_done")),
            f"{SIGNED_UP} >= %(days_90)s AND NOT {DID.format(1, '')}",
        ),
        Segment(
            "women of 25 to 34, seen in the last 7 days, email at example.com",
            every(
                asks("gender", "is_one_of", ["F"]),
                asks("age", "between", [25, 34]),
                asks("last_seen", "in_last_days", 7),
                asks("email", "ends_with", "@example.com"),
            ),
            "p.gender = 'F' AND p.date_of_birth > %(years_35)s AND p.date_of_birth <= %(years_25)s"
            " AND p.last_session_at >= %(days_7)s AND p.email LIKE '%%@example.com'",
        ),
    ]


def _nested(cohorts: Mapping[str, int]) -> Segment:
    from profiles import predicates

    plan, trial = attribute("plan", "text_is", "pro"), attribute("is_trial", "is_true")
    unsubscribed = asks("email_subscribe", "is_one_of", ["unsubscribed"])
    return Segment(
        "in A or B; plan pro or on trial or ltv above 1,000; not (unsubscribed or no email); half of all buckets",
        every(
            either(_in(cohorts, "A"), _in(cohorts, "B")),
            either(plan, trial, attribute("ltv", "number_above", 1_000)),
            every(unsubscribed, asks("email_address", "has_not"), operator="or", exclude=True),
            asks("random_bucket", "between", [0, 4_999]),
        ),
        f"({A} OR {B}) AND ({TEXT.format('plan')} = 'pro' OR ({TEXT.format('is_trial')})::boolean"
        f" OR {NUMBER.format('ltv')} > 1000) AND p.email_subscribe <> 'unsubscribed' AND p.email <> ''"
        f" AND {predicates.bucket_sql().text} < 5000",
    )


def attributes() -> list[Segment]:
    """Return filters of one custom attribute each: none of them has an index."""
    return [
        Segment(
            "text: plan is plus",
            every(attribute("plan", "text_is", "plus")),
            f"{TEXT.format('plan')} = 'plus'",
        ),
        Segment(
            "number: ltv above 500",
            every(attribute("ltv", "number_above", 500)),
            f"{NUMBER.format('ltv')} > 500",
        ),
        Segment(
            "boolean: on trial",
            every(attribute("is_trial", "is_true")),
            f"({TEXT.format('is_trial')})::boolean",
        ),
        Segment(
            "list: interests music",
            every(attribute("interests", "list_includes", ["music"])),
            "(p.custom_attributes->'interests') ? 'music'",
        ),
        Segment(
            "time: signed up in the last 90 days",
            every(attribute("signup", "time_in_last_days", 90)),
            f"{SIGNED_UP} >= %(days_90)s",
        ),
    ]


def parameters(
    workspace: int, cohorts: Mapping[str, int], events: list[int], now: datetime
) -> dict[str, Any]:
    """Return what the statements are about. Days are those of UTC, today among the last ones."""
    from profiles import predicates

    today = now.astimezone(UTC).date()
    midnight = datetime.combine(today, time(), UTC)
    return {
        "workspace": workspace,
        **{f"cohort_{name}": pk for name, pk in cohorts.items()},
        **{f"event_{number}": pk for number, pk in enumerate(events)},
        **{f"days_{days}": midnight - timedelta(days=days - 1) for days in (7, 30, 90)},
        **{f"years_{years}": predicates.years_before(today, years) for years in (25, 35)},
    }
