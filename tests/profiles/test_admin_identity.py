"""Audience > Users, one user: identified, merged, called otherwise, erased and handed out, always asked first."""

from __future__ import annotations

import pytest

from accounts.models import AuditEntry
from profiles import matching
from profiles.attempts import ContendedError
from profiles.models import Identifier, Profile
from tests.cohorts.factories import CohortFactory
from tests.profiles.admin_pages import address, followed, query_count, text_of
from tests.profiles.factories import ProfileFactory
from tests.profiles.happenings import happen

FORBIDDEN, NOT_FOUND, NOT_ALLOWED, UNPROCESSABLE = 403, 404, 405, 422
AT_ONCE = "Nothing was done: the user was changed at the same moment."


@pytest.fixture
def ada(workspace):
    return ProfileFactory.create(
        external_id="ada-1", first_name="Ada", email="ada@people.example", aliases=[("crm", "42")]
    )


@pytest.fixture
def lost(workspace):
    return ProfileFactory.create(
        anonymous=True,
        email="",
        country="PT",
        first_name="A.",
        devices=["lost-phone"],
        custom_attributes={"ltv": 7},
    )


def keys_of(profile):
    return set(Identifier.objects.filter(profile=profile).values_list("key", flat=True))


def noted():
    return list(AuditEntry.objects.order_by("id").values_list("action", "subject"))


# --- who may ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["identify", "merge", "alias", "remove_alias", "erase", "download"])
def test_only_administrators_of_the_workspace_do_any_of_it(
    name, marketer_client, stranger_client, client, ada
):
    sent = {"key": matching.alias_key("crm", "42"), "confirm": "yes", "proof": "ada-1", "external_id": "x"}
    url = address(ada, name)
    assert marketer_client.post(url, sent).status_code == FORBIDDEN
    assert stranger_client.post(url, sent).status_code == NOT_FOUND
    assert client.post(url, sent)["Location"].startswith("/admin/login/")
    assert keys_of(ada) == {"e:ada-1", "a:crm:42"}
    assert noted() == []


@pytest.mark.parametrize("name", ["remove_alias", "download"])
def test_looking_at_an_address_does_nothing(administrator_client, ada, name):
    assert administrator_client.get(address(ada, name)).status_code == NOT_ALLOWED
    assert noted() == []


# --- external IDs ----------------------------------------------------------------------------------------------
def test_anonymous_user_takes_a_free_external_id_after_being_asked(administrator_client, lost):
    url, sent = address(lost, "identify"), {"external_id": "grace-1"}
    asked = text_of(administrator_client.post(url, sent))
    assert "the external ID “grace-1”?" in asked
    assert "Nobody has it yet." in asked
    assert keys_of(lost) == {"d:lost-phone"}
    page = followed(administrator_client, url, sent | {"confirm": "nobody"})
    assert "This user has an external ID now." in page
    assert keys_of(lost) == {"e:grace-1", "i:lost-phone"}
    assert noted() == [("user_identified", f"user {lost.pk}")]


def test_anonymous_user_merges_into_the_one_who_has_the_external_id(administrator_client, lost, ada):
    url, sent = address(lost, "identify"), {"external_id": "ada-1"}
    asked = text_of(administrator_client.post(url, sent))
    assert "“ada-1” is a user already." in asked
    assert "one is lost" in asked
    page = followed(administrator_client, url, sent | {"confirm": str(ada.pk)})
    assert "The two users are one now." in page
    assert 'id="attributes"' in page
    ada.refresh_from_db()
    assert (ada.first_name, ada.country, ada.custom_attributes) == ("Ada", "PT", {"ltv": 7})
    assert keys_of(ada) == {"e:ada-1", "a:crm:42", "i:lost-phone"}
    assert sorted(noted()) == sorted(("users_merged", f"user {user.pk}") for user in (lost, ada))


@pytest.mark.parametrize("answer", ["nobody", "", "yes", "99999"])
def test_an_answer_to_another_question_is_asked_again(administrator_client, lost, ada, answer):
    sent = {"external_id": "ada-1", "confirm": answer}
    assert "Merge into that user" in text_of(administrator_client.post(address(lost, "identify"), sent))
    assert Profile.objects.live().count() == 2


def test_identified_user_gets_another_external_id_after_being_asked(administrator_client, ada):
    url, sent = address(ada, "identify"), {"external_id": "ada-2"}
    assert "“ada-1” will mean nobody" in text_of(administrator_client.post(url, sent))
    assert "The external ID was changed." in followed(administrator_client, url, sent | {"confirm": "nobody"})
    ada.refresh_from_db()
    assert (ada.external_id, keys_of(ada)) == ("ada-2", {"e:ada-2", "a:crm:42"})
    assert noted() == [("user_renamed", f"user {ada.pk}")]


def test_external_id_of_another_user_is_not_taken_away(administrator_client, ada):
    bob = ProfileFactory.create(external_id="bob-1")
    sent = {"external_id": "bob-1", "confirm": str(bob.pk)}
    asked = text_of(administrator_client.post(address(ada, "identify"), {"external_id": "bob-1"}))
    assert "Two users cannot have the same external ID." in asked
    assert address(ada, "merge") in asked
    assert AT_ONCE in followed(administrator_client, address(ada, "identify"), sent)
    assert (keys_of(ada), keys_of(bob)) == ({"e:ada-1", "a:crm:42"}, {"e:bob-1"})


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("", "This field is required."),
        ("ada-1", "This is the user’s external ID already."),
        ("NULL", "This stands for nobody."),
        ("a" * 256, "Ensure this value has at most 255 characters"),
    ],
)
def test_external_ids_of_nobody_are_refused(administrator_client, ada, value, reason):
    response = administrator_client.post(
        address(ada, "identify"), {"external_id": value, "confirm": "nobody"}
    )
    assert reason in text_of(response, UNPROCESSABLE)
    assert noted() == []


# --- merging ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("keeps_the_first", [True, False])
def test_two_users_become_the_one_who_was_chosen(administrator_client, ada, lost, keeps_the_first):
    url, sent = address(ada, "merge"), {"identifier": "lost-phone"}
    asked = text_of(administrator_client.post(url, sent))
    assert "Make one user of these two?" in asked
    assert Profile.objects.live().count() == 2
    kept, gone = (ada, lost) if keeps_the_first else (lost, ada)
    page = followed(administrator_client, url, sent | {"keep": str(kept.pk), "confirm": str(lost.pk)})
    assert "The two users are one now." in page
    kept.refresh_from_db()
    gone.refresh_from_db()
    assert (kept.external_id, kept.first_name) == ("ada-1", "Ada" if keeps_the_first else "A.")
    assert keys_of(kept) == {"e:ada-1", "a:crm:42", "i:lost-phone"}
    assert gone.deleted_at is not None
    assert sorted(noted()) == sorted(("users_merged", f"user {user.pk}") for user in (gone, kept))


@pytest.mark.parametrize(
    ("identifier", "reason"),
    [
        ("", "This field is required."),
        ("nobody-here", "Nobody has this identifier."),
        ("elsewhere-1", "Nobody has this identifier."),
        ("ada-1", "This is the user whose page you come from."),
        ("family@people.example", "Several users have it."),
    ],
)
def test_other_user_must_be_one_other_user(administrator_client, ada, other_workspace, identifier, reason):
    ProfileFactory.create(workspace=other_workspace, external_id="elsewhere-1")
    ProfileFactory.create_batch(2, email="family@people.example")
    response = administrator_client.post(address(ada, "merge"), {"identifier": identifier})
    assert reason in text_of(response, UNPROCESSABLE)


@pytest.mark.parametrize(
    "sent", [{"keep": "1"}, {"keep": "x", "confirm": "1"}, {"confirm": "1"}, {"keep": "99999"}]
)
def test_nothing_merges_without_an_answer(administrator_client, ada, lost, sent):
    response = administrator_client.post(address(ada, "merge"), {"identifier": "lost-phone"} | sent)
    assert "Make one user of these two?" in text_of(response)
    assert Profile.objects.live().count() == 2


@pytest.mark.parametrize("name", ["merge", "erase"])
def test_questions_cost_the_same_for_1_and_50_of_anything(administrator_client, workspace, ada, name):
    costs = set()
    for count in (1, 50):
        numbers = [str(n) for n in range(count)]
        profile = ProfileFactory.create(
            external_id=f"person-of-{count}", custom_attributes=dict.fromkeys(numbers), devices=numbers[1:]
        )
        happen(profile, *numbers)
        CohortFactory.create_batch(count, members=[profile])
        url, sent = (address(ada, name), {"identifier": profile.external_id})
        costs.add(
            query_count(
                administrator_client, *((url, sent) if name == "merge" else (address(profile, name),))
            )
        )
    assert len(costs) == 1


# --- aliases ---------------------------------------------------------------------------------------------------
def test_alias_is_added_and_removed_after_being_asked(administrator_client, ada):
    sent = {"label": "shop", "name": "7"}
    assert "Alias added." in followed(administrator_client, address(ada, "alias"), sent)
    assert keys_of(ada) == {"e:ada-1", "a:crm:42", "a:shop:7"}
    url, sent = address(ada, "remove_alias"), {"key": matching.alias_key("crm", "42")}
    assert "will reach nobody" in text_of(administrator_client.post(url, sent))
    assert "a:crm:42" in keys_of(ada)
    assert "Alias removed." in followed(administrator_client, url, sent | {"confirm": "yes"})
    assert keys_of(ada) == {"e:ada-1", "a:shop:7"}
    assert noted() == [("user_alias_added", f"user {ada.pk}"), ("user_edited", f"user {ada.pk}")]


@pytest.mark.parametrize(
    ("label", "name", "reason"),
    [
        ("shop", "7", "Another user has this alias"),
        ("", "7", "This field is required."),
        ("shop", "none", "This stands for nobody."),
    ],
)
def test_aliases_of_others_or_nobody_are_refused(administrator_client, ada, label, name, reason):
    ProfileFactory.create(aliases=[("shop", "7")])
    response = administrator_client.post(address(ada, "alias"), {"label": label, "name": name})
    assert reason in text_of(response, UNPROCESSABLE)


@pytest.mark.parametrize("key", ["e:ada-1", "a:crm", "", "x", "a:crm:\x00"])
def test_what_is_no_alias_is_not_removed(administrator_client, ada, key):
    response = administrator_client.post(address(ada, "remove_alias"), {"key": key, "confirm": "yes"})
    assert response.status_code == NOT_FOUND


def test_alias_of_somebody_else_stays(administrator_client, ada):
    bob = ProfileFactory.create(aliases=[("shop", "7")])
    sent = {"key": matching.alias_key("shop", "7"), "confirm": "yes"}
    assert AT_ONCE in followed(administrator_client, address(ada, "remove_alias"), sent)
    assert "a:shop:7" in keys_of(bob)


# --- erasing and handing out -----------------------------------------------------------------------------------
@pytest.mark.parametrize("has_external_id", [True, False])
def test_user_is_erased_for_those_who_type_who_it_is(administrator_client, ada, lost, has_external_id):
    profile = ada if has_external_id else lost
    proof = "ada-1" if has_external_id else str(lost.pk)
    asked = text_of(administrator_client.get(address(profile, "erase")))
    assert f'<span class="rc-code">{proof}</span>' in asked
    page = followed(administrator_client, address(profile, "erase"), {"proof": proof})
    assert f"User {profile.pk} was deleted" in page
    profile.refresh_from_db()
    assert (profile.first_name, profile.external_id, keys_of(profile)) == ("", None, set())
    assert noted() == [("user_erased", f"user {profile.pk}")]


@pytest.mark.parametrize("proof", ["", "ADA-1", "yes", "ada"])
def test_nobody_is_erased_by_a_slip(administrator_client, ada, proof):
    response = administrator_client.post(address(ada, "erase"), {"proof": proof})
    assert "to confirm:" in text_of(response, UNPROCESSABLE)
    assert keys_of(ada) == {"e:ada-1", "a:crm:42"}


def test_all_data_of_a_person_is_a_file_and_the_download_is_noted(administrator_client, administrator, ada):
    response = administrator_client.post(address(ada, "download"))
    assert response["Content-Type"] == "application/json"
    assert response["Content-Disposition"] == f'attachment; filename="user-{ada.pk}.json"'
    assert "no-store" in response["Cache-Control"]
    known = response.json()
    assert (known["external_id"], known["email"], known["first_name"]) == (
        "ada-1",
        "ada@people.example",
        "Ada",
    )
    assert known["user_aliases"] == [{"alias_label": "crm", "alias_name": "42"}]
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.subject, entry.actor) == ("user_downloaded", f"user {ada.pk}", administrator)
    assert "ada" not in str(entry.detail)


# --- others at the same moment ---------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("name", "target", "sent"),
    [
        ("identify", "identity.rename", {"external_id": "ada-2", "confirm": "nobody"}),
        ("alias", "identity.add_alias_by_hand", {"label": "shop", "name": "7"}),
        ("remove_alias", "identity.remove_alias_by_hand", {"key": "a:crm:42", "confirm": "yes"}),
        ("erase", "erasure.erase", {"proof": "ada-1"}),
    ],
)
def test_who_comes_second_is_told_to_try_again(administrator_client, ada, monkeypatch, name, target, sent):
    def contend(**_kwargs):
        raise ContendedError

    monkeypatch.setattr(f"profiles.{target}", contend)
    assert AT_ONCE in followed(administrator_client, address(ada, name), sent)
