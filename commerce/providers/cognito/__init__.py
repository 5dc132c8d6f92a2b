"""Access tokens of Cognito user pools."""

from commerce.providers.cognito.tokens import TokenVerifier

__all__ = ["TokenVerifier"]
