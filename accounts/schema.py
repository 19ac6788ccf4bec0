"""How the OpenAPI schema describes REST API keys. Import it where the schema of endpoints with such keys is."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension


class RestKeyScheme(OpenApiAuthenticationExtension):
    """The REST API key in the Authorization header."""

    target_class = "accounts.authentication.RestKeyAuthentication"
    name = "restApiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """Return the one way."""
        return {"type": "http", "scheme": "bearer"}


class RestKeyOrBasicScheme(OpenApiAuthenticationExtension):
    """The REST API key in the Authorization header, or as user name or password of HTTP Basic."""

    target_class = "accounts.authentication.RestKeyOrBasicAuthentication"
    # The first is the same as above; two classes may not describe one component.
    name = ["restApiKeyBearer", "restApiKeyBasic"]

    def get_security_requirement(self, auto_schema: Any) -> list[dict[str, list[Any]]]:
        """Return one requirement for each: either will do."""
        return [{name: []} for name in self.name]

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, str]]:
        """Return both ways."""
        return [{"type": "http", "scheme": "bearer"}, {"type": "http", "scheme": "basic"}]
