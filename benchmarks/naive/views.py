"""The naive endpoints, in the bodies of both protocols, without authentication, locking or bookkeeping."""

from django.db import transaction
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from benchmarks.naive.models import NaiveMember
from profiles.models import Profile


class MemberSerializer(serializers.Serializer):
    """One member."""

    mixpanel_distinct_id = serializers.CharField()
    email = serializers.CharField(required=False)
    first_name = serializers.CharField(required=False)
    last_name = serializers.CharField(required=False)


class ParametersSerializer(serializers.Serializer):
    """One page."""

    members = MemberSerializer(many=True)


class PageSerializer(serializers.Serializer):
    """The webhook's body."""

    action = serializers.CharField()
    parameters = ParametersSerializer()


class ChangeSerializer(serializers.Serializer):
    """One change."""

    user_ids = serializers.ListField(child=serializers.CharField())


class ChangesSerializer(serializers.Serializer):
    """The partner protocol's body."""

    cohort_changes = ChangeSerializer(many=True)


class NaiveWebhook(APIView):
    """Adds a page's members."""

    def post(self, request):
        """Validate, look up, insert."""
        body = PageSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        add([member["mixpanel_distinct_id"] for member in body.validated_data["parameters"]["members"]])
        return Response({"status": "success"})


class NaivePartner(APIView):
    """Adds a request's members."""

    def post(self, request, partner):
        """Validate, look up, insert."""
        body = ChangesSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        for change in body.validated_data["cohort_changes"]:
            add(change["user_ids"])
        return Response({"message": "success"}, status=201)


@transaction.atomic
def add(external_ids):
    """Insert one row per profile found."""
    keys = [f"e:{one}" for one in external_ids]
    found = Profile.objects.filter(identifiers__workspace_id=1, identifiers__key__in=keys)
    rows = [NaiveMember(cohort_id=1, profile_id=pk) for pk in found.values_list("id", flat=True)]
    NaiveMember.objects.bulk_create(rows, ignore_conflicts=True)
