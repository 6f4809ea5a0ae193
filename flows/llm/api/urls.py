from django.urls import path, re_path

from flows.llm.api import views
from runs.api.urls import add_slash

urlpatterns = [
    path("providers/", views.ProviderList.as_view(), name="api-provider-list"),
    path("providers/<str:provider_id>/", views.ProviderDetail.as_view(), name="api-provider"),
    re_path(r"^providers(?:/.*)?(?<!/)$", add_slash),
]
