/* The inner loops of plastic_eligibility.h for rules of one product on each side: value, delivery and learning at once.
   A synapse that may meet a bound on the way stays as it is there, and is done by itself afterwards. */

#define ROW(r)                                                                                                         \
    double *restrict weight##r = row[r].weight, *restrict tag##r = row[r].tag, *restrict excess##r = el->excess + r * REWARDED_TILE; \
    const double *restrict first##r = row[r].first - from, *restrict second##r = row[r].second - from;                 \
    const double kept##r = row[r].kept, spread##r = row[r].spread, gain##r = row[r].gain[0];                           \
    const double moved##r = row[r].moved[0], wide##r = row[r].wide[0], both##r = row[r].both[0];
#define ARRAYS                                                                                                         \
    const Eligibility *el = &p->eligibility;                                                                           \
    const double low = p->w_min, high = p->w_max, turn = el->rise - el->fall;                                          \
    const double *restrict less = el->less[0], *restrict back = el->back[0];                                           \
    const double *restrict down = el->down, *restrict drop = el->drop;
/* Names of the row's synapse k: its tag and weight now, and whether no bound was near. */
#define VALUE(r)                                                                                                       \
    const double e##r = tag##r[k], w##r = weight##r[k], f##r = first##r[k];                                            \
    const double a##r = w##r - low, b##r = high - w##r, room##r = a##r < b##r ? a##r : b##r;                           \
    const double over##r = fma(spread##r, fabs(e##r), fma(wide##r, f##r, -room##r));                                   \
    const double now##r = fma(gain##r, f##r, e##r);                                                                    \
    const double value##r = fma(moved##r, second##r[k], fma(kept##r, e##r, w##r));                                     \
    const int free##r = over##r <= 0.0;                                                                                \
    excess##r[k - from] = over##r;                                                                                     \
    found##r |= !free##r;
#define LEARN(r)                                                                                                       \
    tag##r[k] = free##r ? fma(-both##r, at_less, now##r + at_down) : e##r;                                             \
    weight##r[k] = free##r ? fma(turn, now##r, value##r) + fma(both##r, at_back, at_drop) : w##r;

static int NAME(rewarded_pass_1)(const Plastic *p, const RewardedRow *row, int64_t from, int64_t to, double *restrict sum) {
    ARRAYS ROW(0)
    int64_t found0 = 0;
    INDEPENDENT
    for (int64_t k = from; k < to; k++) {
        const double at_less = less[k], at_back = back[k], at_down = down[k], at_drop = drop[k];
        VALUE(0)
        sum[k] += free0 ? value0 : 0.0;
        LEARN(0)
    }
    return (int)found0;
}

static int NAME(rewarded_pass_2)(const Plastic *p, const RewardedRow *row, int64_t from, int64_t to, double *restrict sum) {
    ARRAYS ROW(0) ROW(1)
    int64_t found0 = 0, found1 = 0;
    INDEPENDENT
    for (int64_t k = from; k < to; k++) {
        const double at_less = less[k], at_back = back[k], at_down = down[k], at_drop = drop[k];
        VALUE(0) VALUE(1)
        sum[k] = sum[k] + (free0 ? value0 : 0.0) + (free1 ? value1 : 0.0);
        LEARN(0) LEARN(1)
    }
    return (int)(found0 | found1 << 1);
}

/* Up to now, without delivering or learning. */
static int NAME(rewarded_lift)(const Plastic *p, const RewardedRow *row, int64_t from, int64_t to) {
    const Eligibility *el = &p->eligibility;
    const double low = p->w_min, high = p->w_max;
    ROW(0)
    (void)both0;
    int64_t found0 = 0;
    INDEPENDENT
    for (int64_t k = from; k < to; k++) {
        VALUE(0)
        tag0[k] = free0 ? now0 : e0;
        weight0[k] = free0 ? value0 : w0;
    }
    return (int)found0;
}

#undef ROW
#undef ARRAYS
#undef VALUE
#undef LEARN

/* The synapses of a row from .. to that may meet a bound. */
static void NAME(rewarded_few)(const Plastic *p, const RewardedRow *row, const double *excess, int64_t from, int64_t to,
                               int32_t n, double *restrict sum) {
    for (int64_t j = from; j < to; j++) {
        if (excess[j - from] <= 0.0) continue;
        double e = row->tag[j], weight = NAME(rewarded_exact)(p, row, j, row->weight[j], &e, n);
        if (sum) {
            sum[j] += weight;
            NAME(rewarded_learn)(p, row, j, j, weight, e);
        } else row->weight[j] = weight, row->tag[j] = e;
    }
}

static void NAME(prefetch_rewarded)(const RewardedRow *row, int64_t from, int64_t to) {
    for (int64_t l = from; l < to; l += 8) __builtin_prefetch(row->weight + l, 1, 2), __builtin_prefetch(row->tag + l, 1, 2);
}

static void NAME(rewarded_differences)(const Plastic *p, int32_t slice, int64_t from, int64_t to, int64_t at, int32_t n);

/* Dense rows; without learning where sum is NULL. Tiles of neurons stay in the first cache. */
static void NAME(rewarded_dense)(Plastic *p, int64_t count, int32_t n, double *restrict sum) {
    Eligibility *el = &p->eligibility;
    const int32_t *order = p->separable.order;
    RewardedRow group[4], next[4];
    for (int64_t from = 0; from < p->posts; from += REWARDED_TILE) {
        const int64_t to = from + REWARDED_TILE < p->posts ? from + REWARDED_TILE : p->posts;
        int32_t ready = -1;
        for (int64_t k = 0; k < count;) {
            const int64_t size = sum && k + 2 <= count ? 2 : 1;
            for (int64_t r = 0; r < size; r++) {
                group[r] = el->rows[order[k + r]];
                const int32_t slice = group[r].slice;
                group[r].first = el->first[0] + slice * REWARDED_TILE, group[r].second = el->second[0] + slice * REWARDED_TILE;
                if (slice != ready) NAME(rewarded_differences)(p, ready = slice, from, to, slice * REWARDED_TILE, n);
            }
            k += size;
            for (int64_t r = k; r < k + 2 && r < count; r++) NAME(prefetch_rewarded)(&el->rows[order[r]], from, to);
            int found = size == 2 ? NAME(rewarded_pass_2)(p, group, from, to, sum)
                        : sum     ? NAME(rewarded_pass_1)(p, group, from, to, sum)
                                  : NAME(rewarded_lift)(p, group, from, to);
            for (int64_t r = 0; found; r++, found >>= 1)
                if (found & 1) NAME(rewarded_few)(p, &group[r], el->excess + r * REWARDED_TILE, from, to, n, sum);
        }
    }
    (void)next;
}

/* Sparse rows. What they need of a neuron lies together: less, back, down, drop, sum, first, second. */
static void NAME(rewarded_sparse)(Plastic *p, int64_t count, int32_t n, double *restrict sum) {
    Eligibility *el = &p->eligibility;
    const int32_t *order = p->separable.order;
    const double low = p->w_min, high = p->w_max, turn = el->rise - el->fall;
    double *restrict record = (double *)(((uintptr_t)el->record + 63) & ~(uintptr_t)63); /* a neuron, a cache line */
    for (int64_t j = 0; j < p->posts; j++) {
        double *at = record + 8 * j;
        at[0] = el->less[0][j], at[1] = el->back[0][j], at[2] = el->down[j], at[3] = el->drop[j], at[4] = sum[j];
    }
    int32_t ready = -1;
    for (int64_t k = 0; k < count; k++) {
        const RewardedRow *row = &el->rows[order[k]], *next = &el->rows[order[k + 1 < count ? k + 1 : k]];
        NAME(prefetch_rewarded)(next, 0, next->n);
        for (int64_t l = 0; l < next->n; l += 16) __builtin_prefetch(next->target + l, 0, 2);
        if (row->slice != ready) {
            NAME(rewarded_differences)(p, ready = row->slice, 0, p->posts, 0, n);
            for (int64_t j = 0; j < p->posts; j++) record[8 * j + 5] = el->first[0][j], record[8 * j + 6] = el->second[0][j];
        }
        double *restrict weights = row->weight, *restrict tags = row->tag;
        const int32_t *restrict target = row->target;
        const double kept = row->kept, spread = row->spread, gain = row->gain[0], moved = row->moved[0], wide = row->wide[0];
        const double both = row->both[0];
        for (int64_t l = 0; l < row->n; l++) {
            const int64_t j = target[l];
            double *at = record + 8 * j;
            const double e = tags[l], w = weights[l], first = at[5], a = w - low, b = high - w;
            if (!(fma(spread, fabs(e), fma(wide, first, -(a < b ? a : b))) <= 0.0)) {
                double stored = e, weight = NAME(rewarded_exact)(p, row, j, w, &stored, n);
                at[4] += weight;
                NAME(rewarded_learn)(p, row, l, j, weight, stored);
                continue;
            }
            const double now = fma(gain, first, e), value = fma(moved, at[6], fma(kept, e, w));
            at[4] += value;
            tags[l] = fma(-both, at[0], now + at[2]);
            weights[l] = fma(turn, now, value) + fma(both, at[1], at[3]);
        }
    }
    for (int64_t j = 0; j < p->posts; j++) sum[j] = record[8 * j + 4];
}
