"""The endpoints of the users' REST API: each translates in, makes one domain call, and translates out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils import translation
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.authentication import RestKeyAuthentication
from accounts.models import RestApiKey, Scope, Workspace
from accounts.permissions import HasScope
from accounts.throttling import KeyThrottle


class UsersView(APIView):
    """What all endpoints of the REST API share. Messages are English: programs log them."""

    authentication_classes = [RestKeyAuthentication]
    permission_classes = [HasScope]
    throttle_classes = [KeyThrottle]
    http_method_names = ["post"]
    required_scope: ClassVar[Scope]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Authenticate, ask for the scope and throttle."""
        translation.activate("en")
        if request.method not in self.allowed_methods:  # no key would make it allowed, so none is asked for
            self.http_method_not_allowed(request)
        super().initial(request, *args, **kwargs)

    @property
    def workspace(self) -> Workspace:
        """The workspace, which the key decided."""
        workspace: Workspace = self.request.user  # type: ignore[assignment]
        return workspace

    @property
    def key(self) -> RestApiKey:
        """The key of the request."""
        key: RestApiKey = self.request.auth  # type: ignore[assignment]
        return key

    @property
    def body(self) -> Mapping[str, Any]:
        """The body, which must be a JSON object."""
        body: Any = self.request.data
        if not isinstance(body, Mapping):
            raise ParseError("The body must be a JSON object.")
        return body

    def error_body(
        self, *, status: int, message: str, faults: list[dict[str, str]], total: int
    ) -> dict[str, Any]:
        """Return an error in the shape that clients of Braze's API read."""
        return {"message": message} | ({"errors": faults, "error_count": total} if faults else {})
