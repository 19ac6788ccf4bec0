"""Loads the demo: people from CSV, cohorts over HTTP as partners send them, a few segments, a login and a key.

Every step looks first whether it was done, so that a demo that was interrupted, or runs again, keeps its data.
"""

from __future__ import annotations

import io
import secrets
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.utils import timezone

from accounts import keys
from accounts.models import Membership, Scope, User, Workspace
from cohorts import simulator
from cohorts.models import Cohort, CohortSync
from cohorts.simulator import Protocol, Summary, Sync
from cohorts.simulator_http import Client
from profiles import csv_import
from profiles.models import EventName, PeopleCount, Profile
from segments import demo_data, demo_days, demo_events, demo_history, demo_traits, filters, saving
from segments.demo_data import CART, LAPSED, SYNCS, VALUABLE, DemoSync
from segments.models import Segment

PARTNER = "mixpanel"
USERNAME = "demo"
EVENTS_PER_CALL, OBJECTS_PER_CALL = 2_000, 75
TAGS = {
    "Win back valuable customers": ["win back"],
    "Valuable and still with us": ["loyalty"],
    "Worth a reminder": ["reminders"],
}
Say = Callable[[str], object]
Node = dict[str, Any]


@dataclass(frozen=True)
class Secrets:
    """What opens the demo."""

    username: str
    password: str
    key: str
    rest_key: str


def load(*, endpoint: str, folder: Path, say: Say) -> Secrets:
    """Load whatever of the demo is not there yet, and return its login and key, kept in `folder`.

    `endpoint` is the address of the running server. Raises what the simulator raises if a sync is not taken.
    """
    workspace = Workspace.objects.get(slug="default")
    password = _password(workspace, folder / "demo-password")
    key = _key(workspace, folder / "demo-key")
    rest_key = _rest_key(workspace, folder / "demo-rest-key")
    if not Profile.objects.for_workspace(workspace).exists():
        say(f"Imported {_import_people(workspace):,} profiles.")
    if not Cohort.objects.for_workspace(workspace).exists():
        count = demo_history.load(workspace=workspace, partner=PARTNER, now=timezone.now())
        say(f"Imported {count:,} syncs of the last {demo_history.DAYS} days.")
    for sync in [sync for sync in SYNCS if not _is_done(workspace, sync)]:
        summary = _send(sync, endpoint, key)
        say(f"Sent “{sync.name}” over HTTP ({sync.protocol}, {sync.action}): {summary.members:,} members.")
    if not EventName.objects.filter(workspace=workspace, kind=EventName.Kind.PURCHASE).exists():
        say(f"Sent {_send_traits(endpoint, rest_key, now=_hour()):,} users’ attributes over HTTP.")
        say(f"Sent {_send_events(endpoint, rest_key, now=_hour()):,} events and purchases over HTTP.")
    _create_segments(workspace)
    today = timezone.now().date()
    if not PeopleCount.objects.filter(workspace=workspace, day__lt=today).exists():
        demo_days.invent(workspace=workspace, now=timezone.now())
        say("Invented what was noted in the weeks before.")
    return Secrets(USERNAME, password, key, rest_key)


def _password(workspace: Workspace, path: Path) -> str:
    """Return the password of the demo's login, which may do everything; make or mend both if they do not fit."""
    user, _ = User.objects.get_or_create(username=USERNAME, defaults={"is_staff": True, "is_superuser": True})
    Membership.objects.get_or_create(workspace=workspace, user=user)
    password = path.read_text() if path.exists() else ""
    if not user.check_password(password):
        password = secrets.token_urlsafe(12)
        user.set_password(password)
        user.save(update_fields=["password"])
        _keep(path, password)
    return password


def _key(workspace: Workspace, path: Path) -> str:
    """Return the demo's data import key. It alone is kept in the clear: the database has its digest only."""
    secret = path.read_text() if path.exists() else ""
    try:
        keys.verify(secret=secret, partner=PARTNER, now=timezone.now())
    except keys.InvalidKeyError:
        _, secret = keys.create(
            workspace=workspace, partner=PARTNER, label="Demo", created_by=None, now=timezone.now()
        )
        _keep(path, secret)
    return secret


def _rest_key(workspace: Workspace, path: Path) -> str:
    """Return the demo's REST API key, kept like the other one."""
    secret = path.read_text() if path.exists() else ""
    try:
        keys.verify_rest(secret=secret, now=timezone.now())
    except keys.InvalidKeyError:
        _, secret = keys.create_rest(
            workspace=workspace, label="Demo", scopes=list(Scope), created_by=None, now=timezone.now()
        )
        _keep(path, secret)
    return secret


def _keep(path: Path, secret: str) -> None:
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(secret)


def _import_people(workspace: Workspace) -> int:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "people.csv"
        demo_data.write_csv(path, demo_data.people(), demo_data.PEOPLE_COLUMNS)
        with path.open("rb") as source:
            progress = list(csv_import.run(workspace_id=workspace.pk, source=source, rejected=io.StringIO()))
    return progress[-1].created


def _is_done(workspace: Workspace, sync: DemoSync) -> bool:
    # The partner protocol has no sessions: what it adds and removes is one sync to us.
    action = CohortSync.Action.CHANGES if sync.protocol is Protocol.PARTNER else sync.action
    known = CohortSync.objects.for_workspace(workspace).filter(
        status=CohortSync.Status.COMPLETE, action=action
    )
    over_http = known.exclude(session_id__startswith=demo_history.SESSION)
    return over_http.filter(cohort__partner_cohort_id=sync.cohort_id).exists()


def _send(sync: DemoSync, endpoint: str, key: str) -> Summary:
    order = Sync(endpoint, key, sync.protocol, sync.cohort_id, sync.name, sync.action)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "members.csv"
        demo_data.write_csv(path, demo_data.members(sync), demo_data.MEMBER_COLUMNS)
        with path.open("rb") as source:
            return list(simulator.run(order, source))[-1]


def _hour() -> datetime:
    """Return the hour's beginning: what is sent again within it are the same events, which do not count twice."""
    return timezone.now().replace(minute=0, second=0, microsecond=0)


def _client(endpoint: str, rest_key: str) -> Client:
    return Client(endpoint, headers={"Authorization": f"Bearer {rest_key}"}, is_gzipped=True)


def _send_traits(endpoint: str, rest_key: str, *, now: datetime) -> int:
    """Send what the shop knows of people. Told again, it says the same."""
    client, told = _client(endpoint, rest_key), list(demo_traits.attributes(now=now))
    for start in range(0, len(told), OBJECTS_PER_CALL):
        client.post("/users/track", {"attributes": told[start : start + OBJECTS_PER_CALL]})
    client.close()
    return len(told)


def _send_events(endpoint: str, rest_key: str, *, now: datetime) -> int:
    """Send what people did: events as Mixpanel exports them, then purchases. Repeated events are not counted."""
    client = _client(endpoint, rest_key)
    events, purchases = list(demo_events.events(now=now)), list(demo_events.purchases(now=now))
    for start in range(0, len(events), EVENTS_PER_CALL):
        client.post("/import?strict=0", events[start : start + EVENTS_PER_CALL])
    for start in range(0, len(purchases), OBJECTS_PER_CALL):
        client.post("/users/track", {"purchases": purchases[start : start + OBJECTS_PER_CALL]})
    client.close()
    return len(events) + len(purchases)


def _create_segments(workspace: Workspace) -> None:
    own = Cohort.objects.for_workspace(workspace)
    ids = dict(own.filter(partner=PARTNER).values_list("partner_cohort_id", "id"))
    lapsed, valuable, cart = (ids[cohort_id] for cohort_id in (LAPSED, VALUABLE, CART))
    trees = {
        "Win back valuable customers": _group("and", _includes(lapsed), _includes(valuable)),
        "Valuable and still with us": _group("and", _includes(valuable), _excludes(lapsed)),
        "Worth a reminder": _group(
            "and",
            _group("or", _includes(lapsed), _includes(cart)),
            _group("or", _includes(valuable), exclude=True),
        ),
        "Spenders in France who listen": _group(
            "and",
            _filter("country", "is_one_of", ["FR"]),
            _filter("custom_attribute", "number_above", 500, subject="lifetime_value"),
            _filter("custom_event", "last_in_last_days", 30, subject="Played a song"),
        ),
        "Jazz by push, without the holdout": _group(
            "and",
            _filter("custom_attribute", "list_includes", ["jazz"], subject="interests"),
            _filter("push_token", "has"),
            _group("or", _filter("random_bucket", "between", [0, 999]), exclude=True),
        ),
    }
    known = set(Segment.objects.for_workspace(workspace).values_list("name", flat=True))
    for name in trees.keys() - known:
        definition = {"version": filters.VERSION, "root": trees[name]}
        segment = Segment(workspace=workspace, name=name, definition=definition)
        saving.save(segment=segment, tags=TAGS.get(name, []), by=None, now=timezone.now())


def _group(operator: str, *children: Node, exclude: bool = False) -> Node:
    return {"type": "group", "operator": operator, "exclude": exclude, "children": list(children)}


def _filter(type_: str, operator: str, value: Any = None, *, subject: str | None = None) -> Node:
    node = {"type": type_, "subject": subject, "operator": operator, "value": value}
    return {name: it for name, it in node.items() if it is not None}


def _includes(*cohort_ids: int) -> Node:
    return _filter("cohort", "includes", list(cohort_ids), subject=PARTNER)


def _excludes(*cohort_ids: int) -> Node:
    return {**_includes(*cohort_ids), "operator": "does_not_include"}
