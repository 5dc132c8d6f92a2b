"""`/v1/payment_intents`: what changes an intent."""

from devstack.emulators.common.jsonvalue import JSON
from devstack.emulators.stripe import payments
from devstack.emulators.stripe.cards import CARDS
from devstack.emulators.stripe.currencies import check_amount, check_currency, check_digits, display
from devstack.emulators.stripe.errors import ApiError, missing_param, no_such, unexpected_state
from devstack.emulators.stripe.model import Charge, IntentStatus, PaymentIntent, PaymentMethod
from devstack.emulators.stripe.params import Params
from devstack.emulators.stripe.render import ECHOED
from devstack.emulators.stripe.work import Answer, Work, new_id

_CONFIRM_ONLY = ("off_session", "error_on_requires_action", "use_stripe_sdk", "radar_options")
_CANCEL_REASONS = ("duplicate", "fraudulent", "requested_by_customer", "abandoned")
_CAPTURE_METHODS = ("automatic", "automatic_async", "manual")
_CANCELABLE = (
    IntentStatus.REQUIRES_PAYMENT_METHOD,
    IntentStatus.REQUIRES_CAPTURE,
    IntentStatus.REQUIRES_CONFIRMATION,
    IntentStatus.REQUIRES_ACTION,
)
_CHANGEABLE = tuple(status for status in _CANCELABLE if status != IntentStatus.REQUIRES_CAPTURE)


def create(work: Work) -> Answer:
    params = work.params
    params.only(
        "amount", "currency", "capture_method", "confirm", "payment_method", "metadata", "return_url",
        "payment_method_types", "automatic_payment_methods", "payment_method_options",
        "confirmation_method", *_CONFIRM_ONLY, *ECHOED,
    )  # fmt: skip
    intent = _read_new(work)
    confirm = params.flag("confirm") is True
    if not confirm and any(params.has(name) for name in ("off_session", "error_on_requires_action")):
        message = "off_session and error_on_requires_action can only be passed in when `confirm` is true"
        raise ApiError(message, param="off_session")
    token = params.text("payment_method")
    allow_action = _allow_action(params)
    if confirm:
        _check_confirmable(intent, token)
    if token is not None:
        _attach(work, intent, token)
    work.save(intent)
    work.emit("payment_intent.created", intent)
    return payments.attempt(work, intent, allow_action=allow_action) if confirm else work.show(intent)


def update(work: Work) -> Answer:
    params = work.params
    params.only("amount", "metadata", "payment_method", *ECHOED)
    intent = work.subject(PaymentIntent, "intent")
    amount = params.positive("amount")
    if amount is not None:
        _check_changeable(intent, "amount")
        check_amount(amount, intent.currency)
    metadata = params.merge_metadata(intent.metadata)
    echoed = intent.echoed | _echoed(params)
    token = params.text("payment_method")
    if token is not None:
        _check_changeable(intent, "payment_method")
        _attach(work, intent, token)
    intent.metadata, intent.echoed = metadata, echoed
    intent.amount = intent.amount if amount is None else amount
    work.save(intent)
    return work.show(intent)


def confirm(work: Work) -> Answer:
    params = work.params
    params.only(
        "payment_method", "return_url", "capture_method", "payment_method_options",
        "payment_method_types", "receipt_email", "setup_future_usage", "shipping", *_CONFIRM_ONLY,
    )  # fmt: skip
    intent = work.subject(PaymentIntent, "intent")
    _check_confirm_state(intent)
    token = params.text("payment_method")
    capture_method = params.choice("capture_method", _CAPTURE_METHODS) or intent.capture_method
    return_url = params.text("return_url") or intent.return_url
    allow_action = _allow_action(params)
    echoed = intent.echoed | _echoed(params)
    _check_confirmable(intent, token or intent.payment_method, return_url)
    if token is not None:
        _attach(work, intent, token)
    intent.return_url, intent.capture_method, intent.echoed = return_url, capture_method, echoed
    return payments.attempt(work, intent, allow_action=allow_action)


def capture(work: Work) -> Answer:
    params = work.params
    params.only(
        "amount_to_capture", "final_capture", "metadata", "statement_descriptor",
        "statement_descriptor_suffix",
    )  # fmt: skip
    intent = work.subject(PaymentIntent, "intent")
    asked = params.positive("amount_to_capture")
    metadata = params.merge_metadata(intent.metadata)
    if params.flag("final_capture") is False:
        raise ApiError("Multicapture is not available for this PaymentIntent.", param="final_capture")
    charge = work.get(Charge, intent.latest_charge or "")
    if intent.status != IntentStatus.REQUIRES_CAPTURE or charge is None:
        message = (
            f"This PaymentIntent could not be captured because it has a status of {intent.status}. Only a "
            "PaymentIntent with one of the following statuses may be captured: requires_capture."
        )
        raise unexpected_state(message, intent.id)
    amount = intent.amount if asked is None else asked
    if amount > intent.amount:
        message = f"The amount to capture is greater than {display(intent.amount, intent.currency)}."
        raise ApiError(message, "amount_too_large", "amount_to_capture", executed=True)
    check_digits(amount, intent.currency, "amount_to_capture")
    intent.metadata = metadata
    payments.capture(work, intent, charge, work.shave(amount))
    work.emit("charge.captured", charge)
    work.emit("payment_intent.succeeded", intent)
    return work.show(intent)


def cancel(work: Work) -> Answer:
    work.params.only("cancellation_reason")
    intent = work.subject(PaymentIntent, "intent")
    reason = work.params.choice("cancellation_reason", _CANCEL_REASONS)
    if intent.status not in _CANCELABLE:
        message = (
            f"You cannot cancel this PaymentIntent because it has a status of {intent.status}. Only a "
            "PaymentIntent with one of the following statuses may be canceled: "
            f"{', '.join(_CANCELABLE)}."
        )
        raise unexpected_state(message, intent.id)
    payments.release(work, intent, reason)
    return work.show(intent)


def _read_new(work: Work) -> PaymentIntent:
    params = work.params
    amount = params.positive("amount")
    if amount is None:
        raise missing_param("amount")
    currency = check_currency(params.required("currency"))
    check_amount(amount, currency)
    intent_id = new_id("pi")
    types = params.texts("payment_method_types")
    redirects = _automatic_methods(params, types)
    return PaymentIntent(
        id=intent_id,
        created=work.now(),
        amount=work.shave(amount),
        currency=currency,
        capture_method=params.choice("capture_method", _CAPTURE_METHODS) or "automatic_async",
        status=IntentStatus.REQUIRES_PAYMENT_METHOD,
        client_secret=new_id(f"{intent_id}_secret"),
        metadata=params.merge_metadata({}),
        automatic_payment_methods=redirects,
        confirmation_method=params.choice("confirmation_method", ("automatic", "manual")) or "automatic",
        return_url=params.text("return_url"),
        echoed=_echoed(params),
    )


def _automatic_methods(params: Params, types: list[str]) -> str | None:
    """The `allow_redirects` setting; None where the caller lists the types. On by default at Stripe."""
    group = params.group("automatic_payment_methods")
    enabled = group.flag("enabled") if group else None
    if types and enabled:
        message = (
            "You may only specify one of these parameters: automatic_payment_methods, payment_method_types."
        )
        raise ApiError(message)
    for kind in types:
        if kind != "card":
            message = f"The payment method type provided: {kind} is invalid."
            raise ApiError(message, "payment_intent_invalid_parameter", "payment_method_types")
    if types or enabled is False:
        return None
    return (group.choice("allow_redirects", ("always", "never")) if group else None) or "always"


def _check_confirmable(intent: PaymentIntent, method: str | None, return_url: str | None = None) -> None:
    if method is None:
        message = (
            "You cannot confirm this PaymentIntent because it's missing a payment method. You can either "
            "update the PaymentIntent with a payment method and then confirm it again, or confirm it again "
            "directly with a payment method or ConfirmationToken."
        )
        raise ApiError(message, "payment_intent_unexpected_state")
    if intent.automatic_payment_methods == "always" and not (return_url or intent.return_url):
        message = (
            "This PaymentIntent is configured to accept payment methods that might redirect your customer "
            "off of your page: provide a `return_url`, or set `automatic_payment_methods[allow_redirects]` "
            "to `never`."
        )
        raise ApiError(message, param="return_url")


def _check_confirm_state(intent: PaymentIntent) -> None:
    if intent.status not in _CHANGEABLE:
        done = intent.status == IntentStatus.SUCCEEDED
        why = "already succeeded after being previously confirmed" if done else f"a status of {intent.status}"
        message = f"You cannot confirm this PaymentIntent because it has {why}."
        raise unexpected_state(message, intent.id)


def _check_changeable(intent: PaymentIntent, name: str) -> None:
    if intent.status not in _CHANGEABLE:
        message = (
            f"This PaymentIntent's {name} could not be updated because it has a status of {intent.status}."
        )
        raise unexpected_state(message, intent.id)


def _allow_action(params: Params) -> bool:
    off_session = params.text("off_session") not in {None, "false"}
    return not off_session and params.flag("error_on_requires_action") is not True


def _attach(work: Work, intent: PaymentIntent, token: str) -> None:
    """A test token becomes a payment method of its own, as at Stripe; an id of one is used again."""
    known = work.get(PaymentMethod, token)
    if known is None:
        if token not in CARDS:
            raise no_such("PaymentMethod", token, "payment_method", in_url=False)
        known = PaymentMethod(new_id("pm"), work.now(), token)
        work.save(known)
    intent.payment_method = known.id
    intent.status = IntentStatus.REQUIRES_CONFIRMATION


def _echoed(params: Params) -> dict[str, JSON]:
    return {name: params.values[name] or None for name in ECHOED if params.has(name)}
