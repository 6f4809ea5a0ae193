"""Statuses of what profiles are refused for, put into the one table of the REST doors."""

from runs.api.errors import STATUS

STATUS |= {
    "secret_not_accepted": 400,
    "invalid_profile": 400,
    "provider_not_found": 404,
    "provider_exists": 409,
    "provider_needed": 409,
}
