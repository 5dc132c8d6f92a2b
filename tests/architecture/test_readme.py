"""What README and the pages beside it name exists: targets, commands, options, paths, routes, tests."""

import re
import subprocess
from pathlib import Path

import pytest
import typer.main
from fastapi.routing import iter_route_contexts
from support.documents import ROOT, commands, paths, section, shell_blocks
from typer.core import TyperGroup

from api.app import create_app
from commerce.cli.main import app
from commerce.runtime.settings import GatewaySettings

PAGES = [
    ROOT / "README.md",
    *(ROOT / "docs" / name for name in ("features.md", "support.md", "configuration.md")),
]
TARGETS = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
METHODS = "GET|POST|PUT|PATCH|DELETE"
CALL = re.compile(rf"((?:{METHODS})(?:[,·] ?(?:{METHODS}))*) (/[\w/{{}}.-]*)")
TEST = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


@pytest.fixture(params=PAGES, ids=lambda page: page.name)
def page(request: pytest.FixtureRequest) -> Path:
    chosen: Path = request.param
    return chosen


def test_every_make_target_exists(page: Path) -> None:
    for words in commands(page.read_text()):
        if words[0] == "make":
            assert words[1] in TARGETS, words


def test_every_command_and_option_exists(page: Path) -> None:
    for words in commands(page.read_text()):
        if not words[0].endswith("commerce"):
            continue
        command = typer.main.get_command(app)
        rest = words[1:]
        while isinstance(command, TyperGroup) and rest and not rest[0].startswith("-"):
            assert rest[0] in command.commands, words
            command = command.commands[rest.pop(0)]
        known = {
            option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)
        }
        assert {word for word in rest if word.startswith("--")} <= known | {"--help"}, words


def test_every_path_exists(page: Path) -> None:
    for path in paths(page.read_text()):
        assert (ROOT / path).exists(), path


def test_every_shell_block_is_well_formed(page: Path) -> None:
    for block in shell_blocks(page.read_text()):
        subprocess.run(["sh", "-n"], input=block, text=True, check=True)


def test_every_call_is_a_route(page: Path) -> None:
    routes = {(method, _shape(path)) for method, path in _routes()}
    for methods, path in CALL.findall(page.read_text()):
        for method in re.findall(METHODS, methods):
            assert (method, _shape(path.rstrip("."))) in routes, f"{method} {path}"


def test_every_named_test_exists(page: Path) -> None:
    for file, name in TEST.findall(page.read_text()):
        assert (ROOT / file).exists(), file
        assert not name or re.search(rf"def {name}\b", (ROOT / file).read_text()), f"{file}::{name}"


def test_every_folder_of_the_house_is_on_the_map() -> None:
    named = set(re.findall(r"`([\w/]+)/`", section((ROOT / "README.md").read_text(), "Map")))
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    folders = {line.partition("/")[0] for line in tracked.splitlines() if "/" in line}
    assert {folder for folder in folders if not folder.startswith(".")} - {"requirements"} == {
        name.partition("/")[0] for name in named
    }


def test_every_row_of_features_is_shown_by_something() -> None:
    rows = re.findall(
        r"^\| ([A-J]\d) \| (.+?) \| (.+) \|$", (ROOT / "docs" / "features.md").read_text(), re.MULTILINE
    )
    assert len(rows) > 20
    for row, _, shown in rows:
        assert TEST.search(shown) or CALL.search(shown) or "`make " in shown or "`commerce " in shown, row


def _shape(path: str) -> str:
    return re.sub(r"{\w+}", "{}", path)


def _routes() -> set[tuple[str, str]]:
    settings = GatewaySettings.model_construct(
        public_url="http://x", temporal_ui_url="http://x", cors_origins=[], body_limit_bytes=1024
    )
    gateway = create_app(settings)
    return {
        (method, str(route.path))
        for route in iter_route_contexts(gateway.routes)
        for method in route.methods or ()
    }
