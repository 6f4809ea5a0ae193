"""Statuses of what agent flows are refused for."""

from runs.api.errors import STATUS

STATUS |= {
    "flow_not_waiting": 409,
    "interrupts_refused": 409,
}
