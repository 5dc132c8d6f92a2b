"""`python -m devstack.emulators.stripe`"""

import argparse
import sys
from pathlib import Path

from devstack.emulators.common.jsonvalue import JSON
from devstack.emulators.common.server import serve
from devstack.emulators.stripe.app import API_VERSION, Options, build
from devstack.emulators.stripe.settings import Settings


def main(arguments: list[str] | None = None) -> int:
    parser = _parser()
    given = parser.parse_args(arguments)
    settings = Settings()
    try:
        settings.update(dict(given.set))
        app = build(_options(given, settings))
    except ValueError as error:
        parser.error(str(error))
    return serve(app, given.host, given.port)


def _options(given: argparse.Namespace, settings: Settings) -> Options:
    return Options(
        data_dir=given.data_dir,
        base_url=given.base_url or f"http://{given.host}:{given.port}",
        api_key=given.api_key,
        webhook_url=given.webhook_url,
        webhook_secret=given.webhook_secret,
        settings=settings,
        api_version=given.api_version,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m devstack.emulators.stripe",
        description="A stateful Stripe for development and tests. Journal: DATA_DIR/journal.jsonl.",
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1")
    add("--port", type=int, required=True)
    add("--data-dir", type=Path, required=True, help="state and journal; survives a restart")
    add("--api-key", required=True, help="the one secret key that is let in, sk_test_…")
    add("--webhook-url", help="where events go; without it none are sent")
    add("--webhook-secret", default="", help="whsec_…")
    add("--base-url", help="how a browser reaches the 3DS page; default http://HOST:PORT")
    add("--api-version", default=API_VERSION, help="the version that events are marked with")
    add(
        "--set",
        action="append",
        default=[],
        type=_setting,
        metavar="NAME=NUMBER",
        help=f"a setting, may be repeated: {', '.join(Settings().to_json())}",
    )
    return parser


def _setting(argument: str) -> tuple[str, JSON]:
    name, _, number = argument.partition("=")
    return name, float(number)


if __name__ == "__main__":
    sys.exit(main())
