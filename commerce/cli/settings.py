"""The command's settings: the environment, then what the local stack has written."""

from pydantic import ValidationError

from commerce.cli.errors import CommandError, Exit
from commerce.runtime.settings import OperatorSettings
from devstack.home import Home


class CommandSettings(OperatorSettings):
    """Beside the operator's own: where the providers are, to compare their books with ours."""

    stripe_api_base: str = "https://api.stripe.com"
    carrier_api_base: str = "https://api.easypost.com/v2"


def load() -> CommandSettings:
    """Raises CommandError naming every variable that is missing or wrong, never its value."""
    try:
        return CommandSettings(_env_file=Home.find().env)
    except ValidationError as faults:
        found = faults.errors(include_input=False, include_url=False)
        missing = [_variable(fault["loc"]) for fault in found if fault["type"] == "missing"]
        wrong = [
            f"{_variable(fault['loc'])}: {fault['msg']}" for fault in found if fault["type"] != "missing"
        ]
        if missing:
            wrong.append(f"not set: {', '.join(missing)} (`make dev` starts a local stack that sets them)")
        raise CommandError("; ".join(wrong), Exit.CONFIGURATION) from None


def _variable(place: tuple[int | str, ...]) -> str:
    return f"COMMERCE_{'_'.join(str(part) for part in place)}".upper()
