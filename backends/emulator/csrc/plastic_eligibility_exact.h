/* One synapse of plastic_eligibility.h at a time, with every bound that its weight meets. */

static double NAME(unit_weight)(const Eligibility *el) { return el->coefficient * el->unit; }

/* C one slot on; and of the 2^level last ones the least and the largest. */
static void NAME(append_prefix)(Eligibility *el, int32_t slot, double value) {
    el->prefix[slot] = el->least[0][slot] = el->most[0][slot] = value;
    for (int level = 1; level < RANGE_LEVELS && slot + 1 >= 1 << level; level++) {
        int32_t other = slot - (1 << (level - 1));
        double a = el->least[level - 1][slot], b = el->least[level - 1][other];
        double c = el->most[level - 1][slot], d = el->most[level - 1][other];
        el->least[level][slot] = a < b ? a : b;
        el->most[level][slot] = c > d ? c : d;
    }
}

static inline void NAME(range_of)(const Eligibility *el, int32_t from, int32_t to, double *least, double *most) {
    const int level = 31 - __builtin_clz((unsigned)(to - from + 1));
    int32_t other = from + (1 << level) - 1;
    double a = el->least[level][to], b = el->least[level][other], c = el->most[level][to], d = el->most[level][other];
    *least = a < b ? a : b;
    *most = c > d ? c : d;
}

/* A weight that follows `slope` times C, within the bounds. */
static double NAME(rewarded_stretch)(const Plastic *p, double weight, double slope, int32_t from, int32_t to) {
    const Eligibility *el = &p->eligibility;
    const double *c = el->prefix, low = p->w_min, high = p->w_max;
    double least, most;
    if (from == to) return weight;
    NAME(range_of)(el, from, to, &least, &most);
    if (!(fabs(slope) * (most - least) < high - low)) { /* both bounds are within reach */
        for (int32_t r = from; r < to; r++) weight = NAME(within)(fma(slope, c[r + 1] - c[r], weight), low, high);
        return weight;
    }
    double bottom = fma(slope, (slope < 0.0 ? most : least) - c[from], weight);
    double top = fma(slope, (slope < 0.0 ? least : most) - c[from], weight);
    double end = fma(slope, c[to] - c[from], weight);
    if (bottom < low) end += low - bottom;
    if (top > high) end -= top - high;
    return NAME(within)(end, low, high);
}

/* One synapse of a row, with every bound on the way, up to slot n; `stored` becomes the tag's. */
static double NAME(rewarded_exact)(const Plastic *p, const RewardedRow *row, int64_t j, double weight, double *stored,
                                   int32_t n) {
    const Eligibility *el = &p->eligibility;
    const int32_t ups = p->separable.ups, begin = row->slice * SLICE;
    const double *c = el->prefix, unit = NAME(unit_weight)(el);
    double e = *stored;
    int32_t count = 0, *order = p->order, at = row->start;
    for (int32_t k = p->log.newest[j]; k >= 0 && el->spikes[k].slot >= begin; k = el->spikes[k].before) order[count++] = k;
    weight = fma(unit * e, c[at] - c[begin], weight);
    for (int32_t k = count; k > 0 && el->spikes[order[k - 1]].slot < at; k--) {
        const Spike *spike = &el->spikes[order[k - 1]];
        for (int32_t q = 0; q < ups; q++)
            weight = fma(unit * row->gain[q] * spike->gain[q], c[at] - c[spike->slot + 1], weight);
    }
    if (at > begin || n > at) weight = NAME(within)(weight, p->w_min, p->w_max);
    while (count--) {
        const Spike *spike = &el->spikes[order[count]];
        if (spike->slot >= at) {
            weight = NAME(rewarded_stretch)(p, weight, unit * e, at, spike->slot + 1);
            at = spike->slot + 1;
        }
        for (int32_t q = 0; q < ups; q++) e = fma(row->gain[q], spike->gain[q], e);
    }
    *stored = e;
    return NAME(rewarded_stretch)(p, weight, unit * e, at, n);
}
