"""What fewer minutes came to, and what more may."""

from __future__ import annotations

from gatework.formatting import rounded
from gatework.tasks._section import Answered, ReportSection, section_file
from gatework.tasks.transcribe.learning_curve import MINUTES, PowerLaw, further_minutes
from gatework.tasks.transcribe.metrics import metrics


def learning(answered: Answered) -> ReportSection | None:
    """The word error rate by minutes; None where no curve was wanted."""
    table = next((entry.tables["further"] for entry in answered.entries if "further" in entry.tables), None)
    if table is None or not table["training"][0].startswith(MINUTES):
        return None
    names, errors = table["training"].to_list(), table["test_wer"].to_list()
    reached = [(float(name.partition("-")[2]), float(error)) for name, error in zip(names, errors, strict=True)]
    whole = float(answered.state["minutes"])
    reached.append((whole, metrics(answered.networks[0].typical_answers)["wer"]))
    law = PowerLaw.fit(*zip(*reached, strict=True))
    more = further_minutes(whole)
    guessed = [minutes for minutes, _ in reached] + [whole + more]
    said = said_of(law, whole)
    points = ", ".join(f"{minutes:.1f} minutes {error:.3f}" for minutes, error in reached)
    return ReportSection(
        name="learning",
        title="What to record next",
        template=section_file(__package__, "learning.html"),
        context={"said": said, "summary": f"Word error rate. {points}. {said}"},
        data={
            "reached": [(rounded(minutes, 4), rounded(error, 4)) for minutes, error in reached],
            "guessed": [(rounded(minutes, 4), rounded(law(minutes), 4)) for minutes in guessed],
        },
        script=section_file(__package__, "learning.js"),
    )


def said_of(law: PowerLaw, minutes: float) -> str:
    """What further minutes may come to, in a sentence."""
    more = further_minutes(minutes)
    if law.power <= 0:
        return "By this curve more recordings of the same kind do not help; others may."
    error = law(minutes + more)
    return f"Another {more:.0f} minute{'s' if more > 1 else ''} of the same kind: about {error:.2f}, by a power law."
