"""Amounts as Stripe takes them, from its public page on currencies."""

from devstack.emulators.stripe.errors import ApiError

ZERO_DECIMAL = frozenset(
    {
        "bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof",
        "xpf",
    }
)  # fmt: skip
THREE_DECIMAL = frozenset({"bhd", "jod", "kwd", "omr", "tnd"})
WHOLE_UNITS_IN_HUNDREDTHS = frozenset({"isk", "ugx"})
"""Have no minor unit, but are sent with two decimals that are always 00."""

MINIMUM = {
    "usd": 50, "aed": 200, "aud": 50, "bgn": 100, "brl": 50, "cad": 50, "chf": 50, "czk": 1500,
    "dkk": 250, "eur": 50, "gbp": 30, "hkd": 400, "huf": 17500, "inr": 50, "jpy": 50, "mxn": 1000,
    "myr": 200, "nok": 300, "nzd": 50, "pln": 200, "ron": 200, "sek": 300, "sgd": 50, "thb": 1000,
}  # fmt: skip
"""In minor units; elsewhere Stripe's limit depends on the day's rate, here it is 1."""

MAX_AMOUNT = 99_999_999

_TWO_DECIMAL = frozenset(
    {
        "usd", "aed", "afn", "all", "amd", "ang", "aoa", "ars", "aud", "awg", "azn", "bam", "bbd",
        "bdt", "bgn", "bmd", "bnd", "bob", "brl", "bsd", "bwp", "byn", "bzd", "cad", "cdf", "chf",
        "cny", "cop", "crc", "cve", "czk", "dkk", "dop", "dzd", "egp", "etb", "eur", "fjd", "fkp",
        "gbp", "gel", "gip", "gmd", "gtq", "gyd", "hkd", "hnl", "htg", "huf", "idr", "ils", "inr",
        "jmd", "kes", "kgs", "khr", "kyd", "kzt", "lak", "lbp", "lkr", "lrd", "lsl", "mad", "mdl",
        "mkd", "mmk", "mnt", "mop", "mur", "mvr", "mwk", "mxn", "myr", "mzn", "nad", "ngn", "nio",
        "nok", "npr", "nzd", "pab", "pen", "pgk", "php", "pkr", "pln", "qar", "ron", "rsd", "rub",
        "sar", "sbd", "scr", "sek", "sgd", "shp", "sle", "sos", "srd", "std", "szl", "thb", "tjs",
        "top", "try", "ttd", "twd", "tzs", "uah", "uyu", "uzs", "wst", "xcd", "yer", "zar", "zmw",
    }
)  # fmt: skip
SUPPORTED = _TWO_DECIMAL | ZERO_DECIMAL | THREE_DECIMAL | WHOLE_UNITS_IN_HUNDREDTHS


def check_currency(currency: str) -> str:
    lowered = currency.lower()
    if lowered not in SUPPORTED:
        known = ", ".join(sorted(SUPPORTED))
        message = f"Invalid currency: {lowered}. Stripe currently supports these currencies: {known}"
        raise ApiError(message, param="currency")
    return lowered


def check_amount(amount: int, currency: str, param: str = "amount") -> None:
    """Raises ApiError for a charge below the minimum, above the maximum, or with illegal last digits."""
    minimum = MINIMUM.get(currency, 1)
    if amount < minimum:
        message = f"Amount must be at least {display(minimum, currency)}"
        raise ApiError(message, "amount_too_small", param)
    if amount > MAX_AMOUNT:
        message = f"Amount must be no more than {display(MAX_AMOUNT, currency)}"
        raise ApiError(message, "amount_too_large", param)
    check_digits(amount, currency, param)


def check_digits(amount: int, currency: str, param: str = "amount") -> None:
    step = 10 if currency in THREE_DECIMAL else 100 if currency in WHOLE_UNITS_IN_HUNDREDTHS else 1
    if amount % step:
        message = f"Invalid amount: in {currency} it must be a multiple of {step}"
        raise ApiError(message, "parameter_invalid_integer", param)


def display(amount: int, currency: str) -> str:
    exponent = 0 if currency in ZERO_DECIMAL else 3 if currency in THREE_DECIMAL else 2
    whole, part = divmod(amount, 10**exponent)
    digits = f"{whole}.{part:0{exponent}d}" if exponent else str(whole)
    return f"{digits} {currency}"
