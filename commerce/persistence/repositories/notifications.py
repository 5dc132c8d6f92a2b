"""Messages to people: one per order, kind and dedupe."""

from sqlalchemy import func, select, true, update
from sqlalchemy.dialects.postgresql import insert as upsert

from commerce.contracts.notifications import NotificationKind
from commerce.contracts.statuses import NotificationStatus
from commerce.domain.errors import NotFound
from commerce.domain.messaging import NewNotification, Notification
from commerce.persistence.tables.messaging import notifications
from commerce.persistence.tables.orders import orders, refunds, shipments
from commerce.persistence.work import Work

_newest_parcel = (
    select(shipments.c.tracking_code, shipments.c.tracking_url, shipments.c.carrier)
    .where(shipments.c.order_id == notifications.c.order_id, shipments.c.tracking_code.is_not(None))
    .order_by(shipments.c.created_at.desc())
    .limit(1)
    .lateral("parcel")
)
_WITH_ITS_ORDER = (
    select(
        notifications,
        orders.c.number,
        orders.c.email,
        orders.c.locale,
        orders.c.currency,
        orders.c.total,
        refunds.c.amount.label("refund_amount"),
        _newest_parcel.c.tracking_code,
        _newest_parcel.c.tracking_url,
        _newest_parcel.c.carrier,
    )
    .join(orders, orders.c.id == notifications.c.order_id)
    .outerjoin(refunds, refunds.c.id == notifications.c.dedupe)
    .outerjoin(_newest_parcel, true())
)
_SHOWN = ("number", "currency", "total", "refund_amount", "tracking_code", "tracking_url", "carrier")


class SqlNotifications:
    def __init__(self, work: Work) -> None:
        self._work = work

    async def create(self, notification: NewNotification) -> str:
        row = await self._work.first(
            upsert(notifications)
            .values(
                id=notification.id,
                order_id=notification.order_id,
                kind=notification.kind,
                dedupe=notification.dedupe,
            )
            .on_conflict_do_update(
                constraint="notifications_once_key", set_={"dedupe": notifications.c.dedupe}
            )
            .returning(notifications.c.id)
        )
        if row is None:
            raise NotFound("notification", notification.id)
        return str(row["id"])

    async def get(self, notification_id: str) -> Notification:
        row = await self._work.first(_WITH_ITS_ORDER.where(notifications.c.id == notification_id))
        if row is None:
            raise NotFound("notification", notification_id)
        return Notification(
            id=row["id"],
            order_id=row["order_id"],
            kind=NotificationKind(row["kind"]),
            status=NotificationStatus(row["status"]),
            recipient=row["email"],
            locale=row["locale"],
            provider_ref=row["provider_ref"],
            data={name: row[name] for name in _SHOWN},
        )

    async def mark_sent(self, notification_id: str, provider_ref: str) -> None:
        """The first one counts."""
        await self._work.run(
            update(notifications)
            .where(
                notifications.c.id == notification_id, notifications.c.status == NotificationStatus.PENDING
            )
            .values(status=NotificationStatus.SENT, provider_ref=provider_ref, sent_at=func.clock_timestamp())
        )
