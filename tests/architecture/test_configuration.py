"""docs/configuration.md lists every setting of every process, with its default and its meaning."""

import re
from pathlib import Path

import pytest
from pydantic.fields import FieldInfo

from commerce.runtime.settings import CommonSettings, GatewaySettings, OperatorSettings, WorkerSettings
from devstack.environment import PORT_NAMES

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"
ROW = re.compile(r"^\| `([A-Z_]+)` \| (.+?) \| (.+) \|$", re.MULTILINE)
COMMON = CommonSettings.model_fields
SECTIONS = {
    "Every process": COMMON,
    "Gateway": GatewaySettings.model_fields,
    "Worker": WorkerSettings.model_fields,
    "Command and migrations": OperatorSettings.model_fields,
}


def section(title: str) -> str:
    return PAGE.read_text().split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def shown_default(setting: FieldInfo) -> str:
    if setting.is_required():
        return "required"
    default = setting.get_default(call_default_factory=True)
    if default is None or default == []:
        return "none"
    return f"`{default}`" if isinstance(default, str | int | float) else "a demo address"


@pytest.mark.parametrize("title", SECTIONS)
def test_every_setting_is_listed_with_its_default_and_its_meaning(title: str) -> None:
    ours = {
        name: field
        for name, field in SECTIONS[title].items()
        if title == "Every process" or name not in COMMON
    }
    listed = {name: (default, meaning) for name, default, meaning in ROW.findall(section(title))}
    assert set(listed) == {f"COMMERCE_{name.upper()}" for name in ours}
    for name, field in ours.items():
        default, meaning = listed[f"COMMERCE_{name.upper()}"]
        assert default == shown_default(field), name
        assert meaning.strip(), name


def test_every_port_that_can_be_fixed_is_named() -> None:
    named = re.findall(r"`([A-Z_]+)`", section("Local stack").partition("Fixes a port:")[2].partition("|")[0])
    assert [name.lower() for name in named] == list(PORT_NAMES)
