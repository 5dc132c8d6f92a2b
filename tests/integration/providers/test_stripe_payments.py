import pytest

from tests.integration.providers.payment_contract import PaymentProviderContract
from tests.integration.providers.stripe_desk import StripeDesk


class TestStripe(PaymentProviderContract):
    @pytest.fixture
    def desk(self, stripe_desk: StripeDesk) -> StripeDesk:
        return stripe_desk
