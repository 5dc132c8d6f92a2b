"""The port `Mailer` on SES."""

from __future__ import annotations

from typing import TYPE_CHECKING

from commerce.providers.aws.clients import Service

if TYPE_CHECKING:
    from mypy_boto3_sesv2 import SESV2Client
    from mypy_boto3_sesv2.type_defs import ContentTypeDef


class SesMailer:
    """SES takes no idempotency key: a repeat after an unknown outcome may arrive twice."""

    def __init__(self, ses: Service[SESV2Client], sender: str) -> None:
        self._service = ses
        self._sender = sender

    async def send(self, *, to: str, subject: str, text: str, html: str, reference: str) -> str:
        """`reference` (letters, digits, `_` and `-`) comes back in the events about this mail.

        Raises ProviderError's three kinds.
        """
        answer = await self._service.write(
            self._service.client.send_email,
            FromEmailAddress=self._sender,
            Destination={"ToAddresses": [to]},
            Content={
                "Simple": {
                    "Subject": _utf8(subject),
                    "Body": {"Text": _utf8(text), "Html": _utf8(html)},
                }
            },
            EmailTags=[{"Name": "reference", "Value": reference}],
        )
        return answer["MessageId"]


def _utf8(text: str) -> ContentTypeDef:
    return {"Data": text, "Charset": "UTF-8"}
