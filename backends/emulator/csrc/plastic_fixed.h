/* What a learning rule does to a row of synapses in the integers of a chip's learning engine. */

static inline int32_t NAME(accumulated)(int32_t value) {
    if (value < -ACCUMULATOR_LIMIT - 1) return -ACCUMULATOR_LIMIT - 1;
    return value > ACCUMULATOR_LIMIT - 1 ? ACCUMULATOR_LIMIT - 1 : value;
}

static inline int32_t NAME(factor_i)(const Factor *factor, int32_t value) {
    value += (int32_t)factor->constant;
    if (factor->is_sign) value = (value > 0) - (value < 0);
    if (value < -factor->limit) return -factor->limit;
    return value > factor->limit - 1 ? factor->limit - 1 : value;
}

/* 32 bits that wrap, as NumPy's. */
static inline int32_t NAME(times_i)(int32_t a, int32_t b) { return (int32_t)((uint32_t)a * (uint32_t)b); }

static inline int32_t NAME(scaled_i)(const Product *product, int32_t value) {
    value = NAME(times_i)(value, product->mantissa) >> product->down;
    return NAME(accumulated)((int32_t)((uint32_t)value << product->up));
}

/* A trace that starts the epoch as `start`, `when` steps into it, for a neuron that spiked at `spike` (0: not). */
static inline int32_t NAME(trace_at_i)(const uint8_t *table, int32_t impulse, int32_t start, int32_t spike, int32_t when) {
    int32_t value = start;
    for (int32_t k = 1; k <= when; k++) {
        value = table[value];
        if (k == spike) value = value + impulse > LARGEST_TRACE ? LARGEST_TRACE : value + impulse;
    }
    return value;
}

static inline int32_t NAME(third_i)(const Product *product, double r) {
    int32_t value = product->sign * (int32_t)r;
    return value > 0 ? value : 0;
}

static inline int32_t NAME(x_at_i)(const Plastic *p, int32_t k, int32_t s, int32_t start, int32_t spike, int32_t when) {
    return NAME(trace_at_i)(p->log.table[k] + (int64_t)s * TRACE_VALUES, p->impulse_now[k], start, spike, when);
}

static int32_t NAME(post_change_i)(const Plastic *p, const Product *product, int64_t e, int32_t s, const int32_t *x_start,
                                   int32_t pre_spike, int32_t weight, int32_t tag) {
    const Log *log = &p->log;
    int32_t value = 1;
    for (int32_t f = 0; f < product->factors; f++) {
        const Factor *factor = &product->factor[f];
        int32_t found;
        switch (factor->variable) {
        case X1: case X2: {
            int32_t k = factor->variable - X1;
            found = NAME(x_at_i)(p, k, s, x_start[k], pre_spike, log->when[e]);
            break;
        }
        case Y1: case Y2: case Y3: found = (int32_t)log->y[factor->variable - Y1][e]; break;
        case WEIGHT: found = weight; break;
        case TAG: found = tag; break;
        default: found = NAME(third_i)(product, log->reward[s * p->reward_width + (p->reward_width > 1 ? log->id[e] : 0)]);
        }
        value = NAME(times_i)(value, NAME(factor_i)(factor, found));
    }
    return NAME(scaled_i)(product, value);
}

static inline int32_t NAME(rounded)(int32_t total, int32_t rounding, int32_t low, int32_t high) {
    int32_t value = (total + rounding) >> FRACTION_BITS;
    if (value < low) return low;
    return value > high ? high : value;
}

static void NAME(post_only_i)(Plastic *p, int64_t at, int64_t e, int32_t s, const int32_t *x_start) {
    int32_t weight = p->weight_i[at], tag = p->has_tag ? p->tag_i[at] : 0;
    int32_t total[2] = {weight * (1 << FRACTION_BITS), tag * (1 << FRACTION_BITS)};
    int touched[2] = {0, 0};
    for (int32_t q = 0; q < p->products; q++) {
        const Product *product = &p->product[q];
        if (product->dependency == ON_POST) {
            int32_t change = NAME(post_change_i)(p, product, e, s, x_start, 0, weight, tag);
            total[product->on_tag] = NAME(accumulated)(total[product->on_tag] + change);
            touched[product->on_tag] = 1;
        }
    }
    int32_t rounding = p->log.rounding[s];
    if (touched[0]) p->weight_i[at] = (int16_t)NAME(rounded)(total[0], rounding, (int32_t)p->w_min, (int32_t)p->w_max);
    if (touched[1]) p->tag_i[at] = (int16_t)NAME(rounded)(total[1], rounding, p->tag_low, p->tag_high);
}

static void NAME(advance_x_i)(const Plastic *p, int32_t s, int32_t *x, int32_t pre_spike) {
    for (int32_t k = 0; k < PRE_TRACES; k++)
        if (p->trace[k].is_used) x[k] = NAME(x_at_i)(p, k, s, x[k], pre_spike, p->epoch);
}

/* total += product, held to the accumulator, for a product with at most one factor that differs between synapses. */
#define ADD_EACH(found)                                                                                                \
    for (int64_t k = 0; k < n; k++) {                                                                                  \
        int32_t value = NAME(times_i)(scalar, NAME(factor_i)(&factor, (int32_t)(found)));                              \
        total[k] = NAME(accumulated)(total[k] + NAME(scaled_i)(&of, value));                                           \
    }

#define ADD_PLAIN(found)                                                                                               \
    for (int64_t k = 0; k < n; k++) {                                                                                  \
        int32_t value = (int32_t)((uint32_t)((found) * by >> down) << up);                                             \
        total[k] = NAME(accumulated)(total[k] + value);                                                                \
    }

/* A product on pre spikes or sweeps at synapses first .. first + n of a row; x: its traces at the time. */
static void NAME(add_row_i)(Plastic *p, const Product *product, int64_t first, int64_t lane, int64_t n, int32_t s,
                            const int32_t *x, int32_t *restrict total) {
    const Log *log = &p->log;
    const int32_t *restrict target = p->pointer ? p->target + first : NULL;
    const int16_t *restrict weight = p->weight_i + first, *restrict tag = p->has_tag ? p->tag_i + first : NULL;
    int32_t scalar = 1, each = 0;
    const Factor *last = NULL;
    for (int32_t f = 0; f < product->factors; f++) { /* wrapping products do not depend on their order */
        const Factor *factor = &product->factor[f];
        if (factor->variable <= X2) {
            scalar = NAME(times_i)(scalar, NAME(factor_i)(factor, x[factor->variable - X1]));
        } else if (factor->variable == REWARD && p->reward_width == 1) {
            scalar = NAME(times_i)(scalar, NAME(factor_i)(factor, NAME(third_i)(product, log->reward[s])));
        } else {
            each += 1, last = factor;
        }
    }
    const Product of = *product;
    if (each == 0 || scalar == 0) {
        int32_t change = NAME(scaled_i)(product, scalar);
        for (int64_t k = 0; change && k < n; k++) total[k] = NAME(accumulated)(total[k] + change);
        return;
    }
    if (each == 1) {
        const Factor factor = *last;
        /* a bare trace, weight or tag is within its limits; where nothing can saturate, one multiplication is left */
        int64_t most = (factor.variable >= WEIGHT ? 257 : 127) * (int64_t)product->mantissa * scalar;
        int is_plain = !factor.is_sign && factor.constant == 0.0 && factor.variable != REWARD;
        most = (most < 0 ? -most : most) + (1ll << product->down);
        if (is_plain && most < 1ll << 31 && most >> product->down << product->up < ACCUMULATOR_LIMIT) {
            const int32_t by = scalar * product->mantissa, down = product->down, up = product->up;
            if (factor.variable == WEIGHT) {
                ADD_PLAIN(weight[k])
                return;
            }
            if (factor.variable == TAG) {
                ADD_PLAIN(tag[k])
                return;
            }
            if (product->dependency == ON_PRE) {
                const uint8_t *restrict y = p->fixed->y_at[factor.variable - Y1] + (target ? 0 : lane);
                if (target) ADD_PLAIN(y[target[k]])
                else ADD_PLAIN(y[k])
                return;
            }
        }
        if (factor.variable == WEIGHT) {
            ADD_EACH(weight[k])
            return;
        }
        if (factor.variable == TAG) {
            ADD_EACH(tag[k])
            return;
        }
        if (factor.variable != REWARD && product->dependency == ON_PRE) {
            const uint8_t *restrict y = p->fixed->y_at[factor.variable - Y1] + (target ? 0 : lane);
            if (target) ADD_EACH(y[target[k]])
            else ADD_EACH(y[k])
            return;
        }
    }
    int32_t *restrict value = p->value_i;
    for (int64_t k = 0; k < n; k++) value[k] = scalar;
    for (int32_t f = 0; f < product->factors; f++) {
        const Factor factor = product->factor[f];
        if (factor.variable == WEIGHT || factor.variable == TAG) {
            const int16_t *restrict from = factor.variable == WEIGHT ? weight : tag;
            for (int64_t k = 0; k < n; k++) value[k] = NAME(times_i)(value[k], NAME(factor_i)(&factor, from[k]));
        } else if (factor.variable == REWARD && p->reward_width > 1) {
            const double *from = log->reward + (int64_t)s * p->reward_width;
            for (int64_t k = 0; k < n; k++) {
                int32_t third = NAME(third_i)(product, from[target ? target[k] : lane + k]);
                value[k] = NAME(times_i)(value[k], NAME(factor_i)(&factor, third));
            }
        } else if (factor.variable >= Y1 && factor.variable <= Y3 && product->dependency == ON_PRE) {
            const uint8_t *from = p->fixed->y_at[factor.variable - Y1];
            for (int64_t k = 0; k < n; k++)
                value[k] = NAME(times_i)(value[k], NAME(factor_i)(&factor, from[target ? target[k] : lane + k]));
        } else if (factor.variable >= Y1 && factor.variable <= Y3) {
            const double *from = log->y_end[factor.variable - Y1] + (int64_t)s * p->posts;
            for (int64_t k = 0; k < n; k++)
                value[k] = NAME(times_i)(value[k], NAME(factor_i)(&factor, (int32_t)from[target ? target[k] : lane + k]));
        }
    }
    for (int64_t k = 0; k < n; k++) total[k] = NAME(accumulated)(total[k] + NAME(scaled_i)(&of, value[k]));
}
#undef ADD_EACH
#undef ADD_PLAIN

/* A product on post spikes: those neurons of the slot that the synapses lane .. lane + n of a row reach. */
static void NAME(add_spikes_i)(Plastic *p, const Product *product, int64_t first, int64_t lane, int64_t n, int32_t s,
                               int32_t pre_spike, const int32_t *x_start, int32_t *total) {
    const Log *log = &p->log;
    const int32_t *target = p->pointer ? p->target + first : NULL;
    const int16_t *weight = p->weight_i + first, *tag = p->has_tag ? p->tag_i + first : NULL;
    for (int64_t e = log->begin[s]; e < log->begin[s + 1]; e++) {
        int32_t j = log->id[e];
        int64_t k = (target ? p->place[j] : j) - lane;
        if (k < 0 || k >= n || (target && target[k] != j)) continue;
        int32_t change = NAME(post_change_i)(p, product, e, s, x_start, pre_spike, weight[k], tag ? tag[k] : 0);
        total[k] = NAME(accumulated)(total[k] + change);
    }
}

/* One epoch of the synapses from .. to of a row, with all that a rule can say. */
static void NAME(part_i)(Plastic *p, int64_t i, int64_t from, int64_t to, int32_t s, int32_t pre_spike,
                         const int32_t *x_start) {
    const Log *log = &p->log;
    const int64_t first = (p->pointer ? p->pointer[i] : i * p->posts) + from, n = to - from;
    int16_t *restrict weight = p->weight_i + first, *restrict tag = p->has_tag ? p->tag_i + first : NULL;
    int64_t epoch = log->first + 1 + s;
    int32_t *totals[2] = {p->total_weight, p->total_tag}, due[2] = {0, 0}, on_tag = 0, x[2][PRE_TRACES] = {{0}};
    for (int32_t k = 0; k < PRE_TRACES; k++) {
        if (!p->trace[k].is_used) continue;
        x[1][k] = NAME(x_at_i)(p, k, s, x_start[k], pre_spike, p->epoch);
        x[0][k] = pre_spike == p->epoch ? x[1][k] : NAME(x_at_i)(p, k, s, x_start[k], pre_spike, pre_spike);
    }
    int32_t *restrict total_weight = p->total_weight, *restrict total_tag = p->total_tag;
    for (int64_t k = 0; k < n; k++) total_weight[k] = weight[k] * (1 << FRACTION_BITS);
    if (tag)
        for (int64_t k = 0; k < n; k++) total_tag[k] = tag[k] * (1 << FRACTION_BITS);
    for (int32_t q = 0; q < p->products; q++) {
        const Product *product = &p->product[q];
        int32_t *total = totals[product->on_tag];
        int on_post = product->dependency == ON_POST, on_pre = product->dependency == ON_PRE;
        int now = on_post ? log->begin[s + 1] > log->begin[s] : NAME(is_due)(product, epoch, pre_spike);
        due[product->on_tag] |= now;
        if (now && !on_post) NAME(add_row_i)(p, product, first, from, n, s, x[!on_pre], total);
        else if (now) NAME(add_spikes_i)(p, product, first, from, n, s, pre_spike, x_start, total);
        /* a tag of -257 is more than the accumulator holds, and is cut as soon as anything is added anywhere */
        if (product->on_tag && !on_tag) {
            on_tag = 1;
            for (int64_t k = 0; k < n; k++) {
                int32_t value = total_tag[k];
                total_tag[k] = value < -ACCUMULATOR_LIMIT - 1 ? -ACCUMULATOR_LIMIT - 1 : value;
            }
        }
    }
    const int32_t rounding = log->rounding[s], low = (int32_t)p->w_min, high = (int32_t)p->w_max;
    const int32_t tag_low = p->tag_low, tag_high = p->tag_high;
    if (due[0])
        for (int64_t k = 0; k < n; k++) weight[k] = (int16_t)NAME(rounded)(total_weight[k], rounding, low, high);
    if (on_tag)
        for (int64_t k = 0; k < n; k++) tag[k] = (int16_t)NAME(rounded)(total_tag[k], rounding, tag_low, tag_high);
}

static void NAME(whole_row_i)(Plastic *p, int64_t i, int32_t s, int32_t pre_spike, const int32_t *x_start) {
    int64_t n = p->pointer ? p->pointer[i + 1] - p->pointer[i] : p->posts;
    NAME(part_i)(p, i, 0, n, s, pre_spike, x_start);
}

static void NAME(find_places)(Plastic *p, int64_t i) {
    for (int64_t at = p->pointer ? p->pointer[i] : 0; p->pointer && at < p->pointer[i + 1]; at++)
        p->place[p->target[at]] = (int32_t)(at - p->pointer[i]);
}

#include "plastic_fixed_direct.h"
#include "plastic_fixed_moves.h"

static void NAME(replay_i)(Plastic *p, int64_t i, int32_t start, int32_t stop) {
    Log *log = &p->log;
    int32_t x[PRE_TRACES] = {p->x[0] ? (int32_t)p->x[0][i] : 0, p->x[1] ? (int32_t)p->x[1][i] : 0};
    if (NAME(direct_replay_i)(p, i, start, stop, x) || NAME(moves_replay_i)(p, i, start, stop, x)) {
        ;
    } else if (p->has_sweeps || p->has_tag) {
        NAME(find_places)(p, i);
        for (int32_t s = start; s < stop; s++) {
            NAME(whole_row_i)(p, i, s, 0, x);
            NAME(advance_x_i)(p, s, x, 0);
        }
    } else if (!p->pointer) {
        for (int32_t s = start; s < stop; s++) {
            for (int64_t e = log->begin[s]; e < log->begin[s + 1]; e++)
                NAME(post_only_i)(p, i * p->posts + log->id[e], e, s, x);
            NAME(advance_x_i)(p, s, x, 0);
        }
    } else {
        for (int32_t s = start; s < stop; s++) {
            for (int32_t k = 0; k < PRE_TRACES; k++) p->row_x[k][s] = x[k];
            NAME(advance_x_i)(p, s, x, 0);
        }
        for (int64_t at = p->pointer[i]; at < p->pointer[i + 1]; at++) {
            int32_t count = 0;
            for (int32_t e = log->newest[p->target[at]]; e >= 0 && log->slot[e] >= start; e = log->before[e])
                p->order[count++] = e;
            while (count--) {
                int32_t e = p->order[count], s = log->slot[e];
                int32_t x_start[PRE_TRACES] = {(int32_t)p->row_x[0][s], (int32_t)p->row_x[1][s]};
                NAME(post_only_i)(p, at, e, s, x_start);
            }
        }
    }
    for (int32_t k = 0; k < PRE_TRACES; k++)
        if (p->x[k]) p->x[k][i] = x[k];
}
