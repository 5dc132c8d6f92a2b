"""Stripe as a payment provider."""

from commerce.providers.stripe.account import API_VERSION, StripeAccount
from commerce.providers.stripe.payments import StripePayments

__all__ = ["API_VERSION", "StripeAccount", "StripePayments"]
