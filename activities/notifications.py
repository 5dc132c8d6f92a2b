"""Messages to people: read, rendered and handed over in one step."""

from collections.abc import Callable, Mapping
from typing import Protocol

from temporalio import activity

from commerce.contracts.context import RequestContext
from commerce.contracts.notifications import NotificationInput, NotificationKind, NotificationResult
from commerce.contracts.statuses import NotificationStatus
from commerce.domain.ports import Database, Mailer


class Rendered(Protocol):
    """A message in words: subject, plain text and HTML."""

    @property
    def subject(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def html(self) -> str: ...


Renderer = Callable[[NotificationKind, str, Mapping[str, str | int | None]], Rendered]


class NotificationActivities:
    def __init__(self, database: Database, mailer: Mailer, render: Renderer) -> None:
        self._database = database
        self._mailer = mailer
        self._render = render

    @activity.defn(name="send_message")
    async def send_message(self, message: NotificationInput) -> NotificationResult:
        """Sends what was not sent yet. At least once: a crash between the mail service's answer and our
        note of it sends the mail again, since the service takes no idempotency key.
        """
        async with self._database.reading() as tx:
            notification = await tx.notifications.get(message.notification_id)
        if notification.status is not NotificationStatus.PENDING:
            return NotificationResult(notification.id, notification.status)
        mail = self._render(notification.kind, notification.locale, notification.data)
        reference = await self._mailer.send(
            to=notification.recipient,
            subject=mail.subject,
            text=mail.text,
            html=mail.html,
            reference=notification.id,
        )
        async with self._database.transaction(RequestContext(message.context.request_id)) as tx:
            await tx.notifications.mark_sent(notification.id, reference)
        return NotificationResult(notification.id, NotificationStatus.SENT)
