"""Public shapes of what staff look at, of the person's own data, and of the probes."""

from pydantic import Field

from api.schemas.base import Input, Moment, Output

JsonMap = dict[str, object]


class Me(Output):
    subject: str
    roles: list[str]
    email: str | None = None


class InvariantView(Output):
    name: str
    area: str
    ok: bool
    rows: list[JsonMap]


class InvariantReport(Output):
    items: list[InvariantView]
    checked_at: Moment


class AuditView(Output):
    id: str
    at: Moment
    actor: str
    on_behalf_of: str | None
    request_id: str
    action: str
    object_type: str
    object_id: str
    before: JsonMap | None
    after: JsonMap | None


class Health(Output):
    status: str = Field(examples=["ok"])


class Readiness(Output):
    status: str = Field(examples=["ready"])
    checks: dict[str, str] = Field(examples=[{"database": "up", "temporal": "up"}])


class WebhookReceipt(Output):
    received: bool = True
    duplicate: bool


class ProblemType(Output):
    type: str
    title: str
    status: int


class CodecPayloads(Input):
    """Temporal's codec protocol: payloads as protobuf JSON, bytes in base64."""

    payloads: list[JsonMap] = Field(max_length=1000)
