"""People, teams and background tasks in the admin's own look."""

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from perdure.dashboard.models import SavedView

admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class PersonAdmin(UserAdmin, ModelAdmin):  # type: ignore[misc, type-arg]  # unfold has no types
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm


@admin.register(Group)
class TeamAdmin(GroupAdmin, ModelAdmin):  # type: ignore[misc]
    pass


for task in (model for model in admin.site._registry.copy() if model._meta.app_label == "django_q"):
    plain = type(admin.site._registry[task])
    admin.site.unregister(task)
    admin.site.register(task, type(plain.__name__, (plain, ModelAdmin), {}))


@admin.register(SavedView)
class SavedViewAdmin(ModelAdmin):  # type: ignore[misc]
    list_display = ("name", "owner", "team", "query", "created_at")
    list_filter = ("team",)
    search_fields = ("name", "query")
    list_select_related = ("owner", "team")
