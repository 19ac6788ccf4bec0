"""The people that segments are measured on: attributes, three events and three cohorts, made by PostgreSQL itself.

The same ones every time, but for their times, which count back from the day they were made. Cohorts are kept twice:
as the bitmaps that the application reads, and as rows for the SQL that it is held against.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from typing import Any

from pyroaring import BitMap

BATCH = 1_000_000
# A number of [0, 1) that a profile and a purpose decide.
CHANCE = """
    CREATE FUNCTION pg_temp.chance(n bigint, purpose bigint) RETURNS float8 LANGUAGE sql IMMUTABLE
    AS 'SELECT (hashint8extended(n, purpose) & 1073741823)::float8 / 1073741824'
"""
# Twenty places of equal size: France has two of them.
PLACES = """
    ('{FR,FR,DE,DE,DE,US,US,US,US,GB,GB,ES,ES,IT,NL,BE,CH,PL,BR,""}'::text[])[place] AS country,
    ('{fr,fr,de,de,de,en,en,en,en,en,en,es,es,it,nl,fr,de,pl,pt,en}'::text[])[place] AS language
"""
MADE = f"""
    SELECT n, {PLACES}, today - interval '1095 days' * pg_temp.chance(n, 2) AS created_at,
        CASE WHEN pg_temp.chance(n, 3) < 0.8 THEN 'user-' || n || '@example.com' ELSE '' END AS email,
        pg_temp.chance(n, 4) AS by_plan, pg_temp.chance(n, 5) AS by_value, pg_temp.chance(n, 6) AS by_trial,
        pg_temp.chance(n, 7) AS by_interest, pg_temp.chance(n, 8) AS by_gender, pg_temp.chance(n, 9) AS by_age,
        pg_temp.chance(n, 10) AS by_email, pg_temp.chance(n, 11) AS by_push, pg_temp.chance(n, 12) AS by_session,
        today
    FROM (
        SELECT n, 1 + floor(20 * pg_temp.chance(n, 1))::int AS place, date_trunc('day', now()) AS today
        FROM generate_series(%(first)s::bigint, %(last)s::bigint) n
    ) AS numbered
"""
WORDS = "'{music,travel,books,sport,food,games,film,art,garden,cars,fashion,news}'::text[]"
CUSTOM_ATTRIBUTES = f"""
    jsonb_strip_nulls(jsonb_build_object(
        'plan', CASE WHEN by_plan < 0.60 THEN 'free' WHEN by_plan < 0.85 THEN 'plus' WHEN by_plan < 0.95 THEN 'pro' END,
        'ltv', CASE WHEN by_value < 0.8 THEN round((2000 * (by_value / 0.8) ^ 3)::numeric, 2) END,
        'is_trial', by_trial < 0.2,
        'interests', to_jsonb(({WORDS})[1 + floor(12 * by_interest)::int : floor(12 * by_interest + 4 * by_trial)::int]),
        'signup', jsonb_build_object('$time', to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))
    ))
"""
PUSH_TOKENS = """
    CASE WHEN by_push < 0.4 THEN jsonb_build_array(jsonb_build_object('app_id', 'app', 'token', md5(n::text)))
    ELSE '[]' END
"""
PROFILES = f"""
    INSERT INTO profiles_profile (workspace_id, external_id, email, first_name, last_name, phone, country, language,
        time_zone, gender, date_of_birth, email_subscribe, push_subscribe, push_tokens, custom_attributes,
        created_at, changed_at, last_session_at)
    SELECT %(workspace)s, 'user-' || n, email, 'First', 'Last', '', country, language, 'Europe/Paris',
        CASE WHEN by_gender < 0.45 THEN 'F' WHEN by_gender < 0.9 THEN 'M' ELSE '' END,
        CASE WHEN by_age < 0.7 THEN today::date - (6570 + 25000 * by_age)::int END,
        CASE WHEN email = '' OR by_email < 0.1 THEN '' WHEN by_email < 0.3 THEN 'opted_in'
            WHEN by_email < 0.9 THEN 'subscribed' ELSE 'unsubscribed' END,
        CASE WHEN by_push < 0.2 THEN 'opted_in' WHEN by_push < 0.45 THEN 'subscribed' ELSE '' END,
        {PUSH_TOKENS}, {CUSTOM_ATTRIBUTES}, created_at, created_at,
        CASE WHEN by_session < 0.9 THEN greatest(created_at, today - interval '400 days' * by_session ^ 2) END
    FROM ({MADE}) AS made ORDER BY n
"""
# Identifiers in the order of their keys: the index is then built once, not page by page in random order.
IDENTIFIERS = """
    INSERT INTO profiles_identifier (workspace_id, key, profile_id)
    SELECT workspace_id, 'e:' || external_id, id FROM profiles_profile ORDER BY 2
"""
EVENT_NAME = """
    INSERT INTO profiles_eventname (workspace_id, kind, name, currency) VALUES (%s, 'custom', %s, '') RETURNING id
"""
EVENTS = """
    INSERT INTO profiles_customevent (name_id, profile_id, count, first_at, last_at, days)
    SELECT %(name_id)s, id, count, least(first_at, last_at), last_at, CASE WHEN last_at < today - interval '89 days'
        THEN '{}'::jsonb ELSE jsonb_build_object(to_char(last_at AT TIME ZONE 'UTC', 'YYYY-MM-DD'), 1) END
    FROM (
        SELECT id, date_trunc('day', now()) AS today,
            1 + floor((%(most)s - 1) * pg_temp.chance(id, %(purpose)s + 1) ^ 3)::int AS count,
            date_trunc('day', now()) - interval '365 days' * pg_temp.chance(id, %(purpose)s + 2) ^ 2 AS last_at,
            date_trunc('day', now()) - interval '365 days' * pg_temp.chance(id, %(purpose)s + 3) AS first_at
        FROM profiles_profile WHERE pg_temp.chance(id, %(purpose)s) < %(share)s
    ) AS done ORDER BY id
"""
MEMBERS = """
    CREATE TABLE segments_yardstick (cohort_id int, profile_id int, PRIMARY KEY (cohort_id, profile_id))
"""
MEMBERS_OF = """
    INSERT INTO segments_yardstick SELECT %(cohort)s, id FROM profiles_profile
    WHERE pg_temp.chance(id, %(purpose)s) < %(share)s ORDER BY id
"""
# What others had: however often users change, there are as many of each sort as before.
CHANGE_PROFILES = """
    UPDATE profiles_profile p SET country = o.country, language = o.language, changed_at = now(),
        custom_attributes = o.custom_attributes
    FROM (SELECT id, country, language, custom_attributes FROM profiles_profile WHERE id = ANY(%(others)s)) AS o
    WHERE p.id = (%(chosen)s::int[])[array_position(%(others)s::int[], o.id)]
"""
CHANGE_EVENTS = """
    UPDATE profiles_customevent SET count = 1 + floor(49 * random() ^ 3)::int,
        last_at = date_trunc('day', now()) - interval '365 days' * random() ^ 2
    WHERE profile_id = ANY(%(chosen)s) AND count > 1
"""
PACKED = "SELECT string_agg(int4send(profile_id), ''::bytea) FROM segments_yardstick WHERE cohort_id = %s"


@dataclass(frozen=True)
class Event:
    """What a share of the profiles did, once to `most` times."""

    name: str
    share: float
    most: int


EVENTS_DONE = (Event("Signed up", 0.9, 1), Event("Viewed product", 0.5, 50), Event("Abandoned cart", 0.15, 5))
# By their places in the alphabet, as the segments name them: what share of the profiles is in each.
COHORTS = {"A": 0.1, "B": 0.5, "C": 0.2}


def populate(profiles: int) -> int:
    """Make the profiles, unless they are there; return the id of their workspace. Needs Django set up."""
    from django.db import connection

    from accounts.models import Workspace
    from profiles.models import Profile

    workspace = Workspace.objects.get(slug="default").pk
    have = Profile.objects.count()
    with connection.cursor() as cursor:
        if _is_whole(cursor) and have == profiles:
            return workspace
        if have:
            raise SystemExit("This database was not filled to its end: drop it.")
        _fill(cursor, workspace, profiles)
    return workspace


def _is_whole(cursor: Any) -> bool:
    """Whether the last step of all was done."""
    cursor.execute("SELECT count(*) FROM pg_class WHERE relname = 'segments_yardstick_whole'")
    return bool(cursor.fetchone()[0])


def _fill(cursor: Any, workspace: int, profiles: int) -> None:
    print(f"making {profiles:,} profiles with attributes, events and cohorts …", flush=True)
    began = time.perf_counter()
    cursor.execute("SET synchronous_commit = off")
    cursor.execute(CHANCE)
    for first in range(1, profiles + 1, BATCH):
        last = min(first + BATCH - 1, profiles)
        cursor.execute(PROFILES, {"workspace": workspace, "first": first, "last": last})
    cursor.execute(IDENTIFIERS)
    for number, event in enumerate(EVENTS_DONE):
        _add_event(cursor, workspace, event, purpose=100 + 10 * number)
    _add_cohorts(cursor, workspace)
    cursor.execute(
        "VACUUM ANALYZE profiles_profile, profiles_identifier, profiles_customevent, profiles_eventname, segments_yardstick"
    )
    cursor.execute("CREATE TABLE segments_yardstick_whole ()")
    print(f"… {(time.perf_counter() - began) / profiles * 1e6:.0f} s per million", flush=True)


def _add_event(cursor: Any, workspace: int, event: Event, *, purpose: int) -> None:
    cursor.execute(EVENT_NAME, [workspace, event.name])
    name_id = cursor.fetchone()[0]
    what = {"name_id": name_id, "share": event.share, "most": event.most, "purpose": purpose}
    cursor.execute(EVENTS, what)


def _add_cohorts(cursor: Any, workspace: int) -> None:
    from django.utils import timezone

    from cohorts.models import Cohort
    from profiles import bitmaps

    cursor.execute(MEMBERS)
    for purpose, (name, share) in enumerate(COHORTS.items(), start=200):
        cohort = Cohort.objects.create(
            workspace_id=workspace,
            partner="mixpanel",
            partner_cohort_id=name,
            name=name,
            last_sync_at=timezone.now(),
        )
        cursor.execute(MEMBERS_OF, {"cohort": cohort.pk, "purpose": purpose, "share": share})
        packed = bitmaps.fetch(PACKED, [cohort.pk])[0][0]
        members = bitmaps.pack(BitMap(bitmaps.from_packed_ids(packed)))
        bitmaps.store("UPDATE cohorts_cohort SET snapshot = %s WHERE id = %s", [members, cohort.pk])


def cohort_ids(workspace: int) -> dict[str, int]:
    """Return the ids of the cohorts by their names."""
    from cohorts.models import Cohort

    return dict(Cohort.objects.filter(workspace_id=workspace).values_list("name", "pk"))


def event_name_ids(workspace: int) -> list[int]:
    """Return the ids of the events' names, in the order of EVENTS_DONE."""
    from profiles.models import EventName

    ids = dict(EventName.objects.filter(workspace_id=workspace).values_list("name", "pk"))
    return [ids[event.name] for event in EVENTS_DONE]


def some_profiles(profiles: int, count: int) -> list[int]:
    """Return the ids of some profiles by chance. They follow one another without a gap, from 1."""
    return random.sample(range(1, profiles + 1), count)


def change(cursor: Any, chosen: list[int]) -> None:
    """Give each of the profiles the country and the attributes of the next, and do what they did more than once anew."""
    what = {"chosen": chosen, "others": [*chosen[1:], chosen[0]]}
    cursor.execute(CHANGE_PROFILES, what)
    cursor.execute(CHANGE_EVENTS, what)
