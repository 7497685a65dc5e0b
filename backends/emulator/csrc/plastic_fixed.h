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

/* Adds a product to all synapses of a row that it reaches. */
static void NAME(add_row_i)(Plastic *p, const Product *product, int64_t first, int64_t n, int32_t s, int32_t pre_spike,
                            const int32_t *x_start, int32_t *total) {
    Log *log = &p->log;
    const int32_t *target = p->pointer ? p->target + first : NULL;
    const int16_t *weight = p->weight_i + first, *tag = p->has_tag ? p->tag_i + first : NULL;
    if (product->dependency == ON_POST) {
        for (int64_t e = log->begin[s]; e < log->begin[s + 1]; e++) {
            int64_t k = log->id[e];
            if (target) {
                int32_t j = (int32_t)k;
                k = p->place[j];
                if (k >= n || target[k] != j) continue;
            }
            total[k] += NAME(post_change_i)(p, product, e, s, x_start, pre_spike, weight[k], tag ? tag[k] : 0);
        }
        return;
    }
    int32_t on_pre = product->dependency == ON_PRE, when = on_pre ? pre_spike : p->epoch;
    int32_t scalar = 1;
    for (int32_t f = 0; f < product->factors; f++) { /* wrapping products do not depend on their order */
        const Factor *factor = &product->factor[f];
        if (factor->variable <= X2) {
            int32_t k = factor->variable - X1;
            scalar = NAME(times_i)(scalar, NAME(factor_i)(factor, NAME(x_at_i)(p, k, s, x_start[k], pre_spike, when)));
        } else if (factor->variable == REWARD && p->reward_width == 1) {
            scalar = NAME(times_i)(scalar, NAME(factor_i)(factor, NAME(third_i)(product, log->reward[s])));
        }
    }
    if (scalar == 0) return;
    int32_t *value = p->value_i;
    for (int64_t k = 0; k < n; k++) value[k] = scalar;
    for (int32_t f = 0; f < product->factors; f++) {
        const Factor *factor = &product->factor[f];
        if (factor->variable == WEIGHT || factor->variable == TAG) {
            const int16_t *of = factor->variable == WEIGHT ? weight : tag;
            for (int64_t k = 0; k < n; k++) value[k] = NAME(times_i)(value[k], NAME(factor_i)(factor, of[k]));
        } else if (factor->variable == REWARD && p->reward_width > 1) {
            const double *of = log->reward + (int64_t)s * p->reward_width;
            for (int64_t k = 0; k < n; k++)
                value[k] = NAME(times_i)(value[k], NAME(factor_i)(factor, NAME(third_i)(product, of[target ? target[k] : k])));
        } else if (factor->variable >= Y1 && factor->variable <= Y3) {
            int32_t y = factor->variable - Y1;
            const double *of = on_pre ? p->y_at[y] : log->y_end[y] + (int64_t)s * p->posts;
            for (int64_t k = 0; k < n; k++)
                value[k] = NAME(times_i)(value[k], NAME(factor_i)(factor, (int32_t)of[target ? target[k] : k]));
        }
    }
    for (int64_t k = 0; k < n; k++) total[k] += NAME(scaled_i)(product, value[k]);
}

static void NAME(whole_row_i)(Plastic *p, int64_t i, int32_t s, int32_t pre_spike, const int32_t *x_start) {
    Log *log = &p->log;
    int64_t first = p->pointer ? p->pointer[i] : i * p->posts, n = p->pointer ? p->pointer[i + 1] - first : p->posts;
    int16_t *weight = p->weight_i + first, *tag = p->has_tag ? p->tag_i + first : NULL;
    int64_t epoch = log->first + 1 + s;
    int32_t *totals[2] = {p->total_weight, p->total_tag};
    for (int64_t k = 0; k < n; k++) totals[0][k] = weight[k] * (1 << FRACTION_BITS);
    if (tag) for (int64_t k = 0; k < n; k++) totals[1][k] = tag[k] * (1 << FRACTION_BITS);
    int on_tag = 0;
    for (int32_t q = 0; q < p->products; q++) {
        const Product *product = &p->product[q];
        int32_t *total = totals[product->on_tag];
        int due = product->dependency == ON_POST || NAME(is_due)(product, epoch, pre_spike);
        on_tag |= product->on_tag;
        if (due) NAME(add_row_i)(p, product, first, n, s, pre_spike, x_start, total);
        /* a tag of -257 is more than the accumulator holds, and is cut as soon as anything is added anywhere */
        if (due || product->on_tag)
            for (int64_t k = 0; k < n; k++) total[k] = NAME(accumulated)(total[k]);
    }
    int32_t rounding = log->rounding[s], low = (int32_t)p->w_min, high = (int32_t)p->w_max;
    for (int64_t k = 0; k < n; k++) weight[k] = (int16_t)NAME(rounded)(totals[0][k], rounding, low, high);
    if (tag && on_tag) {
        int32_t lowest = 0;
        for (int64_t k = 0; k < n; k++) {
            tag[k] = (int16_t)NAME(rounded)(totals[1][k], rounding, p->tag_low, p->tag_high);
            lowest = tag[k] < lowest ? tag[k] : lowest;
        }
        p->has_low_tag[i] = lowest < -256;
    }
}

static void NAME(replay_i)(Plastic *p, int64_t i, int32_t start, int32_t stop) {
    Log *log = &p->log;
    int32_t x[PRE_TRACES] = {p->x[0] ? (int32_t)p->x[0][i] : 0, p->x[1] ? (int32_t)p->x[1][i] : 0};
    if (p->has_sweeps || p->has_tag) {
        if (p->pointer)
            for (int64_t k = p->pointer[i]; k < p->pointer[i + 1]; k++)
                p->place[p->target[k]] = (int32_t)(k - p->pointer[i]);
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
