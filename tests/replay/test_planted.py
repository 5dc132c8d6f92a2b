"""The gate itself: a change that running orders cannot follow does not get through."""

from pathlib import Path

from replay.planted import Original, Swapped
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from commerce.cli.histories import read
from commerce.cli.replaying import Outcome, one_by_one, plain_converter, replay

PLANTED = Path(__file__).with_name("planted") / "swapped_steps.json"


async def replayed(definition: type) -> Outcome:
    [recorded] = read(PLANTED)
    return await replay(
        one_by_one([recorded.history]),
        plain_converter(),
        workflows=[definition],
        runner=SandboxedWorkflowRunner(SandboxRestrictions.default),
    )


async def test_the_definition_that_made_the_history_replays() -> None:
    assert await replayed(Original) == Outcome(1, [])


async def test_swapped_steps_are_found_and_the_first_difference_is_named() -> None:
    outcome = await replayed(Swapped)
    assert outcome.replayed == 1
    [failure] = outcome.failures
    assert (failure.workflow_id, failure.workflow_type) == ("planted/ord_planted", "PlantedWorkflow")
    assert "Nondeterminism" in failure.difference
    assert "reserve" in failure.difference
    assert "authorise" in failure.difference
