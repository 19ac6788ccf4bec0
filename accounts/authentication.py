"""How a partner shows its data import key: in a header, or in the body of the request."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated, ParseError
from rest_framework.request import Request

from accounts import keys
from accounts.models import DataImportKey, Integration

MAX_SECRET_LENGTH = 200


class _DataImportKeyAuthentication(BaseAuthentication):
    """Sets `request.user` and `request.auth` to the partner's Integration and DataImportKey."""

    def authenticate(self, request: Request) -> tuple[Integration, DataImportKey]:
        """Return integration and key. Raises NotAuthenticated or AuthenticationFailed: 401, and never 500."""
        secret = self.secret_of(request)
        if not secret.isascii() or not secret.isprintable() or len(secret) > MAX_SECRET_LENGTH:
            raise AuthenticationFailed("Unknown data import key.")
        try:
            key = keys.verify(
                secret=secret, partner=request.parser_context["kwargs"]["partner"], now=timezone.now()
            )
        except keys.InvalidKeyError as error:
            raise AuthenticationFailed(error.reason) from error
        return key.integration, key

    def secret_of(self, request: Request) -> str:
        """Return the secret that the request carries."""
        raise NotImplementedError

    def authenticate_header(self, request: Request) -> str:
        """Return the WWW-Authenticate header; without one DRF would answer 403."""
        return 'Basic realm="Rollcall", charset="UTF-8"'


class HeaderKeyAuthentication(_DataImportKeyAuthentication):
    """`Authorization: Basic` with the key as the password of any user name, or `Authorization: Bearer`."""

    def secret_of(self, request: Request) -> str:
        """Return the password, which is all after the first colon: keys may hold colons."""
        header: str = request.META.get("HTTP_AUTHORIZATION", "")
        scheme, _, credentials = header.partition(" ")
        credentials = credentials.strip()
        if scheme.lower() == "bearer" and credentials:
            return credentials
        if scheme.lower() != "basic" or not credentials:
            raise NotAuthenticated("Send the data import key as the password of HTTP Basic authentication.")
        try:
            decoded = base64.b64decode(credentials, validate=True).decode("ascii")
        except (binascii.Error, ValueError) as error:
            raise AuthenticationFailed("The Basic credentials are not valid base64 of ASCII text.") from error
        return decoded.partition(":")[2]


class BodyKeyAuthentication(_DataImportKeyAuthentication):
    """`client_secret` in the JSON body, with the partner's own `partner_api_key` where the operator set one."""

    def authenticate(self, request: Request) -> tuple[Integration, DataImportKey]:
        """Return integration and key; the partner's own key must be right too, if one is required."""
        integration, key = super().authenticate(request)
        body: Any = request.data
        partner_api_key = body.get("partner_api_key")
        if not keys.partner_key_matches(
            integration=integration,
            partner_api_key=partner_api_key if isinstance(partner_api_key, str) else None,
        ):
            raise AuthenticationFailed("Wrong partner API key.")
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
