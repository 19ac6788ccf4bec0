"""What all endpoints share that a REST API key opens, whichever app they are in."""

from __future__ import annotations

from typing import Any, ClassVar

from django.utils import translation
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.authentication import RestKeyAuthentication
from accounts.models import RestApiKey, Scope, Workspace
from accounts.permissions import HasScope
from accounts.throttling import KeyThrottle


class RestView(APIView):
    """An endpoint that asks for a key with its `required_scope`. Messages are English: programs log them."""

    authentication_classes = [RestKeyAuthentication]
    permission_classes = [HasScope]
    throttle_classes = [KeyThrottle]
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
