"""`python -m devstack.emulators.carrier`: the carrier as a process of its own."""

import argparse
import sys
from pathlib import Path

from devstack.emulators.carrier.app import CarrierConfig, create_app
from devstack.emulators.common.server import serve


def main() -> int:
    arguments = _parser().parse_args()
    config = CarrierConfig(
        data_dir=arguments.data_dir,
        public_url=f"http://{arguments.host}:{arguments.port}",
        api_key=arguments.api_key,
        webhook_url=arguments.webhook_url,
        webhook_secret=arguments.webhook_secret,
        step_seconds=arguments.step_seconds or None,
        handover_seconds=arguments.handover_seconds,
        webhook_retry_scale=arguments.webhook_retry_scale,
    )
    return serve(create_app(config), arguments.host, arguments.port)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m devstack.emulators.carrier", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--data-dir", type=Path, required=True, help="holds journal.jsonl, the whole state")
    parser.add_argument("--api-key", required=True)
    parser.add_argument("--webhook-url", help="without it, events can only be listed")
    parser.add_argument("--webhook-secret", default="")
    parser.add_argument(
        "--step-seconds", type=float, default=0.4, help="between two scans of a parcel; 0 stands still"
    )
    parser.add_argument(
        "--handover-seconds", type=float, help="how long a labelled parcel waits for the carrier instead"
    )
    parser.add_argument(
        "--webhook-retry-scale", type=float, default=0.05, help="of 4, 8, 16 … seconds between attempts"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
