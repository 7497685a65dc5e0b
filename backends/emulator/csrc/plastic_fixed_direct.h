/* Fixed point: rules whose changes depend on neither weight nor tag and that have no tag, most kinds of STDP.

   What an epoch adds to a weight is then one whole number for all synapses with the same traces: w + ((change + rounding)
   >> 7), clipped. The accumulator's limits lie beyond those of weights, so they can only be seen where products pull to
   both sides; such rules take the general way. */

/* A product where all factors but those that read `variable` are in `scalar`: by the values from, from + 1, .. of it. */
static void NAME(values_i)(const Product *product, int32_t variable, int32_t from, int32_t count, int32_t scalar,
                           int32_t *restrict values) {
    for (int32_t k = 0; k < count; k++) values[k] = scalar;
    for (int32_t f = 0; f < product->factors; f++) {
        const Factor factor = product->factor[f];
        if (factor.variable != variable) continue;
        for (int32_t k = 0; k < count; k++) values[k] = NAME(times_i)(values[k], NAME(factor_i)(&factor, from + k));
    }
    const Product of = *product;
    for (int32_t k = 0; k < count; k++) values[k] = NAME(scaled_i)(&of, values[k]);
}

/* Factors of a product that are the same for a whole row; x: traces at the time. */
static int32_t NAME(row_scalar)(const Plastic *p, const Product *product, int32_t s, const int32_t *x) {
    int32_t scalar = 1;
    for (int32_t f = 0; f < product->factors; f++) {
        const Factor *factor = &product->factor[f];
        if (factor->variable <= X2) {
            scalar = NAME(times_i)(scalar, NAME(factor_i)(factor, x[factor->variable - X1]));
        } else if (factor->variable == REWARD && p->reward_width == 1) {
            scalar = NAME(times_i)(scalar, NAME(factor_i)(factor, NAME(third_i)(product, p->log.reward[s])));
        }
    }
    return scalar;
}

/* Sums of the products of a dependency by the one trace that they read. Returns whether some pull to both sides. */
static int NAME(sums_i)(const Plastic *p, int32_t dependency, int32_t by, int32_t s, const int32_t *x, int32_t *sums) {
    int32_t values[TRACE_VALUES], sides[TRACE_VALUES], mixed = 0;
    memset(sums, 0, TRACE_VALUES * sizeof *sums);
    memset(sides, 0, sizeof sides);
    for (int32_t q = 0; q < p->products; q++) {
        const Product *product = &p->product[q];
        if (product->dependency != dependency) continue;
        int32_t scalar = dependency == ON_PRE ? NAME(row_scalar)(p, product, s, x) : 1;
        NAME(values_i)(product, by, 0, TRACE_VALUES, scalar, values);
        for (int32_t k = 0; k < TRACE_VALUES; k++) {
            sums[k] += values[k];
            sides[k] |= (values[k] > 0) | (values[k] < 0) << 1;
        }
    }
    for (int32_t k = 0; k < TRACE_VALUES; k++) mixed |= sides[k] == 3;
    return mixed;
}

static void NAME(prepare_direct)(Plastic *p) {
    Fixed *f = p->fixed;
    if (f->is_prepared) return;
    f->is_prepared = 1;
    if (f->post_by != BY_OTHER && NAME(sums_i)(p, ON_POST, f->post_by, 0, NULL, f->post_value)) f->post_by = BY_OTHER;
}

static inline int32_t NAME(whole_change)(int32_t value, int32_t rounding) {
    int32_t change = (value + rounding) >> FRACTION_BITS;
    return change < -512 ? -512 : change > 512 ? 512 : change; /* all that a weight can move */
}

/* Slots in which spikes of postsynaptic neurons change a silent row, and its traces after all of them. */
static int32_t NAME(changes_i)(Plastic *p, int32_t start, int32_t stop, int32_t *x, int32_t *least, int32_t *most) {
    const Log *log = &p->log;
    Fixed *f = p->fixed;
    const int32_t *restrict rounding = log->rounding, *restrict value = f->post_value;
    int32_t *restrict slots = f->slots, count = 0;
    int16_t *restrict changes = f->changes;
    for (int32_t k = 0; k < PRE_TRACES; k++) {
        if (!p->trace[k].is_used || k == f->post_by - X1) continue;
        const uint8_t *table = log->table[k];
        for (int32_t s = start; s < stop && x[k]; s++) x[k] = table[s * TRACE_VALUES + x[k]]; /* 0 stays 0 */
    }
    int32_t by = f->post_by, at = by == BY_NONE ? 0 : x[by - X1];
    const uint8_t *table = by == BY_NONE ? NULL : log->table[by - X1];
    for (int32_t s = start; s < stop; s++) {
        if (at == 0 && value[0] == 0) break;
        if (table) at = table[s * TRACE_VALUES + at];
        int32_t change = NAME(whole_change)(value[at], rounding[s]);
        slots[count] = s, changes[count] = (int16_t)change;
        count += change != 0;
    }
    if (table) x[by - X1] = at;
    int16_t low = 0, high = 0;
    for (int32_t c = 0; c < count; c++) {
        low = changes[c] < low ? changes[c] : low;
        high = changes[c] > high ? changes[c] : high;
    }
    *least = low, *most = high;
    return count;
}

/* Sparse rows: how often each synapse's neuron spiked in the slots of a word, weighed with the bits of the changes. */
static void NAME(count_spikes)(const uint64_t *restrict history, const int32_t *restrict target, int64_t n,
                               const uint64_t *planes, int32_t count, int16_t *restrict sum) {
    const uint64_t a = planes[0], b = planes[1], c = planes[2];
    if (count <= 1) {
        for (int64_t k = 0; k < n; k++) sum[k] += (int16_t)__builtin_popcountll(history[target[k]] & a);
    } else if (count == 2) {
        for (int64_t k = 0; k < n; k++) {
            uint64_t spikes = history[target[k]];
            sum[k] += (int16_t)(__builtin_popcountll(spikes & a) + 2 * __builtin_popcountll(spikes & b));
        }
    } else {
        for (int64_t k = 0; k < n; k++) {
            uint64_t spikes = history[target[k]];
            sum[k] += (int16_t)(__builtin_popcountll(spikes & a) + 2 * __builtin_popcountll(spikes & b) +
                                4 * __builtin_popcountll(spikes & c));
        }
    }
}

static void NAME(replay_sparse)(Plastic *p, int64_t i, int32_t count, int32_t least, int32_t most) {
    Fixed *f = p->fixed;
    const int64_t first = p->pointer[i], n = p->pointer[i + 1] - first;
    const int32_t *restrict target = p->target + first, *slots = f->slots;
    int16_t *restrict weight = p->weight_i + first, *restrict sum = f->kept;
    const int16_t *changes = f->changes;
    const int32_t low = (int32_t)p->w_min, high = (int32_t)p->w_max;
    int is_sum = (least >= 0 && most < 8) || (most <= 0 && least > -8); /* all to one side: clipping may wait */
    if (is_sum) memset(sum, 0, (size_t)n * sizeof *sum);
    for (int32_t c = 0; c < count;) {
        int32_t word = slots[c] >> 6, stop = c;
        const uint64_t *restrict history = f->history + word * p->posts;
        uint64_t planes[3] = {0, 0, 0}, any = 0;
        int16_t by_bit[64];
        for (; stop < count && slots[stop] >> 6 == word; stop++) {
            uint64_t size = (uint64_t)(changes[stop] < 0 ? -changes[stop] : changes[stop]);
            int32_t bit = slots[stop] & 63;
            for (int b = 0; b < 3; b++) planes[b] |= (size >> b & 1) << bit;
            any |= 1ull << bit;
            by_bit[bit] = changes[stop];
        }
        c = stop;
        if (is_sum) {
            NAME(count_spikes)(history, target, n, planes, planes[2] ? 3 : planes[1] ? 2 : 1, sum);
            continue;
        }
        for (int64_t k = 0; k < n; k++) {
            uint64_t spikes = history[target[k]] & any;
            int32_t value = weight[k];
            for (; spikes; spikes &= spikes - 1) {
                value += by_bit[__builtin_ctzll(spikes)];
                value = value < low ? low : value > high ? high : value;
            }
            weight[k] = (int16_t)value;
        }
    }
    if (!is_sum) return;
    int16_t sign = least < 0 ? -1 : 1, lowest = (int16_t)low, highest = (int16_t)high;
    for (int64_t k = 0; k < n; k++) {
        int16_t value = (int16_t)(weight[k] + sign * sum[k]);
        value = value < lowest ? lowest : value;
        weight[k] = value > highest ? highest : value;
    }
}

#include "plastic_fixed_blocks.h"

static void NAME(replay_dense)(Plastic *p, int64_t i, int32_t count, int32_t least, int32_t most) {
    const Log *log = &p->log;
    Fixed *f = p->fixed;
    int16_t *restrict weight = p->weight_i + i * p->posts;
    const int32_t low = (int32_t)p->w_min, high = (int32_t)p->w_max;
    if (NAME(add_in_blocks)(p, weight, count, least, most)) return;
    for (int32_t c = 0; c < count; c++) {
        int32_t s = f->slots[c], change = f->changes[c];
        const int64_t end = log->begin[s + 1];
        const int32_t *restrict id = log->id;
        for (int64_t e = log->begin[s]; e < end; e++) {
            int32_t value = weight[id[e]] + change;
            value = value < low ? low : value;
            weight[id[e]] = (int16_t)(value > high ? high : value);
        }
    }
}

/* A silent row; returns 0 where the rule is of another kind. */
static int NAME(direct_replay_i)(Plastic *p, int64_t i, int32_t start, int32_t stop, int32_t *x) {
    if (p->fixed->post_by == BY_OTHER) return 0;
    int32_t least, most, count = NAME(changes_i)(p, start, stop, x, &least, &most);
    if (count && p->pointer) NAME(replay_sparse)(p, i, count, least, most);
    else if (count) NAME(replay_dense)(p, i, count, least, most);
    return 1;
}

/* One synapse in an epoch in which both neurons spiked; e: the entry of the postsynaptic one. */
static int16_t NAME(both_i)(const Plastic *p, int64_t e, int32_t s, int32_t when, const int32_t *x_start,
                            const int32_t *x, int32_t weight) {
    const Fixed *f = p->fixed;
    int32_t total = weight * (1 << FRACTION_BITS), j = p->log.id[e];
    int32_t low = (int32_t)p->w_min, high = (int32_t)p->w_max;
    if (f->is_pair && f->post_by != BY_OTHER) {
        int32_t pre = f->pre_value[f->pre_by == BY_NONE ? 0 : f->y_at[f->pre_by - Y1][j]];
        int32_t post = f->post_value[f->post_by == BY_NONE ? 0 : x[f->post_by - X1]];
        total = NAME(accumulated)(total + (f->pre_first ? pre : post));
        total = NAME(accumulated)(total + (f->pre_first ? post : pre));
        return (int16_t)NAME(rounded)(total, p->log.rounding[s], low, high);
    }
    for (int32_t q = 0; q < p->products; q++) {
        const Product *product = &p->product[q];
        int32_t change;
        if (product->dependency == ON_PRE) {
            change = NAME(row_scalar)(p, product, s, x);
            for (int32_t k = 0; k < product->factors; k++)
                if (product->factor[k].variable >= Y1 && product->factor[k].variable <= Y3)
                    change = NAME(times_i)(change, NAME(factor_i)(&product->factor[k], f->y_at[f->pre_by - Y1][j]));
            change = NAME(scaled_i)(product, change);
        } else {
            change = NAME(post_change_i)(p, product, e, s, x_start, when, weight, 0);
        }
        total = NAME(accumulated)(total + change);
    }
    return (int16_t)NAME(rounded)(total, p->log.rounding[s], low, high);
}

/* A row whose neuron spiked, in the newest slot; returns 0 where the rule is of another kind. */
static int NAME(direct_row_i)(Plastic *p, int64_t i, int32_t s, int32_t when, const int32_t *x_start) {
    Fixed *f = p->fixed;
    if (f->pre_by == BY_OTHER) return 0;
    const Log *log = &p->log;
    const int16_t low = (int16_t)p->w_min, high = (int16_t)p->w_max;
    const uint8_t *restrict y = f->pre_by == BY_NONE ? NULL : f->y_at[f->pre_by - Y1];
    int is_made = f->pre_is_shared && f->shared_epoch == p->epochs && f->shared_when == when;
    int16_t *restrict change = f->change;
    int32_t x[PRE_TRACES];
    for (int32_t k = 0; k < PRE_TRACES; k++)
        x[k] = p->trace[k].is_used ? NAME(x_at_i)(p, k, s, x_start[k], when, when) : 0;
    if (!is_made) {
        f->shared_epoch = p->epochs, f->shared_when = when;
        f->pre_is_mixed = NAME(sums_i)(p, ON_PRE, f->pre_by, s, x, f->pre_value);
        for (int32_t v = 0; v < TRACE_VALUES; v++)
            f->pre_change[v] = (int16_t)NAME(whole_change)(f->pre_value[v], log->rounding[s]);
        if (f->pre_is_shared || !p->pointer) {
            for (int64_t j = 0; j < p->posts; j++) change[j] = f->pre_change[y ? y[j] : 0];
            if (p->pointer)
                for (int64_t e = log->begin[s]; e < log->begin[s + 1]; e++) change[log->id[e]] = FIRED;
        }
    }
    if (f->pre_is_mixed) return 0;
    if (!p->pointer) {
        int16_t *restrict weight = p->weight_i + i * p->posts, *restrict kept = f->kept;
        const int32_t *restrict id = log->id + log->begin[s];
        const int64_t both = log->begin[s + 1] - log->begin[s], n = p->posts;
        for (int64_t e = 0; e < both; e++) kept[e] = weight[id[e]];
        for (int64_t k = 0; k < n; k++) {
            int16_t value = (int16_t)(weight[k] + change[k]);
            value = value < low ? low : value;
            weight[k] = value > high ? high : value;
        }
        for (int64_t e = 0; e < both; e++)
            weight[id[e]] = NAME(both_i)(p, log->begin[s] + e, s, when, x_start, x, kept[e]);
        return 1;
    }
    const int64_t first = p->pointer[i], n = p->pointer[i + 1] - first;
    const int32_t *restrict target = p->target + first;
    int16_t *restrict weight = p->weight_i + first;
    for (int64_t k = 0; k < n; k++) {
        int32_t j = target[k], added;
        if (f->pre_is_shared) added = change[j];
        else added = log->newest[j] >= log->begin[s] ? FIRED : f->pre_change[y ? y[j] : 0];
        if (added == FIRED) {
            weight[k] = NAME(both_i)(p, log->newest[j], s, when, x_start, x, weight[k]);
        } else {
            int32_t value = weight[k] + added;
            value = value < low ? low : value;
            weight[k] = (int16_t)(value > high ? high : value);
        }
    }
    return 1;
}
