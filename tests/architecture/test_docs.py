"""What the documents promise is what the code has."""

import re
from pathlib import Path

from support.wiring import activity_name, no_adapters

import worker

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| ([a-z_]+) \| ([a-z]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)


def test_the_table_of_activities_lists_each_with_its_queue_and_what_makes_a_repeat_harmless() -> None:
    _header, *rows = ROW.findall((ROOT / "docs" / "activities.md").read_text())
    registered = {
        (activity_name(method), queue.value)
        for queue, methods in worker.activities_of(no_adapters()).items()
        for method in methods
    }
    assert {(name, queue) for name, queue, _, _ in rows} == registered
    assert all(effect.strip() and repeat.strip() for _, _, effect, repeat in rows)


def test_every_decision_has_context_decision_consequences_and_alternatives() -> None:
    for record in sorted((ROOT / "docs" / "adr").glob("*.md")):
        text = record.read_text()
        for part in ("**Context.**", "**Decision.**", "**Consequences.**", "**Alternatives.**"):
            assert part in text, f"{record.name} lacks {part}"


def test_links_between_documents_lead_somewhere() -> None:
    for document in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name} links to {target}"
