"""How a program shows its key: in a header, or, if it is a partner's, in the body of the request."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any, ClassVar

import structlog
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated, ParseError
from rest_framework.request import Request

from accounts import addresses, calls, keys
from accounts.models import DataImportKey, Integration, RestApiKey, Workspace

MAX_SECRET_LENGTH = 200


class RefusedKeyError(AuthenticationFailed):
    """A secret opened nothing. What may be kept of it: whose key it was, if it ever was one, and how it begins."""

    def __init__(self, error: keys.InvalidKeyError, secret: str) -> None:
        super().__init__(error.reason, code=error.cause)
        self.key_prefix = calls.prefix_of(secret)
        self.workspace_id = getattr(error.key, "workspace_id", None)


class _KeyAuthentication(BaseAuthentication):
    """Sets `request.auth` to the key and `request.user` to whom it speaks for: 401 or both, and never 500."""

    kind: ClassVar[str]

    def authenticate(self, request: Request) -> tuple[Any, Any]:
        """Return whom the key speaks for, and the key. Raises NotAuthenticated or AuthenticationFailed."""
        secret = self.secret_of(request)
        try:
            self._refuse_implausible(secret)
            owner, key = self.opened_by(secret, request)
        except keys.InvalidKeyError as error:
            raise RefusedKeyError(error, secret) from error
        # Only of a key of ours: what else is sent in its place may be anything, a person's id for one.
        structlog.contextvars.bind_contextvars(key=key.prefix)
        return owner, key

    def _refuse_implausible(self, secret: str) -> None:
        if not secret.isascii() or not secret.isprintable() or len(secret) > MAX_SECRET_LENGTH:
            raise keys.InvalidKeyError(f"Unknown {self.kind}.", keys.Cause.UNKNOWN_KEY)

    def secret_of(self, request: Request) -> str:
        """Return the secret that the request carries."""
        raise NotImplementedError

    def opened_by(self, secret: str, request: Request) -> tuple[Any, Any]:
        """Return whom the key speaks for, and the key. Raises InvalidKeyError."""
        raise NotImplementedError

    def authenticate_header(self, request: Request) -> str:
        """Return the WWW-Authenticate header; without one DRF would answer 403."""
        return 'Basic realm="Rollcall", charset="UTF-8"'


def _credentials(request: Request) -> tuple[str, str]:
    """Return scheme, in lower case, and credentials of the Authorization header; blank where there are none."""
    header: str = request.META.get("HTTP_AUTHORIZATION", "")
    scheme, _, credentials = header.partition(" ")
    return scheme.lower(), credentials.strip()


def _basic(credentials: str) -> tuple[str, str]:
    """Return user name and password, which is all after the first colon: keys may hold colons."""
    try:
        decoded = base64.b64decode(credentials, validate=True).decode("ascii")
    except (binascii.Error, ValueError) as error:
        raise AuthenticationFailed("The Basic credentials are not valid base64 of ASCII text.") from error
    user, _, password = decoded.partition(":")
    return user, password


class _DataImportKeyAuthentication(_KeyAuthentication):
    """Sets `request.user` and `request.auth` to the partner's Integration and DataImportKey."""

    kind = "data import key"

    def opened_by(self, secret: str, request: Request) -> tuple[Integration, DataImportKey]:
        """Return integration and key."""
        partner = request.parser_context["kwargs"]["partner"]
        address = addresses.of_request(request)
        key = keys.verify(secret=secret, partner=partner, address=address, now=timezone.now())
        return key.integration, key


class HeaderKeyAuthentication(_DataImportKeyAuthentication):
    """`Authorization: Basic` with the key as the password of any user name, or `Authorization: Bearer`."""

    def secret_of(self, request: Request) -> str:
        """Return the password, or the token."""
        scheme, credentials = _credentials(request)
        if scheme == "bearer" and credentials:
            return credentials
        if scheme != "basic" or not credentials:
            raise NotAuthenticated("Send the data import key as the password of HTTP Basic authentication.")
        return _basic(credentials)[1]


class BodyKeyAuthentication(_DataImportKeyAuthentication):
    """`client_secret` in the JSON body, with the partner's own `partner_api_key` where the operator set one."""

    def opened_by(self, secret: str, request: Request) -> tuple[Integration, DataImportKey]:
        """Return integration and key; the partner's own key must be right too, if one is required."""
        integration, key = super().opened_by(secret, request)
        body: Any = request.data
        partner_api_key = body.get("partner_api_key")
        if not keys.partner_key_matches(
            integration=integration,
            partner_api_key=partner_api_key if isinstance(partner_api_key, str) else None,
        ):
            raise keys.InvalidKeyError("Wrong partner API key.", keys.Cause.WRONG_PARTNER_KEY, key)
        return integration, key

    def secret_of(self, request: Request) -> str:
        """Return `client_secret`. Reading the body may raise 400, 413 or 415 first."""
        body: Any = request.data
        if not isinstance(body, Mapping):
            raise ParseError("The body must be a JSON object.")
        secret = body.get("client_secret")
        if not isinstance(secret, str) or not secret:
            raise NotAuthenticated("client_secret is missing: it must be the data import key, as a string.")
        return secret


class RestKeyAuthentication(_KeyAuthentication):
    """`Authorization: Bearer` with a REST API key: sets `request.user` to its Workspace, `request.auth` to it."""

    kind = "REST API key"

    def secret_of(self, request: Request) -> str:
        """Return the token."""
        scheme, credentials = _credentials(request)
        if scheme != "bearer" or not credentials:
            raise NotAuthenticated("Send the REST API key in the header: “Authorization: Bearer KEY”.")
        return credentials

    def opened_by(self, secret: str, request: Request) -> tuple[Workspace, RestApiKey]:
        """Return workspace and key."""
        key = keys.verify_rest(secret=secret, address=addresses.of_request(request), now=timezone.now())
        return key.workspace, key

    def authenticate_header(self, request: Request) -> str:
        """Return the WWW-Authenticate header."""
        return 'Bearer realm="Rollcall"'


class RestKeyOrBasicAuthentication(RestKeyAuthentication):
    """As RestKeyAuthentication, or HTTP Basic as Mixpanel's clients send it.

    Their project secret is the user name and has no password; their service account's secret is a password.
    """

    def secret_of(self, request: Request) -> str:
        """Return the token, the password, or the user name if there is no password."""
        scheme, credentials = _credentials(request)
        if scheme != "basic" or not credentials:
            return super().secret_of(request)
        user, password = _basic(credentials)
        return password or user

    def authenticate_header(self, request: Request) -> str:
        """Return the WWW-Authenticate header."""
        return 'Basic realm="Rollcall", charset="UTF-8"'
