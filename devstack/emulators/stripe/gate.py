"""What stands before every API call: key, version, idempotency, planted faults."""

import asyncio
import json
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from devstack.emulators.common.control import CutResponse, hold_then_cut
from devstack.emulators.common.faults import Fault, FaultMode, FaultTable
from devstack.emulators.common.jsonvalue import JSON
from devstack.emulators.stripe import expand
from devstack.emulators.stripe.credentials import check_key, check_version
from devstack.emulators.stripe.engine import Engine
from devstack.emulators.stripe.errors import ApiError, ErrorType
from devstack.emulators.stripe.idempotency import Idempotency, check_length, fingerprint
from devstack.emulators.stripe.model import Charge, PaymentIntent, Refund, RememberedAnswer
from devstack.emulators.stripe.operations import Operation
from devstack.emulators.stripe.params import Params, decode
from devstack.emulators.stripe.work import Answer, Call, Work, new_id

INTERNAL = ApiError(
    "An unknown error occurred. (Planted by a fault of the emulator.)",
    status=500,
    type=ErrorType.API,
    executed=True,
)
RATE_LIMITED = ApiError("Request rate limit exceeded.", "rate_limit", status=429)


@dataclass(frozen=True)
class Arrived:
    """A call that was let in."""

    operation: Operation
    params: Params
    subject: str
    path: str
    request_id: str
    key: str | None
    headers: dict[str, str] = field(default_factory=dict)


class Gate:
    def __init__(self, engine: Engine, faults: FaultTable, api_key: str) -> None:
        self._engine = engine
        self._faults = faults
        self._api_key = api_key
        self._idempotency = Idempotency(engine.world)

    async def handle(self, operation: Operation, request: Request) -> Response:
        request_id = new_id("req", 14)
        headers = {"request-id": request_id, "stripe-version": self._engine.world.api_version}
        try:
            check_key(request.headers.get("authorization"), self._api_key)
            check_version(request.headers.get("stripe-version"))
            key = request.headers.get("idempotency-key") if request.method == "POST" else None
            check_length(key or "")
            raw = (await request.body()).decode(errors="replace")
            raw = raw if request.method == "POST" else request.url.query
            params = Params(decode(raw))
            expand.check(params.texts("expand"), operation.kind, listed=operation.listed)
        except ApiError as error:
            return _respond(self._engine.refusal(error), headers)
        subject = str(request.path_params.get("id", ""))
        call = Arrived(operation, params, subject, request.url.path, request_id, key or None, headers)
        return await (self._once(call, key) if key else self._execute(call))

    async def _once(self, call: Arrived, key: str) -> Response:
        call.headers["idempotency-key"] = key
        try:
            known = self._idempotency.begin(key, call.path, call.params)
        except ApiError as error:
            if error.status == 409:
                call.headers["stripe-should-retry"] = "true"
            return _respond(self._engine.refusal(error), call.headers)
        if known is not None:
            call.headers["original-request"] = known.request_id
            call.headers["idempotent-replayed"] = "true"
            return Response(known.body, known.status, call.headers, "application/json")
        try:
            return await self._execute(call)
        finally:
            self._idempotency.end(key)

    async def _execute(self, call: Arrived) -> Response:
        latency = self._engine.world.settings.latency_seconds
        if latency:
            await asyncio.sleep(latency)
        fault = self._faults.take(call.operation.name, self._fault_subject(call))
        if fault is None:
            return _respond(self._perform(call), call.headers)
        return await self._execute_badly(call, fault)

    async def _execute_badly(self, call: Arrived, fault: Fault) -> Response:
        match fault.mode:
            case FaultMode.RATE_LIMIT:
                call.headers["retry-after"] = f"{fault.seconds:g}"
                return _respond(self._engine.refusal(RATE_LIMITED), call.headers)
            case FaultMode.TIMEOUT_BEFORE:
                return await hold_then_cut(fault.seconds)
            case FaultMode.ERROR_BEFORE:
                answer = self._engine.refusal(INTERNAL)
                self._engine.commit(self._work(call), self._remembered(call, answer))
            case FaultMode.ERROR_AFTER:
                answer = self._perform(call, shown=self._engine.refusal(INTERNAL))
            case FaultMode.TIMEOUT_AFTER:
                self._perform(call)
                if call.key is not None:
                    self._idempotency.end(call.key)
                return await hold_then_cut(fault.seconds)
            case FaultMode.LATE:
                await asyncio.sleep(fault.seconds)
                answer = self._perform(call)
            case FaultMode.RESET:
                answer = self._perform(call)
                return CutResponse(json.dumps(answer.body), answer.status, call.headers)
            case FaultMode.WRONG_AMOUNT:
                answer = self._perform(call, wrong_amount=True)
        return _respond(answer, call.headers)

    def _perform(self, call: Arrived, *, shown: Answer | None = None, wrong_amount: bool = False) -> Answer:
        """Do it and keep it. `shown` is answered, and remembered, instead of the real answer."""
        work = self._work(call, wrong_amount=wrong_amount)
        try:
            answer = call.operation.run(work)
        except ApiError as error:
            answer, executed = self._engine.refusal(error), error.executed
        else:
            executed = True
        if answer.status < 300:
            paths = call.params.texts("expand")
            answer = Answer(answer.status, expand.expand(answer.body, paths, work.rendered))
        answer = shown or answer
        if call.operation.method == "POST":
            self._engine.commit(work, self._remembered(call, answer) if executed or shown else None)
        return answer

    def _work(self, call: Arrived, *, wrong_amount: bool = False) -> Work:
        described = Call(
            params=call.params,
            subject=call.subject,
            path=call.path,
            request_id=call.request_id,
            idempotency_key=call.key,
            wrong_amount=wrong_amount,
        )
        return Work(self._engine.world, described)

    def _remembered(self, call: Arrived, answer: Answer) -> RememberedAnswer | None:
        if call.key is None:
            return None
        return RememberedAnswer(
            key=call.key,
            endpoint=call.path,
            fingerprint=fingerprint(call.params),
            request_id=call.request_id,
            created=self._engine.world.clock.now(),
            status=answer.status,
            body=json.dumps(answer.body),
        )

    def _fault_subject(self, call: Arrived) -> dict[str, JSON]:
        """What a fault's `match` is compared with: the parameters, over the object they are about."""
        store = self._engine.world.store
        refund = store.get(Refund, call.subject)
        charge = store.get(Charge, _text(call.params, "charge") or call.subject)
        named = _text(call.params, "payment_intent")
        intent_id = refund.payment_intent if refund else charge.payment_intent if charge else named
        intent = store.get(PaymentIntent, intent_id or call.subject)
        metadata: dict[str, JSON] = dict(intent.metadata) if intent else {}
        given = call.params.values.get("metadata")
        metadata.update(given if isinstance(given, dict) else {})
        about: dict[str, JSON] = {"id": call.subject, "payment_intent": intent.id if intent else None}
        return {**about, **call.params.values, "metadata": metadata}


def _respond(answer: Answer, headers: dict[str, str]) -> Response:
    return JSONResponse(answer.body, answer.status, headers)


def _text(params: Params, name: str) -> str | None:
    value = params.values.get(name)
    return value if isinstance(value, str) else None
