"""What we use of AWS: carts in DynamoDB, mail by SES, events to SNS."""

from commerce.providers.aws.carts import DynamoCarts
from commerce.providers.aws.checks import missing_resources
from commerce.providers.aws.clients import AwsClients, AwsConfig
from commerce.providers.aws.events import SnsEvents
from commerce.providers.aws.mail import SesMailer
from commerce.providers.aws.tables import ensure_cart_table

__all__ = [
    "AwsClients",
    "AwsConfig",
    "DynamoCarts",
    "SesMailer",
    "SnsEvents",
    "ensure_cart_table",
    "missing_resources",
]
