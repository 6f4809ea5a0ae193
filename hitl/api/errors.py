"""Statuses of what questions are refused for, put into the one table of the REST doors."""

from runs.api.errors import STATUS

STATUS |= {
    "invalid_answer": 400,
    "may_not_answer": 403,
    "may_not_withdraw": 403,
    "question_not_found": 404,
    "already_answered": 409,
    "question_changed": 409,
    "question_closed": 409,
}
