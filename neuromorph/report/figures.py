"""The figures of a page in order, each with its caption and a description for readers who do not see it."""

from __future__ import annotations

from dataclasses import dataclass

from neuromorph.report import comparison_plots, learner_plots, pareto_plot
from neuromorph.report.canvas import colour_of
from neuromorph.report.estimates import learner_names
from neuromorph.report.units import duration, percent, printable
from neuromorph.scorecard import Evidence, Scorecard


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One figure: what it is called, what one sees, how to read it."""

    key: str  # unique within a page
    title: str
    caption: str
    description: str  # instead of the image
    svg: bytes
    is_wide: bool = True


def comparison_figures(scorecard: Scorecard) -> tuple[Figure, ...]:
    """Figures of all learners together; those with nothing to show are left out."""
    names = ", ".join(printable(name) for name in learner_names(scorecard))
    drawn = [
        (
            "curves",
            "Learning curves.",
            "Accuracy on samples that are not learned from, while each learner trains, against the number of training samples it has "
            "seen, on a logarithmic axis: higher and further left is better. Bands are 95 % intervals of the sampling "
            f"error alone{_curve_tests(scorecard)}; the dotted line is guessing.",
            f"Line chart of held-out accuracy against training samples for {names}.",
            comparison_plots.learning_curves(scorecard),
        ),
        (
            "pareto",
            "Accuracy against energy and latency.",
            "One mark for each learner on each chip, in the middle (by ratio) of its bar from the low to the high estimate "
            "for one classified sample; up and down: standard deviation over seeds. Higher and further left is better. The dashed line is the Pareto front of the "
            "middles: nothing lies above and left of it. A hollow mark is beaten for certain: another one is at least "
            "as accurate and its whole bar lies further left. Bars of equal accuracy are drawn a little apart; where "
            "several backends did the work, the one with the lowest high end is shown.",
            f"Two scatter plots of held-out accuracy against estimated energy and latency for {names}; the numbers are in the tables.",
            pareto_plot.pareto_plot(scorecard),
        ),
        (
            "energy",
            "Energy on each chip, estimated.",
            "One bar reaches from the low to the high estimate for one sample: work counted in the run, times "
            "the coefficients of the chip's hardware file. Axes are logarithmic. Bars that overlap cannot be told "
            "apart by these estimates.",
            f"Bar chart of estimated energy ranges by learner and chip for {names}; the numbers are in the tables.",
            comparison_plots.energy_bars(scorecard),
        ),
        (
            "latency",
            "Latency on each chip, estimated.",
            "Time from the first to the last time step of one classified sample, with the chip running as fast as it "
            "can; low to high estimate, on a logarithmic axis.",
            f"Bar chart of estimated latency ranges by learner and chip for {names}; the numbers are in the tables.",
            comparison_plots.latency_bars(scorecard),
        ),
        (
            "speed",
            "Speed of the simulators.",
            "Wall time measured on this machine for one sample, classified and learned; further left is faster. It "
            "compares programs on one computer and says nothing about chips.",
            f"Dot chart of measured wall time by learner and backend for {names}; the numbers are in the tables.",
            comparison_plots.speed_chart(scorecard),
        ),
    ]
    return tuple(
        Figure(key=key, title=title, caption=caption, description=description, svg=svg)
        for key, title, caption, description, svg in drawn
        if svg is not None
    )


def learner_figures(scorecard: Scorecard, evidence: Evidence, number: int) -> tuple[Figure, ...]:
    """Figures of one learner; ``number`` makes their keys unique."""
    colour = colour_of(learner_names(scorecard).index(evidence.learner))
    name = printable(evidence.learner)
    drawn = [
        ("raster", "Spikes.", _raster_caption(evidence), f"Spike raster of {name}.", True,
         learner_plots.spike_raster(evidence, colour)),
        ("membrane", "Membranes.", _membrane_caption(evidence), f"Membrane traces of {name}.", True,
         learner_plots.membrane_traces(evidence, colour)),
        ("fields", "Receptive fields.", _fields_caption(evidence), f"Images of the weights of {name}.", True,
         learner_plots.receptive_fields(evidence)),
        ("confusion", "Confusions.", _confusion_caption(evidence), _confusion_description(evidence), False,
         learner_plots.confusion_matrix(evidence)),
        ("weights", "Weights before and after.", "How many synapses have which weight, before learning (outline) and "
         "after (filled), on a logarithmic count axis: what learning moved, and how far.",
         f"Histogram of the weights of {name} before and after learning.", False,
         learner_plots.weight_histogram(evidence, colour)),
    ]  # fmt: skip
    return tuple(
        Figure(key=f"{key}{number}", title=title, caption=caption, description=description, svg=svg, is_wide=is_wide)
        for key, title, caption, description, is_wide, svg in drawn
        if svg is not None
    )


def _curve_tests(scorecard: Scorecard) -> str:
    points = sorted({(evidence.curve_test_samples, printable(evidence.curve_on)) for evidence in scorecard.evidence})
    return f" ({' or '.join(f'{count:,} {kind}' for count, kind in points)} a point)" if points else ""


def _samples(evidence: Evidence) -> str:
    shown = len(evidence.sample_labels)
    if not shown or evidence.steps_per_sample <= 0:
        return ""
    length = f" ({duration(evidence.steps_per_sample * evidence.dt)})" if evidence.dt > 0 else ""
    return f" {shown} held-out samples, each {evidence.steps_per_sample} time steps{length}, between vertical lines."


def _raster_caption(evidence: Evidence) -> str:
    return (
        f"Each mark is one spike; neurons from top to bottom, time from left to right.{_samples(evidence)} Above: "
        "true class, arrow, predicted class. The first panel is the input; what follows shows which neurons answer."
    )


def _membrane_caption(evidence: Evidence) -> str:
    return (
        "The membrane of single neurons over the same time; dashed: the threshold, where a neuron spikes and is "
        "reset. Between spikes the membrane leaks back to rest." + ("" if evidence.raster else _samples(evidence))
    )


def _fields_caption(evidence: Evidence) -> str:
    neurons = len(evidence.weights_after)
    shown = min(neurons, learner_plots.SHOWN_FIELDS)
    which = f"{shown} of {neurons} neurons" if shown < neurons else f"all {neurons} neurons"
    which = "one neuron" if neurons == 1 else which
    return (
        f"Weights from every pixel onto each neuron after learning, {which}, sorted by the class a neuron "
        "stands for (number above; a dot: none). Blue is positive, orange negative, the shade the size: a field that "
        "looks like a class is a template of it."
    )


def _confusion_caption(evidence: Evidence) -> str:
    return (
        "Rows are true classes, columns predictions, numbers samples. Blue cells on the diagonal are right, orange "
        "cells are mistakes; the shade is the share of the true class."
    )


def _confusion_description(evidence: Evidence) -> str:
    total = int(evidence.confusion.sum()) + evidence.unanswered
    right = percent(int(evidence.confusion.trace()) / total) if total else "0"
    return f"Confusion matrix of {printable(evidence.learner)}: {right} % of {total:,} samples on the diagonal."
