"""What the documents tell a reader to type, and what they point at."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
_SHELL = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`([^`\n]+)`")
_COMMAND = re.compile(r"(?:^|[\s;|&(])((?:make|\.venv/bin/commerce|commerce) [a-z][^;|&()#]*)")


def shell_blocks(text: str) -> list[str]:
    return _SHELL.findall(text)


def section(text: str, title: str) -> str:
    """From one heading to the next of its rank. Raises IndexError for a title that is not there."""
    return text.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def commands(text: str) -> Iterator[list[str]]:
    """Words of each `make` and `commerce` command, in shell blocks and inline."""
    lines = [line for block in shell_blocks(text) for line in block.splitlines()]
    inline = _INLINE.findall(re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S))
    for line in (*lines, *inline):
        for command in _COMMAND.findall(f" {line.partition(' #')[0]}"):
            yield shlex.split(re.sub(r'"\$\w*', '"x', command.replace("…", "x")))


def paths(text: str) -> set[str]:
    """Inline words that look like a path of the repository: with a slash or a known ending, no blank."""
    words = {word.partition("::")[0] for word in _INLINE.findall(text)}
    return {
        word for word in words if re.fullmatch(r"[A-Za-z_.][\w.-]*(/[\w.-]+)*/?", word) and _is_file(word)
    }


def _is_file(word: str) -> bool:
    return word.endswith(("/", ".py", ".md", ".yml", ".toml", ".json")) and not word.startswith(".devstack")
