"""What was told to whom, what failed and why; and who wants no mails."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.decorators import display

from hitl.models import Delivery, DeliveryStatus, MailChoice
from hitl.notify.deliver import send_again
from runs.admin.base import EngineAdmin, as_json

STATUS_LABELS = {"pending": "info", "sent": "success", "failed": "danger", "dropped": "default"}


@admin.register(Delivery)
class DeliveryAdmin(EngineAdmin):
    """A delivery that failed is sent again by who may change deliveries."""

    list_display = ("question", "about", "channel", "to", "shown_status", "attempts", "due_at", "ended_at", "error")
    list_filter = ("status", "channel", "about", "created_at")
    list_select_related = ("question", "to")
    search_fields = ("=id", "=question__id", "question__title", "to__username")
    ordering = ("-id",)
    actions = ("send_again",)
    fields = (
        *("id", "question", "about", "channel", "to", "shown_status", "attempts", "error", "shown_data"),
        *("created_at", "due_at", "ended_at"),
    )
    readonly_fields = ("shown_status", "shown_data")

    @display(description="Status", ordering="status", label=STATUS_LABELS)  # type: ignore[untyped-decorator]
    def shown_status(self, delivery: Delivery) -> str:
        return delivery.status

    @admin.display(description="Data")
    def shown_data(self, delivery: Delivery) -> SafeString:
        return as_json(delivery.data)

    def has_send_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("hitl.change_delivery"))

    @admin.action(description="Send the selected deliveries again", permissions=["send"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        ended = queryset.exclude(status=DeliveryStatus.PENDING)
        count = sum(send_again(pk) for pk in ended.values_list("pk", flat=True))
        self.message_user(request, f"{count} are due again; workers send them now.", messages.SUCCESS)


@admin.register(MailChoice)
class MailChoiceAdmin(ModelAdmin):  # type: ignore[misc]  # unfold has no types
    """People choose in their inbox; here for who cannot."""

    list_display = ("user", "wanted")
    list_filter = ("wanted",)
    list_select_related = ("user",)
    search_fields = ("user__username",)
    autocomplete_fields = ("user",)
