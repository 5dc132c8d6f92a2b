import time

import pytest

from commerce.contracts import ids


def test_ids_made_later_sort_later() -> None:
    first = ids.new_id(ids.ORDER)
    time.sleep(0.002)
    assert first < ids.new_id(ids.ORDER)


def test_ids_are_never_the_same() -> None:
    assert len({ids.new_id(ids.CART) for _ in range(10_000)}) == 10_000


def test_derived_ids_are_the_same_at_every_attempt_and_differ_by_sequence_and_kind() -> None:
    order = ids.new_id(ids.ORDER)
    assert ids.derived_id(ids.PAYMENT, order) == ids.derived_id(ids.PAYMENT, order, 1)
    made = {ids.derived_id(kind, order, n) for kind in (ids.PAYMENT, ids.SHIPMENT) for n in (1, 2, 33)}
    assert len(made) == 6
    assert all(order.removeprefix("ord_") in one for one in made)


@pytest.mark.parametrize(
    ("build", "kind"),
    [
        (ids.order_workflow_id, "order"),
        (ids.payment_workflow_id, "payment"),
        (ids.shipment_workflow_id, "shipment"),
        (ids.reservation_workflow_id, "reservation"),
        (ids.notification_workflow_id, "notification"),
    ],
)
def test_workflow_ids_are_read_back_as_they_were_built(build: object, kind: str) -> None:
    assert callable(build)
    assert ids.parse_workflow_id(build("x_1")) == (kind, "x_1")


@pytest.mark.parametrize("workflow_id", ["", "order", "order/", "/ord_1", "sweep-2026", "cart/cart_1"])
def test_a_foreign_workflow_id_is_refused(workflow_id: str) -> None:
    with pytest.raises(ValueError, match="not a workflow id"):
        ids.parse_workflow_id(workflow_id)
