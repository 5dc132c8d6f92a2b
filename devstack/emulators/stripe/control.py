"""Control routes of this emulator alone: 3DS, settings, clock, totals, resend."""

import html
from collections import defaultdict
from collections.abc import Mapping
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from devstack.emulators.common.control import json_body
from devstack.emulators.common.jsonvalue import JSON, BadInput, number, text
from devstack.emulators.stripe import payments
from devstack.emulators.stripe.engine import Engine
from devstack.emulators.stripe.model import (
    Charge,
    Dispute,
    DisputeStatus,
    IntentStatus,
    PaymentIntent,
    Refund,
    RefundStatus,
)
from devstack.emulators.stripe.params import Params
from devstack.emulators.stripe.work import Answer, Call, Work, new_id

_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>3D Secure test page</title>
<h1>3D Secure test page</h1><p>{amount} for payment {id}, status {status}</p>
<form method="post"><button name="outcome" value="succeed">Complete</button>
<button name="outcome" value="fail">Fail</button></form></html>"""


class Controls:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._first_settings = engine.world.settings.to_json()

    def routes(self) -> list[Route]:
        return [
            Route("/_emulator/3ds/{id}", self.page, methods=["GET"]),
            Route("/_emulator/3ds/{id}", self.press, methods=["POST"]),
            Route("/_emulator/payment_intents/{id}/authenticate", self.authenticate, methods=["POST"]),
            Route("/_emulator/webhooks/resend/{id}", self.resend, methods=["POST"]),
            Route("/_emulator/settings", self.change_settings, methods=["POST"]),
            Route("/_emulator/settings", self.show_settings, methods=["GET"]),
            Route("/_emulator/settings", self.restore_settings, methods=["DELETE"]),
            Route("/_emulator/clock", self.move_clock, methods=["POST"]),
            Route("/_emulator/totals", self.totals, methods=["GET"]),
        ]

    async def page(self, request: Request) -> Response:
        intent = self._intent(request)
        if intent is None:
            return _not_found()
        amount = f"{intent.amount} {intent.currency} (minor units)"
        fields = {"amount": amount, "id": intent.id, "status": intent.status}
        return HTMLResponse(_PAGE.format(**{name: html.escape(value) for name, value in fields.items()}))

    async def press(self, request: Request) -> Response:
        """The shopper's button: ends on the merchant's return page, as at Stripe."""
        intent = self._intent(request)
        if intent is None:
            return _not_found()
        pressed = (await request.body()).decode()
        answer = self._finish(intent, succeed=pressed == "outcome=succeed")
        if answer is None or intent.return_url is None:
            return HTMLResponse(f"<!doctype html><p>{html.escape(intent.status)}</p>")
        query = {
            "payment_intent": intent.id,
            "payment_intent_client_secret": intent.client_secret,
            "redirect_status": "succeeded" if intent.last_payment_error is None else "failed",
        }
        joiner = "&" if "?" in intent.return_url else "?"
        return RedirectResponse(intent.return_url + joiner + urlencode(query), status_code=303)

    async def authenticate(self, request: Request) -> Response:
        outcome = text(await json_body(request), "outcome")
        if outcome not in {"succeed", "fail"}:
            raise BadInput("outcome must be succeed or fail")
        intent = self._intent(request)
        if intent is None:
            return _not_found()
        if self._finish(intent, succeed=outcome == "succeed") is None:
            return JSONResponse({"error": f"nothing to authenticate: {intent.status}"}, status_code=409)
        return JSONResponse(self._engine.world.renderer.render(intent))

    async def resend(self, request: Request) -> Response:
        found = self._engine.resend(request.path_params["id"])
        return Response(status_code=202) if found else _not_found()

    async def change_settings(self, request: Request) -> Response:
        return self._set(await json_body(request))

    async def restore_settings(self, request: Request) -> Response:
        """To those of the start."""
        return self._set(self._first_settings)

    async def show_settings(self, request: Request) -> Response:
        return JSONResponse(self._engine.world.settings.to_json())

    async def move_clock(self, request: Request) -> Response:
        self._engine.move_clock(number(await json_body(request), "advance_seconds", 0.0))
        return JSONResponse({"now": self._engine.world.clock.now()})

    async def totals(self, request: Request) -> Response:
        """Minor units per currency, of all payments or of one order's."""
        return JSONResponse(totals(self._engine, request.query_params.get("order_id")))

    def _set(self, changes: Mapping[str, JSON]) -> Response:
        settings = self._engine.world.settings
        settings.update(changes)
        self._engine.sender.retry_scale = settings.webhook_retry_scale
        return JSONResponse(settings.to_json())

    def _intent(self, request: Request) -> PaymentIntent | None:
        return self._engine.world.store.get(PaymentIntent, request.path_params["id"])

    def _finish(self, intent: PaymentIntent, *, succeed: bool) -> Answer | None:
        """None where nothing waits for the shopper."""
        if intent.status != IntentStatus.REQUIRES_ACTION:
            return None
        work = Work(self._engine.world, Call(Params({}), request_id=new_id("req", 14)))
        finish = payments.authenticated if succeed else payments.authentication_failed
        answer = finish(work, intent)
        self._engine.commit(work)
        return answer


def totals(engine: Engine, order_id: str | None) -> dict[str, JSON]:
    store = engine.world.store
    sums: dict[str, defaultdict[str, int]] = {
        name: defaultdict(int)
        for name in ("authorised", "captured", "refunded", "refund_pending", "disputed")
    }

    def counted(payment_intent: str) -> bool:
        intent = store.get(PaymentIntent, payment_intent)
        return order_id is None or (intent is not None and intent.metadata.get("order_id") == order_id)

    for charge in filter(lambda charge: counted(charge.payment_intent), store.all(Charge)):
        if charge.captured:
            sums["captured"][charge.currency] += charge.amount_captured
        elif charge.status == "succeeded" and not charge.released:
            sums["authorised"][charge.currency] += charge.amount
    for refund in filter(lambda refund: counted(refund.payment_intent), store.all(Refund)):
        if refund.status != RefundStatus.FAILED:
            pending = refund.status == RefundStatus.PENDING
            sums["refund_pending" if pending else "refunded"][refund.currency] += refund.amount
    for dispute in filter(lambda dispute: counted(dispute.payment_intent), store.all(Dispute)):
        if dispute.status != DisputeStatus.WON:
            sums["disputed"][dispute.currency] += dispute.amount
    return {name: dict(by_currency) for name, by_currency in sums.items()}


def _not_found() -> Response:
    return JSONResponse({"error": "no such object"}, status_code=404)
