from django.urls import path, re_path

from hitl.api import views
from runs.api.urls import add_slash

urlpatterns = [
    path("questions/", views.QuestionList.as_view(), name="api-question-list"),
    path("questions/<str:question_id>/", views.QuestionDetail.as_view(), name="api-question"),
    path("questions/<str:question_id>/answer/", views.QuestionAnswer.as_view(), name="api-question-answer"),
    path("questions/<str:question_id>/delegate/", views.QuestionDelegate.as_view(), name="api-question-delegate"),
    path("questions/<str:question_id>/comment/", views.QuestionComments.as_view(), name="api-question-comment"),
    path("questions/<str:question_id>/withdraw/", views.QuestionWithdraw.as_view(), name="api-question-withdraw"),
    re_path(r"^questions(?:/.*)?(?<!/)$", add_slash),
]
