/* What a learning rule does to a row of synapses, in float64: the operations of the reference in its order. */

static double NAME(trace_at)(const Trace *trace, double start, int32_t spike, int32_t when) {
    double value = trace->powers[when] * start;
    if (spike > 0 && spike <= when) {
        if (trace->kind == NEAREST) value = 0.0;
        value += trace->impulse * trace->powers[when - spike];
    }
    return value;
}

static inline double NAME(factor_value)(const Factor *factor, double value) {
    if (factor->constant != 0.0) value = value + factor->constant;
    if (factor->is_sign == 1) value = value != value ? value : (double)((value > 0.0) - (value < 0.0));
    if (factor->is_sign == 2) value = value < 0.0 ? 0.0 : value; /* in this form NaN stays */
    return value;
}

/* values *= factor, for a factor with one number for each synapse of the row. */
static void NAME(times_vector)(double *restrict values, const Factor *factor, const double *restrict of, int64_t n) {
    if (factor->is_sign) {
        for (int64_t k = 0; k < n; k++) values[k] *= NAME(factor_value)(factor, of[k]);
    } else if (factor->constant != 0.0) {
        double constant = factor->constant;
        for (int64_t k = 0; k < n; k++) values[k] *= of[k] + constant;
    } else {
        for (int64_t k = 0; k < n; k++) values[k] *= of[k];
    }
}

static void NAME(clip)(double *restrict values, int64_t n, double low, double high) {
    for (int64_t k = 0; k < n; k++) {
        double value = values[k] < low ? low : values[k]; /* in this form NaN stays */
        values[k] = value > high ? high : value;
    }
}

/* Within 1 .. d_max; what is no number becomes 1, since spikes must arrive. */
static void NAME(clip_delays)(double *restrict values, int64_t n, double d_max) {
    for (int64_t k = 0; k < n; k++) {
        double value = values[k] > 1.0 ? values[k] : 1.0;
        values[k] = value < d_max ? value : d_max;
    }
}

/* The change that a product brings to one synapse whose postsynaptic neuron spiked: entry e of slot s. */
static double NAME(post_change)(const Plastic *p, const Product *product, int64_t e, int32_t s, const double *x_start,
                                int32_t pre_spike, double weight, double tag, double delay) {
    const Log *log = &p->log;
    double value = product->coefficient;
    for (int32_t f = 0; f < product->factors; f++) {
        const Factor *factor = &product->factor[f];
        double found = 0.0;
        switch (factor->variable) {
        case X1: case X2: {
            int32_t k = factor->variable - X1;
            found = NAME(trace_at)(&p->trace[k], x_start[k], pre_spike, log->when[e]);
            break;
        }
        case Y1: case Y2: case Y3: found = log->y[factor->variable - Y1][e]; break;
        case WEIGHT: found = weight; break;
        case TAG: found = tag; break;
        case DELAY: found = delay; break;
        default: found = log->reward[s * p->reward_width + (p->reward_width > 1 ? log->id[e] : 0)];
        }
        value *= NAME(factor_value)(factor, found);
    }
    return value;
}

/* All targets of one synapse in an epoch in which nothing but its postsynaptic neuron spiked. */
static void NAME(post_only)(Plastic *p, int64_t at, int64_t e, int32_t s, const double *x_start) {
    double weight = p->weight[at], tag = p->has_tag ? p->tag[at] : 0.0;
    double delay = p->delay ? p->delay[at] : 0.0, new_weight = weight, new_tag = tag, new_delay = delay;
    for (int32_t q = 0; q < p->products; q++) {
        const Product *product = &p->product[q];
        if (product->dependency != ON_POST) continue;
        double change = NAME(post_change)(p, product, e, s, x_start, 0, weight, tag, delay);
        if (product->on_tag == ON_WEIGHT) new_weight += change;
        else if (product->on_tag == ON_TAG) new_tag += change;
        else new_delay += change;
    }
    new_weight = new_weight < p->w_min ? p->w_min : new_weight;
    p->weight[at] = new_weight > p->w_max ? p->w_max : new_weight;
    if (p->has_tag) p->tag[at] = new_tag;
    if (p->delay) NAME(clip_delays)(&new_delay, 1, p->d_max), p->delay[at] = new_delay;
}

static void NAME(advance_x)(const Plastic *p, double *x, int32_t pre_spike) {
    for (int32_t k = 0; k < PRE_TRACES; k++)
        if (p->trace[k].is_used) x[k] = NAME(trace_at)(&p->trace[k], x[k], pre_spike, p->epoch);
}

static int NAME(is_due)(const Product *product, int64_t epoch, int32_t pre_spike) {
    if (product->dependency == ON_PRE) return pre_spike > 0;
    return product->dependency >= 0 && epoch % ((int64_t)1 << product->dependency) == 0;
}

/* One epoch of a whole row, with all that a rule can say. */
static void NAME(whole_row)(Plastic *p, int64_t i, int32_t s, int32_t pre_spike, const double *x_start) {
    Log *log = &p->log;
    int64_t first = p->pointer ? p->pointer[i] : i * p->posts, n = p->pointer ? p->pointer[i + 1] - first : p->posts;
    const int32_t *target = p->pointer ? p->target + first : NULL;
    double *weight = p->weight + first, *tag = p->has_tag ? p->tag + first : NULL;
    double *delay = p->delay ? p->delay + first : NULL;
    int64_t epoch = log->first + 1 + s;
    memcpy(p->new_weight, weight, (size_t)n * sizeof(double));
    if (tag) memcpy(p->new_tag, tag, (size_t)n * sizeof(double));
    if (delay) memcpy(p->new_delay, delay, (size_t)n * sizeof(double));
    int y_is_ready[2] = {0, 0}; /* for x0, for u */
    for (int32_t q = 0; q < p->products; q++) {
        const Product *product = &p->product[q];
        double *into = product->on_tag == ON_WEIGHT ? p->new_weight : product->on_tag == ON_TAG ? p->new_tag : p->new_delay;
        if (product->dependency == ON_POST) {
            for (int64_t e = log->begin[s]; e < log->begin[s + 1]; e++) {
                int64_t k = log->id[e];
                if (target) {
                    int32_t j = (int32_t)k;
                    k = p->place[j];
                    if (k >= n || target[k] != j) continue;
                }
                into[k] += NAME(post_change)(p, product, e, s, x_start, pre_spike, weight[k], tag ? tag[k] : 0.0,
                                             delay ? delay[k] : 0.0);
            }
            continue;
        }
        if (!NAME(is_due)(product, epoch, pre_spike)) continue;
        int32_t on_pre = product->dependency == ON_PRE, when = on_pre ? pre_spike : p->epoch;
        double scalar = product->coefficient;
        int32_t f = 0;
        for (; f < product->factors && product->factor[f].variable <= X2; f++) {
            int32_t k = product->factor[f].variable - X1;
            scalar *= NAME(factor_value)(&product->factor[f], NAME(trace_at)(&p->trace[k], x_start[k], pre_spike, when));
        }
        double *value = p->value;
        for (int64_t k = 0; k < n; k++) value[k] = scalar;
        for (; f < product->factors; f++) {
            const Factor *factor = &product->factor[f];
            const double *of;
            if (factor->variable == WEIGHT) of = weight;
            else if (factor->variable == TAG) of = tag;
            else if (factor->variable == DELAY) of = delay;
            else if (factor->variable == REWARD) {
                of = log->reward + (int64_t)s * p->reward_width;
                if (p->reward_width == 1) {
                    double r = NAME(factor_value)(factor, of[0]);
                    for (int64_t k = 0; k < n; k++) value[k] *= r;
                    continue;
                }
                if (target) {
                    for (int64_t k = 0; k < n; k++) value[k] *= NAME(factor_value)(factor, of[target[k]]);
                    continue;
                }
            } else {
                int32_t y = factor->variable - Y1;
                if (y_is_ready[!on_pre] == 0) {
                    y_is_ready[!on_pre] = 1, y_is_ready[on_pre] = 0;
                    for (int32_t t = 0; t < POST_TRACES; t++) {
                        const Trace *trace = &p->trace[PRE_TRACES + t];
                        if (!trace->is_used) continue;
                        double *row = p->row_y[t];
                        if (!on_pre) {
                            const double *end = log->y_end[t] + (int64_t)s * p->posts;
                            for (int64_t k = 0; k < n; k++) row[k] = end[target ? target[k] : k];
                        } else {
                            const double *at = p->y_at[t]; /* all postsynaptic neurons at the step of this spike */
                            for (int64_t k = 0; k < n; k++) row[k] = at[target ? target[k] : k];
                        }
                    }
                }
                of = p->row_y[y];
            }
            NAME(times_vector)(value, factor, of, n);
        }
        for (int64_t k = 0; k < n; k++) into[k] += value[k];
    }
    NAME(clip)(p->new_weight, n, p->w_min, p->w_max);
    memcpy(weight, p->new_weight, (size_t)n * sizeof(double));
    if (tag) memcpy(tag, p->new_tag, (size_t)n * sizeof(double));
    if (delay) {
        NAME(clip_delays)(p->new_delay, n, p->d_max);
        memcpy(delay, p->new_delay, (size_t)n * sizeof(double));
    }
}

#include "plastic_direct.h"

/* Bring a row that was silent since then up to the end of slot `stop`, exclusive. */
static void NAME(replay)(Plastic *p, int64_t i, int32_t start, int32_t stop) {
    Log *log = &p->log;
    double x[PRE_TRACES] = {p->x[0] ? p->x[0][i] : 0.0, p->x[1] ? p->x[1][i] : 0.0};
    if (p->has_sweeps) {
        if (p->pointer)
            for (int64_t k = p->pointer[i]; k < p->pointer[i + 1]; k++)
                p->place[p->target[k]] = (int32_t)(k - p->pointer[i]);
        for (int32_t s = start; s < stop; s++) {
            NAME(whole_row)(p, i, s, 0, x);
            NAME(advance_x)(p, x, 0);
        }
    } else if (!p->pointer && p->is_direct) {
        for (int32_t s = start; s < stop; s++) {
            NAME(direct_slot)(p, p->weight + i * p->posts, s, x);
            NAME(advance_x)(p, x, 0);
        }
    } else if (!p->pointer) {
        for (int32_t s = start; s < stop; s++) {
            for (int64_t e = log->begin[s]; e < log->begin[s + 1]; e++)
                NAME(post_only)(p, i * p->posts + log->id[e], e, s, x);
            NAME(advance_x)(p, x, 0);
        }
    } else {
        for (int32_t s = start; s < stop; s++) {
            for (int32_t k = 0; k < PRE_TRACES; k++) p->row_x[k][s] = x[k];
            NAME(advance_x)(p, x, 0);
        }
        for (int64_t at = p->pointer[i]; at < p->pointer[i + 1]; at++) {
            int32_t count = 0;
            for (int32_t e = log->newest[p->target[at]]; e >= 0 && log->slot[e] >= start; e = log->before[e])
                p->order[count++] = e;
            while (count--) {
                int32_t e = p->order[count], s = log->slot[e];
                double x_start[PRE_TRACES] = {p->row_x[0][s], p->row_x[1][s]};
                NAME(post_only)(p, at, e, s, x_start);
            }
        }
    }
    for (int32_t k = 0; k < PRE_TRACES; k++)
        if (p->x[k]) p->x[k][i] = x[k];
}
