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
    Column(
        "seed_sd",
        "float64",
        "of the metric",
        "SD over seeds; of ratios that of logs x mean.",
    ),
    Column("resample_sd", "float64", "of the metric", "Evaluation noise: RMS of resample SDs."),
    Column("images", "float64", "real images", "Shown to D, mean of done trials."),
    Column("compared_images", "int64", "real images", "At the evaluation that is compared."),
    Column("last_images_low", "int64", "real images", "At the last one, fewest of done trials."),
    Column("last_images", "int64", "real images", "The same, most of done trials."),
    Column("wall_seconds", "float64", "s", "Mean of done trials."),
    Column("device_seconds", "float64", "s", "Mean of done trials."),
    Column("peak_memory_bytes", "float64", "bytes", "Highest of done trials."),
    Column("device_seconds_spent", "float64", "s", "Sum of all trials, failed ones too."),
)

COMPARISON = (
    *DESCRIPTION,
    Column("reference", "str", "", "The arm this one is compared with."),
    Column(
        "pairs",
        "int64",
        "seeds",
        "In which this arm and the reference are done; unpaired: done ones of the smaller arm.",
    ),
    Column("effect", "float64", "", "Ratio to, or difference from, the reference over pairs."),
    Column("low", "float64", "", "Lower end of its 95 % t interval, of this comparison alone."),
    Column("high", "float64", "", "Upper end."),
    Column("effect_mean", "float64", "", "Mean paired difference, of logs on the ratio scale."),
    Column("effect_sd", "float64", "", "SD of the paired differences, of logs likewise."),
    Column(
        "variance",
        "str",
        "",
        "`own` of the differences; `guarded`: pooled, never smaller; `welch`: unpaired.",
    ),
    Column("df", "float64", "", "Degrees of freedom of t."),
    Column("seed_correlation", "float64", "", "Of arm and reference over pairs, same scale."),
    Column("t", "float64", "", "Student's t."),
    Column("p", "float64", "", "Two-sided, of this comparison alone."),
    Column("p_holm", "float64", "", "The same, adjusted for all arms tested (Holm)."),
    Column("p_bh", "float64", "", "Adjusted by Benjamini-Hochberg: decides under `screen` only."),
    Column("p_flip", "float64", "", "Exact sign-flip max-t for all arms; from 6 seeds on."),
    Column("second_opinion", "str", "", "Whether p_flip decides as p_holm: same, differs, ..."),
    Column("p_equivalence", "float64", "", "Of the two one-sided tests, if a margin is declared."),
    Column("more_failures", "int64", "seeds", "Failed seeds minus the reference's, shared seeds."),
    Column("p_failures", "float64", "", "Exact test of failures, shared seeds (McNemar) or all."),
    Column("p_failures_holm", "float64", "", "Adjusted over what can be told at 2 % (Tarone)."),
    Column("worst_effect", "float64", "", "Effect if a failure counts as the worst of the two."),
    Column("smallest_detectable", "float64", "", "Effect with a verdict in 80 % of studies."),
    Column("seeds_needed", "float64", "seeds", "For `detect` to have one in 80 %, under Holm."),
    Column("seeds_needed_high", "float64", "seeds", "The same if the SD is at its upper limit."),
    Column("relative_cost", "float64", "", "Device seconds of a done trial over the reference's."),
    Column(
        "relative_cost_sd", "float64", "", "Over seeds that both arms trained alone, 3 or more."
    ),
    Column("verdict", "str", "", "better, worse, trade-off, inconclusive, identical, suspect, ..."),
    Column("reason", "str", "", "Why, where the verdict alone does not say."),
)

POLICIES = (
    Column("arm", "str", "", "Set of tricks with its settings."),
    Column("reference", "str", "", "The arm this one is compared with."),
    Column("scale", "str", "", "`ratio`: logarithms are compared; `difference`: values."),
    Column("policy", "str", "", "exclude, worst, censor or marked."),
    Column("pairs", "int64", "seeds", "That enter under this policy."),
    Column("effect", "float64", "", "Ratio to, or difference from, the reference."),
    Column("low", "float64", "", "Lower end of its 95 % t interval; NaN by ranks."),
    Column("high", "float64", "", "Upper end."),
    Column("p", "float64", "", "Two-sided, of this comparison alone."),
    Column("seeds_better", "float64", "seeds", "By ranks: in which the arm is the better one."),
)

RELIABILITY = (
    Column("arm", "str", "", "Set of tricks with its settings."),
    Column("reference", "str", "", "The arm this one is compared with."),
    Column("seeds", "int64", "seeds", "In which both arms ended."),
    Column("failed", "int64", "seeds", "In which the arm failed."),
    Column("failed_low", "float64", "", "Lower end of the 95 % Wilson interval of its rate."),
    Column("failed_high", "float64", "", "Upper end."),
    Column("only_arm", "int64", "seeds", "In which the arm failed and the reference did not."),
    Column("only_reference", "int64", "seeds", "The other way round."),
    Column("p_exact", "float64", "", "McNemar's exact test; NaN under 3 seeds."),
    Column("p", "float64", "", "Its mid-p."),
    Column("p_holm", "float64", "", "The exact one, over the arms it can tell at 2 % (Tarone)."),
    Column("verdict", "str", "", "fails more, fails less, inconclusive, or too few to tell."),
)

RANKS = (
    Column("arm", "str", "", "Set of tricks with its settings."),
    Column("rank", "int64", "", "By its mean; 1 is best."),
    Column("rank_low", "int64", "", "Best rank that the data allow, all arms at once (95 %)."),
    Column("rank_high", "int64", "", "Worst such rank."),
)

METRIC = (
    Column("metric", "str", "", "Name of the metric."),
    Column("scale", "str", "", "`ratio`: logarithms are compared; `difference`: values."),
    Column("higher_is_better", "int64", "", "1 or 0."),
)

ESTIMATE = (
    Column("seeds", "int64", "seeds", "That enter."),
    Column("effect", "float64", "", "Ratio or difference."),
    Column("low", "float64", "", "Lower end of its 95 % t interval, of this effect alone."),
    Column("high", "float64", "", "Upper end."),
    Column("effect_mean", "float64", "", "The same, of logs on the ratio scale."),
    Column("effect_error", "float64", "", "Its standard error."),
    Column("df", "float64", "", "Degrees of freedom of t."),
    Column("t", "float64", "", "Student's t."),
    Column("p", "float64", "", "Two-sided, of this effect alone."),
    Column("p_holm", "float64", "", "The same, adjusted for all effects tested (Holm)."),
    Column("verdict", "str", "", "better, worse, better or worse together, inconclusive, ..."),
    Column("reason", "str", "", "Why, where the verdict alone does not say."),
)

# A main effect is the mean at a factor's level against the mean at its first level; an interaction
# is half of how much one factor's effect changes with the other, as in Box, Hunter and Hunter.
EFFECTS = (
    Column(
        "term", "str", "", "`a`, `a=level`, `a:b`; everything that cannot be told apart by `=`."
    ),
    Column("order", "int64", "", "1: main effect; 2: interaction of two factors."),
    Column("meaning", "str", "", "Where absent arms changed it: `with b off`; else nothing."),
    Column("aliases", "str", "", "The whole group as planned, higher orders too."),
    *METRIC,
    *ESTIMATE,
    Column("variance", "str", "", "guarded, lack of fit, ols, own, few arms, or none."),
    Column("cells", "int64", "trials", "Of arms and seeds that are done."),
    Column("missing", "int64", "trials", "Of arms and seeds that are not."),
    Column("own_sd", "float64", "", "SD over seeds of the effect in a seed with all arms."),
    Column("own_p", "float64", "", "Of t from that SD alone, seeds - 1 degrees of freedom."),
    Column("own_low", "float64", "", "Lower end of the 95 % t interval from that SD alone."),
    Column("own_high", "float64", "", "Upper end."),
    Column("p_varies", "float64", "", "F: own variance against the rest, adjusted (Holm)."),
    Column("varies", "int64", "", "1: the effect varies by seed."),
    Column("may_vary", "int64", "", "1: F alone has p <= 0.2; rely on the wider interval."),
    Column("failed_with", "float64", "trials", "At the level; main effects only."),
    Column("failed_without", "float64", "trials", "At the first level."),
    Column("p_failures", "float64", "", "Failures permuted within seeds, exact; from 3 seeds on."),
    Column("p_failures_holm", "float64", "", "Adjusted over what can be told at 2 % (Tarone)."),
    Column("worst_effect", "float64", "", "Effect if a failure counts as the worst value of all."),
)

HALF_NORMAL = (
    Column("term", "str", "", "Effect of any order, first name of its group."),
    Column("order", "int64", "", "Number of factors in that name."),
    Column("effect", "float64", "", "Ratio or difference."),
    Column("effect_mean", "float64", "", "The same, of logs on the ratio scale."),
    Column("size", "float64", "", "Its absolute value."),
    Column("quantile", "float64", "", "Expected of a half-normal at its rank."),
    Column("margin", "float64", "", "Lenth's margin of error: beyond it an effect stands out."),
    Column("stands_out", "int64", "", "1: beyond the margin. No verdict."),
)

SHARES = (
    Column("factor", "str", "", "Trick or slot."),
    *METRIC,
    *ESTIMATE,
    Column("scheme", "str", "", "exact: all subsets ran; permutations: of the plan."),
    Column("permutations", "int64", "", "Used in the seed that has fewest."),
    Column("seeds_left_out", "int64", "seeds", "In which no order of the tricks is complete."),
    Column("failed_with", "float64", "trials", "Of subsets with the trick."),
    Column("failed_without", "float64", "trials", "Of subsets without it."),
    Column("p_failures", "float64", "", "Failures permuted within seeds, weighed as the shares."),
    Column("p_failures_holm", "float64", "", "Adjusted over what can be told at 2 % (Tarone)."),
    Column("worst_effect", "float64", "", "Share if a failure counts as the worst value of all."),
)
