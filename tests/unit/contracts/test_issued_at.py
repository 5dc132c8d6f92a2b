import time

import pytest

from commerce.contracts import ids


def test_an_id_tells_when_it_was_made_and_so_does_one_derived_from_it() -> None:
    before = time.time()
    order_id = ids.new_id(ids.ORDER)
    after = time.time()

    issued = ids.issued_at(order_id)

    assert issued is not None
    assert before - 0.001 <= issued <= after
    assert ids.issued_at(ids.derived_id(ids.PAYMENT, order_id)) == issued


@pytest.mark.parametrize("object_id", ["", "pay", "pay_1", "pay_" + "u" * 26, "pay_" + "A" * 26])
def test_an_id_of_another_make_tells_nothing(object_id: str) -> None:
    assert ids.issued_at(object_id) is None
