"""Published clients that none of us wrote, against a running server: only the address and the key are ours."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest
from braze.client import BrazeClient, BrazeClientError, BrazeRateLimitError
from braze_api_client.client import Client as BrazeApiClient
from mixpanel import BufferedConsumer, Consumer, Mixpanel, MixpanelException, ServiceAccountCredentials
from requests import Session

from accounts.models import Scope
from profiles import matching
from profiles.models import CustomEvent, EventName, Profile
from tests.accounts.factories import make_rest_key
from tests.profiles.factories import ProfileFactory

YESTERDAY = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
TIME = YESTERDAY.isoformat().replace("+00:00", "Z")
ANN = {"external_id": "ann", "first_name": "Ann", "email": "ann@people.example", "plan": "pro", "logins": 3}
SIGN_UP = {"external_id": "ann", "name": "Signed up", "time": TIME, "properties": {"source": "shop"}}
SHOES = {
    "external_id": "ann",
    "product_id": "shoes",
    "currency": "EUR",
    "price": 49.5,
    "quantity": 2,
    "time": TIME,
}


@pytest.fixture
def secret(workspace) -> str:
    """A REST API key that may do everything."""
    return make_rest_key(workspace)[1]


@pytest.fixture
def address(live_server) -> Iterator[str]:
    """Where the server runs; afterwards it has let go of the database, for every caller has hung up."""
    yield live_server.url
    for thread in threading.enumerate():
        if "process_request_thread" in thread.name:
            thread.join(5)


@contextmanager
def hanging_up(session: Session) -> Iterator[None]:
    """Let a client hang up after every call."""
    session.headers["Connection"] = "close"
    # The server closes what the client would keep for its next call, and now and then that call is the quicker one.
    session.hooks["response"].append(lambda _answer, **_options: session.close())
    with session:
        yield


def names(*external_ids: str) -> list[str]:
    """Return which of them are live users."""
    found = Profile.objects.live().filter(external_id__in=external_ids)
    return sorted(it.external_id or "" for it in found)


def totals(external_id: str) -> dict[str, CustomEvent]:
    """Return a user's events by name."""
    found = CustomEvent.objects.filter(profile__external_id=external_id).select_related("name")
    return {event.name.name: event for event in found}


# --- braze-client ----------------------------------------------------------------------------------------------
@pytest.fixture
def braze(address, secret) -> Iterator[BrazeClient]:
    client = BrazeClient(api_key=secret, api_url=address)
    with hanging_up(client.session):
        yield client


def test_braze_client_tracks_users_events_and_purchases(braze):
    answer = braze.user_track(attributes=[ANN], events=[SIGN_UP, SIGN_UP], purchases=[SHOES])
    assert answer == {
        "message": "success",
        "success": True,
        "errors": [],
        "status_code": 201,
        "attributes_processed": 1,
        "events_processed": 2,
        "purchases_processed": 1,
    }
    ann = Profile.objects.get(external_id="ann")
    assert (ann.first_name, ann.email) == ("Ann", "ann@people.example")
    assert ann.custom_attributes == {"plan": "pro", "logins": 3}
    events = totals("ann")
    assert (events["Signed up"].count, events["Signed up"].last_at) == (2, YESTERDAY)
    shoes = events["shoes"]
    assert (shoes.name.kind, shoes.name.currency) == (EventName.Kind.PURCHASE, "EUR")
    assert (shoes.quantity, shoes.revenue) == (2, Decimal(99))


@pytest.mark.parametrize(
    "sent",
    [{"attributes": ANN}, {"events": SIGN_UP}, {"purchases": SHOES}],
    ids=lambda sent: next(iter(sent)),
)
def test_braze_client_may_send_one_object_without_an_array(braze, sent):
    answer = braze.user_track(**sent)
    assert (answer["success"], answer[f"{next(iter(sent))}_processed"]) == (True, 1)
    assert names("ann") == ["ann"]


def test_braze_client_learns_which_objects_were_refused(braze):
    answer = braze.user_track(attributes=[ANN, {"external_id": "ben", "dob": "soon"}], events=[{"name": "x"}])
    assert (answer["status_code"], answer["success"]) == (201, False)
    places = {(it["input_array"], it["index"]) for it in answer["errors"]}
    assert places == {("attributes", 1), ("events", 0)}
    assert all(it["type"] for it in answer["errors"])
    assert answer["attributes_processed"] == 1
    assert names("ann", "ben") == ["ann"]


def test_braze_client_raises_what_is_fatal(braze):
    with pytest.raises(BrazeClientError) as fatal:
        braze.user_track(attributes=[{"external_id": "ben", "dob": "soon"}])
    message, errors = fatal.value.args
    assert message != "success"
    assert len(errors) == 1
    with pytest.raises(BrazeClientError, match="75"):
        braze.user_track(attributes=[{"external_id": f"person-{n}"} for n in range(76)])
    assert not Profile.objects.exists()


def test_braze_client_says_why_its_key_was_refused(address, workspace):
    narrow = make_rest_key(workspace, Scope.USERS_DELETE)[1]
    for key, reason in (("wrong", "Unknown REST API key"), (narrow, "users.track")):
        client = BrazeClient(api_key=key, api_url=address)
        with hanging_up(client.session), pytest.raises(BrazeClientError, match=reason):
            client.user_track(attributes=[ANN])


def test_braze_client_knows_when_it_may_call_again(braze, settings):
    settings.CALLS_PER_MINUTE = 1
    braze.user_track(attributes=[ANN])
    with pytest.raises(BrazeRateLimitError) as limit:
        braze.user_track(attributes=[ANN])
    assert 0 < limit.value.reset_epoch_s - time.time() <= 61


def test_braze_client_exports_by_external_ids_and_by_email(braze):
    braze.user_track(attributes=[ANN, {"external_id": "ben", "email": "ben@people.example"}])
    answer = braze.user_export(external_ids=["ann", "ben", "nobody"])
    assert answer["success"]
    assert {it["external_id"] for it in answer["users"]} == {"ann", "ben"}
    assert answer["invalid_user_ids"] == ["nobody"]
    (ann,) = braze.user_export(
        email="ann@people.example", fields_to_export=["first_name", "custom_attributes"]
    )["users"]
    assert (ann["first_name"], ann["custom_attributes"]["plan"]) == ("Ann", "pro")
    assert "email" not in ann


def test_braze_client_deletes(braze):
    braze.user_track(attributes=[ANN, {"external_id": "ben"}], events=[SIGN_UP])
    answer = braze.user_delete(external_ids=["ann"])
    assert (answer["success"], answer["deleted"]) == (True, 1)
    assert names("ann", "ben") == ["ben"]
    assert totals("ann") == {}


# --- braze-api-client ------------------------------------------------------------------------------------------
@pytest.fixture
def users(address, secret) -> Iterator[SimpleNamespace]:
    client = BrazeApiClient(secret, address)
    with hanging_up(client._session):
        yield client.users


def test_braze_api_client_tracks(users):
    answer = users.track.create_item({"attributes": [ANN], "events": [SIGN_UP]})
    assert answer.status_code == 201
    assert answer.json() == {"message": "success", "attributes_processed": 1, "events_processed": 1}
    assert names("ann") == ["ann"]


def test_braze_api_client_gives_a_user_an_alias_and_makes_one_of_an_alias_alone(users, workspace):
    ann = ProfileFactory.create(external_id="ann")
    aliases = [
        {"external_id": "ann", "alias_name": "a@shop", "alias_label": "shop"},
        {"alias_name": "b@shop", "alias_label": "shop"},
    ]
    answer = users.alias.new.create_item({"user_aliases": aliases})
    assert (answer.status_code, answer.json()) == (201, {"aliases_processed": 2, "message": "success"})
    keys = [matching.alias_key("shop", name) for name in ("a@shop", "b@shop")]
    found = matching.lookup(workspace_id=workspace.pk, keys=keys)
    assert found[keys[0]] == ann.pk
    assert Profile.objects.get(pk=found[keys[1]]).external_id is None
    tracked = users.track.create_item(
        {"attributes": [{"user_alias": {"alias_name": "b@shop", "alias_label": "shop"}, "first_name": "Ben"}]}
    )
    assert tracked.status_code == 201
    assert Profile.objects.get(pk=found[keys[1]]).first_name == "Ben"


# --- mixpanel --------------------------------------------------------------------------------------------------
@pytest.fixture
def import_url(address, workspace) -> str:
    ProfileFactory.create(external_id="ann")
    return f"{address}/import"


def imported(consumer: Consumer, **more) -> None:
    """Import one event of Ann with a consumer, and close it."""
    with hanging_up(consumer._session):
        Mixpanel("token", consumer=consumer).import_data(
            None, "ann", "Signed up", int(YESTERDAY.timestamp()), {"source": "shop"}, **more
        )


def test_mixpanel_client_imports_with_a_service_account(import_url, secret):
    account = ServiceAccountCredentials("anybody", secret, "1978118")
    imported(Consumer(import_url=import_url, credentials=account))
    assert (totals("ann")["Signed up"].count, totals("ann")["Signed up"].last_at) == (1, YESTERDAY)


def test_mixpanel_client_imports_with_a_project_secret(import_url, secret):
    imported(Consumer(import_url=import_url), api_secret=secret)
    assert totals("ann")["Signed up"].count == 1


def test_mixpanel_client_imports_many_at_once(import_url, secret):
    account = ServiceAccountCredentials("anybody", secret, "1978118")
    consumer = BufferedConsumer(import_url=import_url, credentials=account)
    client = Mixpanel("token", consumer=consumer)
    with hanging_up(consumer._consumer._session):
        for ago in range(60):  # 50 go at once
            client.import_data(None, "ann", "Signed up", int(YESTERDAY.timestamp()) - ago)
        assert totals("ann")["Signed up"].count == 50
        consumer.flush()
    assert totals("ann")["Signed up"].count == 60


def test_mixpanel_client_counts_what_it_sends_twice_once(import_url, secret):
    account = ServiceAccountCredentials("anybody", secret, "1978118")
    for _ in range(2):
        consumer = Consumer(import_url=import_url, credentials=account)
        with hanging_up(consumer._session):
            Mixpanel("token", consumer=consumer).import_data(
                None, "ann", "Signed up", int(YESTERDAY.timestamp()), {"$insert_id": "once"}
            )
    assert totals("ann")["Signed up"].count == 1


def test_mixpanel_client_says_why_its_key_was_refused(import_url):
    account = ServiceAccountCredentials("anybody", "wrong", "1978118")
    with pytest.raises(MixpanelException, match="Unknown REST API key"):
        imported(Consumer(import_url=import_url, credentials=account))
    assert totals("ann") == {}
