"""REST doors to questions. They hold no rule of their own: `hitl.people` and `hitl.answers` do the work."""

from uuid import UUID

from django.db.models import Q, QuerySet
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from hitl import answers, people
from hitl.api import errors  # noqa: F401  (its statuses belong to the table)
from hitl.api.requests import Delegate, GiveAnswer, Say, Withdraw, read_mine, read_statuses
from hitl.api.shapes import CommentShape, QuestionPage, QuestionShape
from hitl.models import Question, QuestionStatus
from runs.api.documents import PAGE, operation
from runs.api.door import Door
from runs.api.errors import InvalidRequest
from runs.api.pages import page
from runs.api.requests import read_body
from runs.models import ENDED

QUESTION_ID = OpenApiParameter(
    "question_id", {"type": "string", "format": "uuid"}, OpenApiParameter.PATH, description="Id of the question."
)
FILTERS = [
    OpenApiParameter(
        "status",
        {"type": "array", "items": {"type": "string", "enum": QuestionStatus.values}},
        explode=True,
        description="May be repeated.",
    ),
    OpenApiParameter("run", {"type": "string", "format": "uuid"}, description="Questions of this run."),
    OpenApiParameter("mine", bool, description="Only those that wait for your answer: yours and your groups'."),
]


class QuestionList(Door):
    @operation(
        "questions_list",
        "List the questions that you may see, newest first",
        {200: QuestionPage},
        refusals=(400,),
        parameters=[*FILTERS, *PAGE],
    )
    def get(self, request: Request) -> Response:
        statuses = read_statuses(request.query_params)
        rows = (people.inbox if read_mine(request.query_params) else people.visible_questions)(request.user)
        if (run := request.query_params.get("run")) is not None:
            rows = rows.filter(run_id=_run_id(run))
        if statuses:
            rows = rows.filter(_in_statuses(statuses))
        return Response(page(request, _with_all(rows), QuestionShape.of, newest_first=True))


class QuestionDoor(Door):
    def shown(self, request: Request, question_id: UUID | str) -> dict[str, object]:
        """Raises QuestionNotFound alike for a missing question, a malformed id and a question of others."""
        found = people.get(request.user, question_id)
        return QuestionShape.of(_with_all(Question.objects.filter(id=found.id)).get())


class QuestionDetail(QuestionDoor):
    @operation("questions_get", "Get a question", {200: QuestionShape}, refusals=(404,), parameters=[QUESTION_ID])
    def get(self, request: Request, question_id: str) -> Response:
        return Response(self.shown(request, question_id))


class QuestionAnswer(QuestionDoor):
    @operation(
        "questions_answer",
        "Answer a question",
        {200: QuestionShape},
        body=GiveAnswer,
        refusals=(404, 409),
        parameters=[QUESTION_ID],
        description="409 if it is closed (naming who decided), if you answered it already, or if what it asks was "
        "changed since you read it; then nothing was decided.",
    )
    def post(self, request: Request, question_id: str) -> Response:
        people.get(request.user, question_id)
        body = read_body(GiveAnswer, self.body(request))
        answers.answer(
            question_id, request.user, body.decision, body.value, body.comment, digest=body.digest,
            idempotency_key=body.idempotency_key, actor=self.actor(request),
        )  # fmt: skip
        return Response(self.shown(request, question_id))


class QuestionDelegate(QuestionDoor):
    @operation(
        "questions_delegate",
        "Let another person answer instead of you",
        {200: QuestionShape},
        body=Delegate,
        refusals=(404, 409),
        parameters=[QUESTION_ID],
    )
    def post(self, request: Request, question_id: str) -> Response:
        found = people.get(request.user, question_id)
        body = read_body(Delegate, self.body(request))
        answers.delegate(question_id, request.user, body.to, actor=self.actor(request))
        return Response(QuestionShape.of(_with_all(Question.objects.filter(id=found.id)).get()))


class QuestionComments(QuestionDoor):
    @operation(
        "questions_comment",
        "Comment on an open question",
        {201: CommentShape},
        body=Say,
        refusals=(404, 409),
        parameters=[QUESTION_ID],
    )
    def post(self, request: Request, question_id: str) -> Response:
        people.get(request.user, question_id)
        body = read_body(Say, self.body(request))
        made = answers.comment(question_id, request.user, body.text, actor=self.actor(request))
        return Response(CommentShape.of(made), status=201)


class QuestionWithdraw(QuestionDoor):
    @operation(
        "questions_withdraw",
        "Take an open question back",
        {200: QuestionShape},
        body=Withdraw,
        refusals=(404, 409),
        parameters=[QUESTION_ID],
        description="For who may cancel its run. The job goes on with the error `QuestionWithdrawn`.",
    )
    def post(self, request: Request, question_id: str) -> Response:
        people.get(request.user, question_id)
        body = read_body(Withdraw, self.body(request))
        answers.withdraw(question_id, request.user, body.reason, actor=self.actor(request))
        return Response(self.shown(request, question_id))


def _with_all(rows: QuerySet[Question]) -> QuerySet[Question]:
    return rows.select_related("run").prefetch_related("people", "groups", "answers")


def _in_statuses(statuses: list[str]) -> Q:
    """By the status that is shown: an open question of an ended run is withdrawn."""
    ended = Q(status=QuestionStatus.OPEN, run__status__in=ENDED)
    wanted = Q(status__in=statuses) & ~ended
    return wanted | ended if QuestionStatus.WITHDRAWN in statuses else wanted


def _run_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as exc:
        raise InvalidRequest.of("run", "is no id of a run") from exc
