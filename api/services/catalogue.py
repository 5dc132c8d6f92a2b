"""Writing products, with an audit row in the same transaction."""

from typing import Any

from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from api.deps import Call
from api.errors import DuplicateSku, ObjectNotFound
from api.schemas.base import MoneyInput
from api.schemas.products import ProductFilter, ProductPatch, ProductView, ProductWrite
from api.views import product_view
from commerce.contracts.ids import PRODUCT, new_id
from commerce.domain.catalogue import Price, Product, ProductQuery, Variant
from commerce.domain.errors import Conflict, StaleVersion


async def list_products(call: Call, wanted: ProductFilter) -> tuple[list[ProductView], str | None]:
    async with call.gateway.database.reading() as tx:
        products, cursor = await tx.catalogue.list(ProductQuery(**wanted.model_dump()))
        skus = [variant.sku for product in products for variant in product.variants]
        levels = await tx.stock.levels(skus)
    return [product_view(product, levels, wanted.currency) for product in products], cursor


async def read_product(call: Call, product_id: str, currency: str) -> ProductView:
    """By id or slug; archived ones too. Raises NotFound."""
    async with call.gateway.database.reading() as tx:
        product = await tx.catalogue.get(product_id)
        levels = await tx.stock.levels([variant.sku for variant in product.variants])
    return product_view(product, levels, currency)


async def create_product(call: Call, payload: ProductWrite) -> Product:
    """Raises DuplicateSku."""
    product = _product(new_id(PRODUCT), payload, version=1)
    try:
        async with call.gateway.database.transaction(call.context) as tx:
            created = await tx.catalogue.create(product)
            await tx.audit.add("product.create", "product", created.id, after=_summary(created))
    except Conflict as error:
        raise DuplicateSku from error
    return created


async def replace_product(call: Call, product_id: str, payload: ProductWrite, version: int) -> Product:
    """Raises NotFound, StaleVersion, DuplicateSku."""
    try:
        async with call.gateway.database.transaction(call.context) as tx:
            before = _writable(await tx.catalogue.get(product_id))
            after = await tx.catalogue.replace(_product(before.id, payload, version=version), version)
            await tx.audit.add(
                "product.replace", "product", before.id, before=_summary(before), after=_summary(after)
            )
    except StaleVersion:
        raise
    except Conflict as error:
        raise DuplicateSku from error
    return after


async def patch_product(call: Call, product_id: str, patch: ProductPatch, version: int) -> Product:
    """JSON merge patch of the writable fields; what comes out must be a whole product again."""
    async with call.gateway.database.reading() as tx:
        current = _writable(await tx.catalogue.get(product_id))
    merged = merge_patch(_document(current), patch.model_dump(mode="json", exclude_unset=True))
    try:
        payload = ProductWrite.model_validate(merged)
    except ValidationError as error:
        raise RequestValidationError(
            [{**failure, "loc": ("body", *failure["loc"])} for failure in error.errors()]
        ) from error
    return await replace_product(call, current.id, payload, version)


async def archive_product(call: Call, product_id: str, version: int | None) -> None:
    async with call.gateway.database.transaction(call.context) as tx:
        product = _writable(await tx.catalogue.get(product_id))
        await tx.catalogue.archive(product.id, version)
        await tx.audit.add("product.archive", "product", product.id, before=_summary(product))


def merge_patch(document: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """RFC 7386 over objects: null removes, objects merge, everything else replaces."""
    merged = dict(document)
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        elif isinstance(value, dict) and isinstance(merged.get(name), dict):
            merged[name] = merge_patch(merged[name], value)
        else:
            merged[name] = value
    return merged


def _writable(product: Product) -> Product:
    if product.archived:
        raise ObjectNotFound("The product is archived.")
    return product


def _product(product_id: str, payload: ProductWrite, *, version: int) -> Product:
    return Product(
        id=product_id,
        slug=payload.slug,
        title=payload.title,
        description=payload.description,
        categories=list(payload.categories),
        tags=list(payload.tags),
        variants=[
            Variant(
                sku=variant.sku,
                options=dict(variant.options),
                tax_class=variant.tax_class,
                prices=[
                    Price(price.currency, price.amount, _compare_at(variant.compare_at_price, price.currency))
                    for price in variant.prices
                ],
            )
            for variant in payload.variants
        ],
        version=version,
    )


def _compare_at(former: MoneyInput | None, currency: str) -> int | None:
    return former.amount if former and former.currency == currency else None


def _document(product: Product) -> dict[str, Any]:
    """The product as a client would write it."""
    return {
        "slug": product.slug,
        "title": product.title,
        "description": product.description,
        "categories": product.categories,
        "tags": product.tags,
        "variants": [_variant_document(variant) for variant in product.variants],
    }


def _variant_document(variant: Variant) -> dict[str, Any]:
    document: dict[str, Any] = {
        "sku": variant.sku,
        "options": variant.options,
        "price": [{"amount": price.amount, "currency": price.currency} for price in variant.prices],
        "tax_class": variant.tax_class,
    }
    former = next((price for price in variant.prices if price.compare_at is not None), None)
    if former is not None:
        document["compare_at_price"] = {"amount": former.compare_at, "currency": former.currency}
    return document


def _summary(product: Product) -> dict[str, object]:
    return {"slug": product.slug, "version": product.version, "skus": [each.sku for each in product.variants]}
