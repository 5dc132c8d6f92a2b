"""The gateway: the only place that wires adapters to routes.

`create_app(settings)` makes the application; its lifespan opens everything and closes it in reverse order.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial

import structlog
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from sqlalchemy.exc import SQLAlchemyError
from starlette.middleware import Middleware
from starlette.routing import BaseRoute
from temporalio.client import Client

from api.contract import publish
from api.guard import GuardedRoute
from api.middleware.body_limit import BodyLimitMiddleware
from api.middleware.cors import OriginMiddleware
from api.middleware.request import RequestMiddleware
from api.policy import MissingRule
from api.problems import ProblemRenderer, install_handlers
from api.routes import (
    admin,
    carts,
    checkouts,
    codec,
    health,
    me,
    orders,
    products,
    reservations,
    stock,
    webhooks,
)
from api.state import Gateway, LifespanState
from commerce.contracts.statuses import Provider
from commerce.domain.errors import ProviderUnavailable
from commerce.persistence.database import connect as connect_database
from commerce.persistence.migrate import current, head
from commerce.providers.aws.carts import DynamoCarts
from commerce.providers.aws.checks import missing_resources
from commerce.providers.aws.clients import AwsClients, AwsConfig
from commerce.providers.carrier.account import EasyPostAccount
from commerce.providers.carrier.easypost import EasyPostCarrier
from commerce.providers.cognito.tokens import TokenVerifier
from commerce.providers.stripe.account import StripeAccount
from commerce.providers.stripe.payments import StripePayments
from commerce.providers.valkey.live import ValkeyLiveUpdates
from commerce.runtime.codec import EncryptingCodec
from commerce.runtime.settings import GatewaySettings, parse_codec_keys
from commerce.runtime.temporal import NotReady, check_search_attributes, connect
from commerce.runtime.workflow_gateway import TemporalWorkflows

log = structlog.get_logger("api")
Opener = Callable[[GatewaySettings], AbstractAsyncContextManager[Gateway]]

_ROUTERS = (health, products, stock, carts, reservations, checkouts, orders, webhooks, me, codec, admin)
_ABOUT = (
    "Every order is a durable workflow. Errors are problems (RFC 9457) whose `type` ends in a stable slug; "
    "money is integer minor units; calls that move goods or money take an `Idempotency-Key`."
)


def create_app(settings: GatewaySettings, opener: Opener | None = None) -> FastAPI:
    """`opener` (else `open_gateway`) connects the adapters. Raises MissingRule for an unguarded route."""
    connect_adapters = opener or open_gateway
    renderer = ProblemRenderer(settings.public_url)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[LifespanState]:
        async with connect_adapters(settings) as gateway:
            app.state.gateway = gateway
            yield {"gateway": gateway}

    app = FastAPI(
        title="CloudCommerce",
        version="0.1.0",
        description=_ABOUT,
        lifespan=lifespan,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        middleware=[
            Middleware(RequestMiddleware, renderer=renderer),
            Middleware(
                OriginMiddleware,
                origins=settings.cors_origins,
                temporal_ui_url=settings.temporal_ui_url,
                renderer=renderer,
            ),
            Middleware(BodyLimitMiddleware, limit=settings.body_limit_bytes, renderer=renderer),
        ],
    )
    install_handlers(app, renderer)
    for module in _ROUTERS:
        app.include_router(module.router)
    check_rules(app.routes)
    publish(app)
    return app


def check_rules(routes: list[BaseRoute]) -> None:
    """Raises MissingRule naming the first route that is not guarded."""
    for context in iter_route_contexts(routes):
        if not isinstance(context.original_route, GuardedRoute):
            raise MissingRule(f"{context.path} is not a guarded route")


@asynccontextmanager
async def open_gateway(settings: GatewaySettings) -> AsyncIterator[Gateway]:
    """Nothing is called yet: what is down at the start is found by the first call and by `/readyz`."""
    async with AsyncExitStack() as stack:
        yield await _open(settings, await connect(settings, lazy=True), stack)


async def _open(settings: GatewaySettings, client: Client, stack: AsyncExitStack) -> Gateway:
    live = ValkeyLiveUpdates(settings.valkey_url.get_secret_value())
    stack.push_async_callback(live.close)
    database = connect_database(
        settings.database_url.get_secret_value(),
        pool_size=settings.database_pool_size,
        application_name="gateway",
        live=live,
    )
    stack.push_async_callback(database.close)
    aws = AwsClients(_aws(settings))
    stack.callback(aws.close)
    carts = DynamoCarts(aws.dynamodb, settings.cart_table, timedelta(days=settings.cart_days))
    tokens = TokenVerifier(settings.cognito_jwks_url, settings.cognito_issuer, settings.cognito_client_id)
    stack.push_async_callback(tokens.close)
    stripe = _stripe(settings)
    stack.push_async_callback(stripe.close)
    carrier = _carrier(settings)
    stack.push_async_callback(carrier.close)
    workflows = TemporalWorkflows(client, settings.checkout_policy)
    return Gateway(
        settings=settings,
        database=database,
        carts=carts,
        payments={Provider.STRIPE.value: stripe},
        carriers={carrier.name: carrier},
        live=live,
        tokens=tokens,
        workflows=workflows,
        codec=EncryptingCodec(parse_codec_keys(settings.codec_keys.get_secret_value())),
        probes={
            "database": database.ping,
            "temporal": workflows.ping,
            "valkey": live.ping,
            "carts": partial(_probe_carts, aws, settings.cart_table),
        },
    )


async def _probe_carts(aws: AwsClients, table: str) -> None:
    """Raises ProviderUnavailable, NotReady."""
    missing = await missing_resources(aws, cart_table=table)
    if missing:
        raise NotReady("; ".join(missing))


def _aws(settings: GatewaySettings) -> AwsConfig:
    return AwsConfig(
        region=settings.aws_region,
        endpoint=settings.aws_endpoint_url,
        endpoints=settings.aws_endpoints,
    )


def _stripe(settings: GatewaySettings) -> StripePayments:
    return StripePayments(
        StripeAccount(
            secret_key=settings.stripe_secret_key.get_secret_value(),
            webhook_secret=settings.stripe_webhook_secret.get_secret_value(),
            api_base=settings.stripe_api_base,
        )
    )


def _carrier(settings: GatewaySettings) -> EasyPostCarrier:
    return EasyPostCarrier(
        EasyPostAccount(
            api_key=settings.carrier_api_key.get_secret_value(),
            webhook_secret=settings.carrier_webhook_secret.get_secret_value(),
            sender=settings.sender_address,
            api_base=settings.carrier_api_base,
        )
    )


async def check(settings: GatewaySettings) -> None:
    """Raises NotReady or ProviderUnavailable naming what the gateway cannot do without.

    Temporal, Valkey and the cart store may be down at the start: what needs them answers 503 or 202 until
    they are back. One that is there but not set up stops the start.
    """
    await _check_schema(settings.database_url.get_secret_value())
    aws = AwsClients(_aws(settings))
    try:
        await _probe_carts(aws, settings.cart_table)
        await check_search_attributes(await connect(settings))
    except ProviderUnavailable as error:
        log.warning("starting without", reason=str(error))
    finally:
        aws.close()


async def _check_schema(url: str) -> None:
    try:
        known = await asyncio.to_thread(current, url)
    except SQLAlchemyError as error:
        raise ProviderUnavailable(f"the database does not answer: {type(error).__name__}") from error
    if known != head():
        raise NotReady(f"the database is at migration {known}, this build needs {head()}: run `make migrate`")
