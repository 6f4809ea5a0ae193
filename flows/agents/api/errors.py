"""Statuses of what agent flows are refused for."""

from runs.api.errors import STATUS

STATUS |= {
    "flow_not_found": 404,
    "invalid_flow": 400,
    "flow_exists": 409,
    "flow_not_waiting": 409,
    "interrupts_refused": 409,
}
