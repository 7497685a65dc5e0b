/* Rules whose changes depend on neither weight nor tag and that have no tag: most kinds of STDP. Then nothing has to be
   computed from a copy of the row, and weights change in place; the results are those of plastic_float.h to the bit. */

/* The postsynaptic part of an entry's change, to be multiplied after the presynaptic one. */
static inline double NAME(direct_change)(const Plastic *p, const Product *product, double scalar, int32_t f, int64_t e,
                                         int32_t s) {
    const Log *log = &p->log;
    for (; f < product->factors; f++) {
        const Factor *factor = &product->factor[f];
        double found = factor->variable == REWARD
                           ? log->reward[s * p->reward_width + (p->reward_width > 1 ? log->id[e] : 0)]
                           : log->y[factor->variable - Y1][e];
        scalar *= NAME(factor_value)(factor, found);
    }
    return scalar;
}

/* coefficient * presynaptic factors; `rest` is the first other factor. */
static inline double NAME(direct_scalar)(const Plastic *p, const Product *product, const double *x_start, int32_t spike,
                                         int32_t when, int32_t *rest) {
    double scalar = product->coefficient;
    int32_t f = 0;
    for (; f < product->factors && product->factor[f].variable <= X2; f++) {
        int32_t k = product->factor[f].variable - X1;
        scalar *= NAME(factor_value)(&product->factor[f], NAME(trace_at)(&p->trace[k], x_start[k], spike, when));
    }
    *rest = f;
    return scalar;
}

/* One slot of a silent dense row. */
static inline void NAME(direct_slot)(Plastic *p, double *restrict weight, int32_t s, const double *x) {
    const Log *log = &p->log;
    const double low = p->w_min, high = p->w_max;
    const int32_t *restrict id = log->id;
    int64_t e = log->begin[s], end = log->begin[s + 1];
    if (p->post_products == 1 && p->epoch == 1) {
        const Product *product = &p->product[p->first_post_product];
        int32_t rest;
        double change = NAME(direct_scalar)(p, product, x, 0, 1, &rest);
        if (rest == product->factors) { /* the same for all neurons that spiked */
            for (; e < end; e++) {
                double value = weight[id[e]] + change;
                value = value < low ? low : value;
                weight[id[e]] = value > high ? high : value;
            }
            return;
        }
        for (; e < end; e++) {
            double value = weight[id[e]] + NAME(direct_change)(p, product, change, rest, e, s);
            value = value < low ? low : value;
            weight[id[e]] = value > high ? high : value;
        }
        return;
    }
    for (; e < end; e++) NAME(post_only)(p, weight - p->weight + id[e], e, s, x);
}

/* One epoch of a dense row whose neuron spiked. */
static void NAME(direct_row)(Plastic *p, int64_t i, int32_t s, int32_t pre_spike, const double *x_start) {
    Log *log = &p->log;
    const int64_t n = p->posts;
    const double low = p->w_min, high = p->w_max;
    double *restrict weight = p->weight + i * n;
    int is_clipped = 0;
    for (int32_t q = 0; q < p->products; q++) {
        const Product *product = &p->product[q];
        int32_t rest;
        if (product->dependency == ON_POST) {
            for (int64_t e = log->begin[s]; e < log->begin[s + 1]; e++) {
                double change = NAME(direct_scalar)(p, product, x_start, pre_spike, log->when[e], &rest);
                weight[log->id[e]] += NAME(direct_change)(p, product, change, rest, e, s);
            }
            is_clipped = 0;
            continue;
        }
        double scalar = NAME(direct_scalar)(p, product, x_start, pre_spike, pre_spike, &rest);
        const Factor *factor = &product->factor[rest];
        if (rest + 1 == product->factors && factor->variable <= Y3 && !factor->is_sign && factor->constant == 0.0) {
            const double *restrict y = p->y_at[factor->variable - Y1];
            if (q + 1 == p->products) {
                for (int64_t k = 0; k < n; k++) {
                    double value = weight[k] + scalar * y[k];
                    value = value < low ? low : value;
                    weight[k] = value > high ? high : value;
                }
                is_clipped = 1;
            } else {
                for (int64_t k = 0; k < n; k++) weight[k] += scalar * y[k];
            }
            continue;
        }
        double *restrict value = p->value;
        for (int64_t k = 0; k < n; k++) value[k] = scalar;
        for (int32_t f = rest; f < product->factors; f++) {
            factor = &product->factor[f];
            if (factor->variable == REWARD && p->reward_width == 1) {
                double r = NAME(factor_value)(factor, log->reward[s]);
                for (int64_t k = 0; k < n; k++) value[k] *= r;
            } else {
                NAME(times_vector)(value, factor, factor->variable == REWARD ? log->reward + (int64_t)s * p->reward_width
                                                                             : p->y_at[factor->variable - Y1], n);
            }
        }
        for (int64_t k = 0; k < n; k++) weight[k] += value[k];
        is_clipped = 0;
    }
    if (!is_clipped) NAME(clip)(weight, n, low, high);
}
