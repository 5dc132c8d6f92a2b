"""Where a workflow stands, in plain words: the Temporal UI's current details and the query `status`."""

from dataclasses import dataclass

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from commerce.contracts.checkout import OrderSituation, ParkedCompensation
    from commerce.contracts.statuses import OrderStatus


@dataclass
class Situation:
    """`tell` replaces all of it: what is being done, what it waits for, what happens next."""

    title: str
    doing: str = "Starting"
    waiting_for: str | None = None
    next: str = ""
    since: str = ""

    def tell(self, doing: str, *, waiting_for: str | None = None, then: str = "") -> None:
        self.doing, self.waiting_for, self.next = doing, waiting_for, then
        self.since = workflow.now().strftime("%d %b %Y %H:%M:%S UTC")
        workflow.set_current_details(self.markdown())

    def markdown(self, parked: list[ParkedCompensation] | None = None) -> str:
        lines = [f"### {self.title}", "", f"**Now:** {self.doing} (since {self.since})"]
        if self.waiting_for:
            lines += ["", f"**Waiting for:** {self.waiting_for}"]
        if self.next:
            lines += ["", f"**Next:** {self.next}"]
        if parked:
            lines += ["", "**Needs attention:**", "", "| step | error | since |", "|---|---|---|"]
            lines += [f"| {item.step} | {item.error} | {item.since} |" for item in parked]
        return "\n".join(lines)

    def show_parked(self, parked: list[ParkedCompensation]) -> None:
        workflow.set_current_details(self.markdown(parked))

    def answer(self, status: OrderStatus, parked: list[ParkedCompensation]) -> OrderSituation:
        return OrderSituation(status, self.doing, self.waiting_for, self.since, self.next, parked)
