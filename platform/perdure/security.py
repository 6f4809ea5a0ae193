"""Content-Security-Policy: strict everywhere, with one exception for the admin."""

from typing import Any

from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from csp.middleware import CSPMiddleware, PolicyParts
from django.http import HttpRequest, HttpResponseBase

STRICT: dict[str, Any] = {
    "default-src": [SELF],
    "script-src": [SELF],
    "style-src": [SELF],
    "img-src": [SELF, "data:"],
    "connect-src": [SELF],
    "object-src": [NONE],
    "base-uri": [NONE],
    "form-action": [SELF],
    "frame-ancestors": [NONE],
}
# The admin's theme evaluates expressions in its templates and styles elements inline.
ADMIN: dict[str, Any] = {"script-src": [SELF, UNSAFE_EVAL], "style-src": [SELF, UNSAFE_INLINE]}
# The page that shows the API's schema styles elements inline.
SCHEMA_PAGE: dict[str, Any] = {"style-src": [SELF, UNSAFE_INLINE]}


class ContentSecurityPolicy(CSPMiddleware):
    """`settings.CONTENT_SECURITY_POLICY`, widened below `/admin/` and on the page of the API's schema."""

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        if not report_only and not parts.replace:
            if request.path_info.startswith("/admin/"):
                parts.replace = ADMIN
            elif request.path_info.startswith("/api/schema/"):
                parts.replace = SCHEMA_PAGE
        return parts
