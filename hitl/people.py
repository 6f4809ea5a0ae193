"""Who sees a question, and who may answer it."""

from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db.models import F, Q, QuerySet

from hitl.errors import QuestionNotFound
from hitl.models import Question, QuestionStatus
from runs.jobs import visible_runs
from runs.models import ENDED


def visible_questions(user: Any) -> QuerySet[Question]:
    """Those of runs that `user` sees, and those put to them or to a group of theirs. Doors answer 404 for others."""
    if not user.is_authenticated or not user.is_active:
        return Question.objects.none()
    if user.is_superuser:
        return Question.objects.all()
    return Question.objects.filter(Q(run__in=visible_runs(user).values("id")) | _put_to(user))


def inbox(user: Any) -> QuerySet[Question]:
    """The open questions that wait for an answer of `user`."""
    found = visible_questions(user).filter(status=QuestionStatus.OPEN).exclude(run__status__in=ENDED)
    if not user.is_authenticated:
        return found
    found = found.exclude(starter_may_answer=False, run__owner=user)
    if not user.is_superuser:
        found = found.filter(_put_to(user) | _put_to_team(user))
    found = found.exclude(id__in=_delegated_by(user))
    mine = Question.objects.filter(answers__by=user, answers__digest=F("digest")).values("id")
    return found.exclude(id__in=mine)


def get(user: Any, question_id: UUID | str) -> Question:
    """The question, if `user` sees it. Raises QuestionNotFound, also for what is no id."""
    found = visible_questions(user).select_related("run").filter(id=as_uuid(question_id)).first()
    if found is None:
        raise QuestionNotFound(question_id)
    return found


def as_uuid(question_id: UUID | str) -> UUID:
    """Raises QuestionNotFound for what is no id in its usual form."""
    try:
        found = question_id if isinstance(question_id, UUID) else UUID(question_id)
    except (ValueError, AttributeError, TypeError) as exc:
        raise QuestionNotFound(question_id) from exc
    if str(found) != str(question_id).lower():
        raise QuestionNotFound(question_id)
    return found


def why_not(question: Question, user: Any) -> str:
    """Why `user` may not answer; empty when they may."""
    if question.run.owner_id == user.pk and not question.starter_may_answer:
        return "who started the run does not decide it"
    if question.delegated_by.filter(pk=user.pk).exists():
        return "you let somebody else answer it"
    if user.is_superuser:
        return ""
    put = Question.objects.filter(id=question.id).filter(_put_to(user) | _put_to_team(user)).exists()
    return "" if put else "it was put to others"


def who_may_answer(question: Question) -> QuerySet[Any]:
    """The people it waits for: named, in a named group, or in the run's team when nobody is named (administrators when
    it has none), less its starter, those who delegated it and those who have answered. Other administrators may
    answer too."""
    users = get_user_model()._default_manager.filter(is_active=True)
    if question.people.exists() or question.groups.exists():
        named = Question.people.through.objects.filter(question=question).values("user_id")
        users = users.filter(Q(pk__in=named) | Q(groups__in=question.groups.values("id")))
    elif question.run.team_id is not None:
        users = users.filter(groups=question.run.team_id)
    else:
        users = users.filter(is_superuser=True)
    if question.run.owner_id is not None and not question.starter_may_answer:
        users = users.exclude(pk=question.run.owner_id)
    answered = question.answers.filter(digest=question.digest).exclude(by=None)
    users = users.exclude(pk__in=question.delegated_by.values("pk"))
    return users.exclude(pk__in=answered.values("by")).distinct()


def keep_team(question: Question) -> None:
    """A question that named nobody was the team's; with somebody's name in it, it would be no more."""
    named = question.people.exists() or question.groups.exists()
    if not named and question.run.team is not None:
        question.groups.add(question.run.team)


def _put_to(user: Any) -> Q:
    people = Question.people.through.objects.filter(user_id=user.pk).values("question_id")
    groups = Question.groups.through.objects.filter(group__in=user.groups.values("id")).values("question_id")
    return Q(id__in=people) | Q(id__in=groups)


def _delegated_by(user: Any) -> QuerySet[Any]:
    """Ids of the questions that `user` passed on."""
    return Question.delegated_by.through.objects.filter(user_id=user.pk).values("question_id")


def _put_to_team(user: Any) -> Q:
    """A question that names nobody is the run's team's."""
    nobody = Q(people__isnull=True) & Q(groups__isnull=True)
    named = Question.objects.filter(nobody, run__team__in=user.groups.values("id")).values("id")
    return Q(id__in=named)
