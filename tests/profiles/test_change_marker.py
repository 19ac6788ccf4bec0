"""No path that writes a profile forgets the change marker: each is walked while the test database is the witness.

So is every other test (`marker_witness`), among them the demo's and those in which paths race.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from accounts.models import User, Workspace
from profiles import jobs, tasks
from profiles.models import ImportJob, Profile
from tests.accounts.factories import make_rest_key
from tests.api.clients import Rest
from tests.profiles.factories import ProfileFactory
from tests.profiles.import_jobs import uploaded
from tests.test_architecture import TREES, name_of

pytestmark = pytest.mark.django_db
TIME = "2026-11-01T09:30:00Z"
SECONDS = int(datetime(2026, 11, 1, tzinfo=UTC).timestamp())
ALIAS = {"alias_label": "shop", "alias_name": "cleo"}
BOUGHT = {"name": "bought", "time": TIME}
TEA = {"product_id": "tea", "currency": "EUR", "price": 2.5, "time": TIME}
RAW = {"event": "seen", "properties": {"distinct_id": "ann", "time": SECONDS, "$insert_id": "1"}}


@dataclass
class Doors:
    """All by which people are written, and the people: Ann and Ben; somebody with a device, Cleo with an alias."""

    workspace: Workspace
    by: User
    rest: Rest
    browser: Client
    folder: Path
    people: dict[str, Profile]

    def api(self, path: str, body: Any) -> None:
        """Call the REST API."""
        answer = self.rest.call(path, body)
        assert answer.status_code in {200, 201, 202}, answer.content
        assert not answer.json().get("errors"), answer.content

    def page(self, who: str, path: str, **form: Any) -> None:
        """Send a form of somebody's page in the admin."""
        form |= {
            name: self.people[form[name]].pk for name in ("keep", "confirm") if form.get(name) in self.people
        }
        answer = self.browser.post(f"/admin/profiles/profile/{self.people[who].pk}/{path}/", form)
        assert answer.status_code == 302, answer.content

    def command(self, name: str, content: bytes) -> None:
        """Import a file by a command."""
        path = self.folder / "file"
        path.write_bytes(content)
        call_command(name, str(path), "--workspace", self.workspace.slug, verbosity=0)

    def job(self, kind: ImportJob.Kind, content: bytes, **options: Any) -> None:
        """Import an uploaded file by the worker."""
        job = uploaded(self.by, content, kind=kind)
        jobs.start(job=job, options=options, now=timezone.now())
        tasks.run_import(job.pk)
        job.refresh_from_db()
        assert job.status == ImportJob.Status.COMPLETE, job.last_error


@pytest.fixture
def doors(workspace, administrator, administrator_client, tmp_path, settings) -> Doors:
    settings.MEDIA_ROOT = tmp_path
    rest = Rest(make_rest_key(workspace)[1])
    people = {
        "ann": ProfileFactory.create(external_id="ann", email="ann@people.example", devices=["phone"]),
        "ben": ProfileFactory.create(external_id="ben"),
        "somebody": ProfileFactory.create(anonymous=True, devices=["tablet"]),
        "cleo": ProfileFactory.create(anonymous=True, aliases=[("shop", "cleo")]),
    }
    for name in ({"external_id": "ann"}, {"external_id": "ben"}, {"user_alias": ALIAS}):
        rest.call("/users/track", {"events": [BOUGHT | name], "purchases": [TEA | name]})
    return Doors(workspace, administrator, rest, administrator_client, tmp_path, people)


def track(**arrays: Any) -> Callable[[Doors], None]:
    return lambda doors: doors.api("/users/track", arrays)


def api(path: str, **body: Any) -> Callable[[Doors], None]:
    return lambda doors: doors.api(path, body)


def page(who: str, path: str, **form: Any) -> Callable[[Doors], None]:
    return lambda doors: doors.page(who, path, **form)


ALONE = {"_update_existing_only": False}
PATHS: dict[str, Callable[[Doors], None]] = {
    "track an attribute": track(attributes=[{"external_id": "ann", "home_city": "Paris"}]),
    "track a custom attribute": track(attributes=[{"external_id": "ann", "plan": "pro"}]),
    "track an attribute by email": track(attributes=[{"email": "ann@people.example", "home_city": "Paris"}]),
    "track a new user": track(attributes=[{"external_id": "new", "plan": "pro"}]),
    "track a new user by an event": track(events=[BOUGHT | {"external_id": "new"}]),
    "track a new user with a device": track(attributes=[{"device_id": "watch", "plan": "pro"}]),
    "track a new user with an alias": track(
        attributes=[{"user_alias": ALIAS | {"alias_name": "new"}, "plan": "pro"} | ALONE]
    ),
    "track an event": track(events=[BOUGHT | {"external_id": "ann"}]),
    "track a purchase": track(purchases=[TEA | {"external_id": "ann"}]),
    "track everything": track(
        attributes=[{"external_id": "ann", "plan": "pro"}, {"external_id": "new"}],
        events=[BOUGHT | {"external_id": "ben"}],
        purchases=[TEA | {"user_alias": ALIAS}],
    ),
    "give an alias": api(
        "/users/alias/new", user_aliases=[{"external_id": "ann", "alias_label": "shop", "alias_name": "ann"}]
    ),
    "make a user of an alias": api("/users/alias/new", user_aliases=[ALIAS | {"alias_name": "new"}]),
    "rename an alias": api(
        "/users/alias/update",
        alias_updates=[{"alias_label": "shop", "old_alias_name": "cleo", "new_alias_name": "cleopatra"}],
    ),
    "identify": api("/users/identify", aliases_to_identify=[{"external_id": "cleo", "user_alias": ALIAS}]),
    "identify as somebody who is known": api(
        "/users/identify",
        aliases_to_identify=[{"external_id": "ann", "user_alias": ALIAS}],
        merge_behavior="merge",
    ),
    "identify as somebody who is known, without data": api(
        "/users/identify",
        aliases_to_identify=[{"external_id": "ann", "user_alias": ALIAS}],
        merge_behavior="none",
    ),
    "merge": api(
        "/users/merge",
        merge_updates=[
            {"identifier_to_merge": {"external_id": "ben"}, "identifier_to_keep": {"external_id": "ann"}},
            {"identifier_to_merge": {"user_alias": ALIAS}, "identifier_to_keep": {"external_id": "ann"}},
        ],
    ),
    "rename": api(
        "/users/external_ids/rename",
        external_id_renames=[{"current_external_id": "ann", "new_external_id": "anna"}],
    ),
    "delete": api("/users/delete", external_ids=["ann", "ben"]),
    "import events": lambda doors: doors.api("/import?strict=1", [RAW]),
    "import a file of events": lambda doors: doors.job(ImportJob.Kind.EVENTS, orjson.dumps(RAW) + b"\n"),
    "import a file of events by the command": lambda doors: doors.command(
        "import_events", orjson.dumps(RAW) + b"\n"
    ),
    "create users from CSV": lambda doors: doors.command(
        "import_profiles", b"external_id,email\nnew,n@x.example\n"
    ),
    "update users from CSV": lambda doors: doors.command(
        "import_profiles", b"external_id,alias:crm,custom.plan\nann,a-1,pro\nben,b-1,\n"
    ),
    "create and update users from an uploaded CSV": lambda doors: doors.job(
        ImportJob.Kind.CSV, b"external_id,email\nnew,n@x.example\nann,a@x.example\n"
    ),
    "edit an attribute by hand": page("ann", "edit", home_city="Paris"),
    "edit a custom attribute by hand": page("ann", "attribute", name="plan", kind="text", text="pro"),
    "identify by hand": page("cleo", "identify", external_id="cleo", confirm="nobody"),
    "identify by hand as somebody who is known": page("cleo", "identify", external_id="ann", confirm="ann"),
    "change an external ID by hand": page("ann", "identify", external_id="anna", confirm="nobody"),
    "merge by hand": page("ben", "merge", identifier="ann", keep="ann", confirm="ann"),
    "give an alias by hand": page("ann", "alias", label="shop", name="ann"),
    "take an alias by hand": page("cleo", "alias/remove", key="a:shop:cleo", confirm="yes"),
    "erase by hand": page("ann", "erase", proof="ann"),
}


@pytest.mark.parametrize("path", PATHS)
def test_path_tells_whom_it_wrote(doors, marker_witness, path):
    with marker_witness.watching():
        PATHS[path](doors)


# --- and there is no other path --------------------------------------------------------------------------------
# Modules that write profiles, identifiers or events. Whatever joins them is reached by a path above, or gets one.
WRITERS = {
    "profiles.csv_staging",
    "profiles.editing",
    "profiles.erasure",
    "profiles.event_sql",
    "profiles.identity_events",
    "profiles.identity_store",
    "profiles.statements",
}
# They name the tables, and write others.
OTHERS = {
    "cohorts.held_rows",  # members held, looked up among identifiers
    "segments.demo",  # its login and its segments; users through the doors above
    "segments.demo_history",  # deltas of cohorts
    "segments.suggestions",  # counters in memory
}
MODELS = {"Profile", "Identifier", "CustomEvent", "identifiers", "events"}
TABLES = re.compile(r"\bprofiles_(profile|identifier|customevent)\b|_meta\b")
STATEMENTS = re.compile(r"\b(INSERT\s+INTO|UPDATE|DELETE\s+FROM|COPY|MERGE\s+INTO|TRUNCATE)\b")
METHODS = {"create", "update", "delete", "save", "get_or_create", "update_or_create"}
METHODS |= {f"bulk_{name}" for name in METHODS} | {f"a{name}" for name in METHODS}


def may_write(tree: ast.Module) -> bool:
    """Whether a module names one of the tables, or its model, and has a statement or a method that writes."""
    found = list(ast.walk(tree))
    names = {node.id for node in found if isinstance(node, ast.Name)}
    names |= {node.attr for node in found if isinstance(node, ast.Attribute)}
    called = {
        node.func.attr
        for node in found
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    text = "\n".join(
        node.value for node in found if isinstance(node, ast.Constant) and type(node.value) is str
    )
    by_sql = TABLES.search(text) and STATEMENTS.search(text)
    return bool(by_sql or (names & MODELS and called & METHODS))


def test_no_other_module_writes_profiles():
    assert {name_of(path) for path, tree in TREES.items() if may_write(tree)} == WRITERS | OTHERS


@pytest.mark.parametrize(
    "source",
    [
        "Profile.objects.filter(pk=1).update(email='')",
        "found = profile.identifiers.all()\nfound.delete()",
        "SQL = f'UPDATE {table} SET x = 1'\nTABLE = 'profiles_customevent'",
        "def f(user: Profile):\n    user.save()",
    ],
)
def test_module_that_could_write_is_found(source):
    assert may_write(ast.parse(source))
