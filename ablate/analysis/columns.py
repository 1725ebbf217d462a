"""Every column of a comparison: dtype, unit, meaning. NaN where there is no answer."""

from __future__ import annotations

from ablate.store.schema import Column

DESCRIPTION = (
    Column("arm", "str", "", "Set of tricks with its settings."),
    Column("metric", "str", "", "Name of the metric."),
    Column("scale", "str", "", "`ratio`: logarithms are compared; `difference`: values."),
    Column("higher_is_better", "int64", "", "1 or 0."),
    Column("generator", "str", "", "`raw` or `ema` weights of G."),
    Column("protocol", "str", "", "How the metric was computed."),
    Column("trials", "int64", "trials", "All of the arm that ended."),
    Column("done", "int64", "trials", "Those with a finite last value."),
    Column("failed", "int64", "trials", "The others."),
    Column("failed_low", "float64", "", "Lower end of the 95 % Wilson interval of the rate."),
    Column("failed_high", "float64", "", "Upper end."),
    Column("mean", "float64", "of the metric", "Over seeds; geometric on the ratio scale."),
    Column("seed_sd", "float64", "of the metric", "SD over seeds, n - 1."),
    Column("resample_sd", "float64", "of the metric", "Evaluation noise: RMS of resample SDs."),
    Column("images", "float64", "real images", "Shown to D, mean of done trials."),
    Column("wall_seconds", "float64", "s", "Mean of done trials."),
    Column("device_seconds", "float64", "s", "Mean of done trials."),
    Column("peak_memory_bytes", "float64", "bytes", "Highest of done trials."),
    Column("wall_seconds_spent", "float64", "s", "Sum of all trials, failed ones too."),
)

COMPARISON = (
    *DESCRIPTION,
    Column("reference", "str", "", "The arm this one is compared with."),
    Column("pairs", "int64", "seeds", "Seeds in which this arm and the reference are done."),
    Column("effect", "float64", "", "Ratio to, or difference from, the reference over pairs."),
    Column("low", "float64", "", "Lower end of its 95 % t interval, of this comparison alone."),
    Column("high", "float64", "", "Upper end."),
    Column("effect_mean", "float64", "", "Mean paired difference, of logs on the ratio scale."),
    Column("effect_sd", "float64", "", "SD of the paired differences, of logs likewise."),
    Column("seed_correlation", "float64", "", "Of arm and reference over pairs, same scale."),
    Column("t", "float64", "", "Student's t, pairs - 1 degrees of freedom."),
    Column("p", "float64", "", "Two-sided, of this comparison alone."),
    Column("p_holm", "float64", "", "The same, adjusted for all arms tested (Holm)."),
    Column("more_failures", "int64", "seeds", "Failed seeds minus the reference's, shared seeds."),
    Column("worst_effect", "float64", "", "Effect if a failure counts as the worst of the two."),
    Column("smallest_detectable", "float64", "", "Effect seen with 80 % power, one comparison."),
    Column("seeds_needed", "float64", "seeds", "For `detect` with 80 % power, one comparison."),
    Column("seeds_needed_high", "float64", "seeds", "The same if the SD is at its upper limit."),
    Column("relative_cost", "float64", "", "Wall seconds of a done trial over the reference's."),
    Column("verdict", "str", "", "better, worse, trade-off, inconclusive, identical, suspect, ..."),
    Column("reason", "str", "", "Why, where the verdict alone does not say."),
)
