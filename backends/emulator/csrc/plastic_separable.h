/* Large projections whose rule separates: every product is a number of the presynaptic neuron times one of the
   postsynaptic neuron, as in pair and triplet STDP, float64, epochs of one step.

   Between two spikes of a presynaptic neuron its traces only decay, so all that its row gains is
       c X D^-start (P_j[now] - P_j[start]),   P_j[s] = sum over slots r < s in which j spiked of D^(r+1) g_j(r),
   with X the product of its traces at slot `start`, D their decay in a step and g the postsynaptic factors: one prefix
   for each postsynaptic neuron instead of one operation for each pair of spikes. All gains have one sign, so clipping at
   the end is clipping at each of them. The sums are taken in another order than step by step: weights agree with the
   reference to rounding, and the window of slots is short enough for D^-start to stay below 1e5, which keeps it so.

   P is kept for every SLICE-th slot. A row that is brought up to date in between is stored as what it was at the start
   of the slice, less what it has gained since: then the next time needs that slice's P alone. fma rounds once on every
   machine, so that results do not depend on the instruction set. */

static inline double NAME(within)(double value, double low, double high) {
    value = value < low ? low : value;
    return value > high ? high : value;
}

/* What a row needs to be brought up to date; traces of its neuron are those at the start of its slice. */
static void NAME(separable_row)(const Plastic *p, int64_t i, Row *row) {
    const Separable *sep = &p->separable;
    int64_t first = p->pointer ? p->pointer[i] : i * p->posts, start = p->settled[i] - p->log.first;
    row->n = p->pointer ? p->pointer[i + 1] - first : p->posts;
    row->done = 0;
    row->weight = p->weight + first;
    row->target = p->pointer ? p->target + first : NULL;
    row->slice = (int32_t)(start / SLICE);
    for (int32_t q = 0; q < sep->ups; q++) {
        double scale = p->product[sep->up[q]].coefficient;
        for (int k = 0; k < PRE_TRACES; k++)
            for (int32_t c = 0; c < sep->up_has[q][k]; c++) scale *= p->x[k][i];
        row->scale[q] = scale / sep->up_power[q][start];
    }
}

/* A row's neuron spikes: its traces and what they make of the spikes of this step and the stored row. */
static void NAME(separable_spike)(Plastic *p, int64_t i, Row *row, int32_t s, int32_t slice_start) {
    const Separable *sep = &p->separable;
    double x[PRE_TRACES] = {0.0, 0.0};
    int32_t start = row->slice * SLICE;
    for (int t = 0; t < PRE_TRACES; t++) {
        if (!p->x[t]) continue;
        x[t] = p->x[t][i] * sep->x_power[t][s + 1 - start] + p->trace[t].impulse;
        p->x[t][i] = x[t] / sep->x_power[t][s + 1 - slice_start];
    }
    for (int32_t q = 0; q < sep->ups; q++) {
        double both = p->product[sep->up[q]].coefficient;
        for (int t = 0; t < PRE_TRACES; t++)
            for (int32_t c = 0; c < sep->up_has[q][t]; c++) both *= x[t];
        row->both[q] = both;
    }
    for (int32_t q = 0; q < sep->downs; q++) {
        const Product *product = &p->product[sep->down[q]];
        double down = product->coefficient;
        for (int32_t f = 0; f < product->factors && product->factor[f].variable <= X2; f++)
            down *= NAME(factor_value)(&product->factor[f], x[product->factor[f].variable - X1]);
        row->down[q] = down;
    }
    p->settled[i] = p->log.first + slice_start;
}

/* Differences P[now] - P[slice] of neurons from .. to, for the rows of one slice. */
static void NAME(separable_differences)(const Plastic *p, int32_t slice, int64_t from, int64_t to) {
    const Separable *sep = &p->separable;
    for (int32_t q = 0; q < sep->ups; q++) {
        double *restrict into = sep->difference[q];
        const double *restrict now = sep->now[q], *restrict then = sep->then[q] + slice * p->posts;
        INDEPENDENT
        for (int64_t j = from; j < to; j++) into[j] = now[j] - then[j];
    }
}

/* A row up to now, without delivering or learning. */
static void NAME(separable_lift)(const Plastic *p, const Row *row) {
    const Separable *sep = &p->separable;
    double *restrict weight = row->weight;
    const double low = p->w_min, high = p->w_max;
    for (int32_t q = 0; q < sep->ups; q++) {
        const double scale = row->scale[q], *restrict difference = sep->difference[q];
        if (row->target)
            for (int64_t k = 0; k < row->n; k++) weight[k] = fma(scale, difference[row->target[k]], weight[k]);
        else
            for (int64_t k = 0; k < row->n; k++) weight[k] = fma(scale, difference[k], weight[k]);
    }
    for (int64_t k = 0; k < row->n; k++) weight[k] = NAME(within)(weight[k], low, high);
}

/* Bring up to date, deliver and learn, for rules of one product on each side: rows row[0] .. at the neurons from .. to. */
#define LIFT(r) NAME(within)(fma(scale##r, at_now - then##r[k], weight##r[k]), low, high)
#define LEARN(r, value)                                                                                      \
    weight##r[k] =                                                                                           \
        fma(-both##r, at_since, NAME(within)(fma(down##r, at_v, fma(both##r, at_gained, value)), low, high))
#define ROW(r)                                                                                               \
    double *restrict weight##r = row[r].weight;                                                             \
    const double *restrict then##r = sep->then[0] + row[r].slice * p->posts;                                \
    const double scale##r = row[r].scale[0], down##r = row[r].down[0], both##r = row[r].both[0];
#define SHARED(k)                                                                                            \
    const double at_now = now[k], at_v = v[k], at_gained = gained[k], at_since = since[k];
#define ARRAYS                                                                                               \
    const Separable *sep = &p->separable;                                                                    \
    const double low = p->w_min, high = p->w_max;                                                            \
    const double *restrict now = sep->now[0], *restrict gained = sep->gained[0], *restrict v = sep->value[0]; \
    const double *restrict since = sep->since[0];

static void NAME(separable_pass_4)(const Plastic *p, const Row *row, int64_t from, int64_t to, double *restrict sum) {
    ARRAYS ROW(0) ROW(1) ROW(2) ROW(3)
    INDEPENDENT
    for (int64_t k = from; k < to; k++) {
        SHARED(k)
        const double value0 = LIFT(0), value1 = LIFT(1), value2 = LIFT(2), value3 = LIFT(3);
        sum[k] = sum[k] + value0 + value1 + value2 + value3;
        LEARN(0, value0);
        LEARN(1, value1);
        LEARN(2, value2);
        LEARN(3, value3);
    }
}

static void NAME(separable_pass_1)(const Plastic *p, const Row *row, int64_t from, int64_t to, double *restrict sum) {
    ARRAYS ROW(0)
    INDEPENDENT
    for (int64_t k = from; k < to; k++) {
        SHARED(k)
        const double value0 = LIFT(0);
        sum[k] += value0;
        LEARN(0, value0);
    }
}

#undef ROW
#undef LIFT
#undef LEARN
#undef SHARED
#undef ARRAYS

/* The same for a sparse row, up to neuron `to`. What it needs of a neuron lies together: v, gained, since, sum. */
static void NAME(separable_sparse)(const Plastic *p, Row *row, int64_t to) {
    const Separable *sep = &p->separable;
    double *restrict weight = row->weight;
    const int32_t *restrict target = row->target;
    const double low = p->w_min, high = p->w_max;
    const double *restrict difference = sep->difference[0];
    double *restrict record = sep->record;
    const double scale = row->scale[0], down = row->down[0], both = row->both[0];
    int64_t k = row->done;
    for (; k < row->n && target[k] < to; k++) {
        int64_t j = target[k];
        double *at = record + 4 * j;
        double value = NAME(within)(fma(scale, difference[j], weight[k]), low, high);
        at[3] += value;
        weight[k] = fma(-both, at[2], NAME(within)(fma(down, at[0], fma(both, at[1], value)), low, high));
    }
    row->done = k;
}

/* The same for any number of products; `target` NULL for a dense row. Differences are ready. */
static void NAME(separable_any)(const Plastic *p, const Row *row, double *restrict sum) {
    const Separable *sep = &p->separable;
    double *restrict weight = row->weight;
    const double low = p->w_min, high = p->w_max;
    for (int64_t k = 0; k < row->n; k++) {
        int64_t j = row->target ? row->target[k] : k;
        double value = weight[k];
        for (int32_t q = 0; q < sep->ups; q++) value = fma(row->scale[q], sep->difference[q][j], value);
        value = NAME(within)(value, low, high);
        sum[j] += value;
        for (int32_t q = 0; q < sep->ups; q++) value = fma(row->both[q], sep->gained[q][j], value);
        for (int32_t q = 0; q < sep->downs; q++) value = fma(row->down[q], sep->value[q][j], value);
        value = NAME(within)(value, low, high);
        for (int32_t q = 0; q < sep->ups; q++) value = fma(-row->both[q], sep->since[q][j], value);
        weight[k] = value;
    }
}

/* Numbers of rows in order of slice, into sep->order. */
static void NAME(order_by_slice)(Separable *sep, int64_t count) {
    int32_t *begin = sep->bucket;
    memset(begin, 0, sizeof sep->bucket);
    for (int64_t k = 0; k < count; k++) begin[sep->rows[k].slice + 1] += 1;
    for (int32_t b = 0; b <= MOST_SLICES; b++) begin[b + 1] += begin[b];
    for (int64_t k = 0; k < count; k++) sep->order[begin[sep->rows[k].slice]++] = (int32_t)k;
}

static void NAME(prefetch_row)(const Row *row, int64_t from, int64_t to) {
    for (int64_t l = from; l < to; l += 8) __builtin_prefetch(row->weight + l, 1, 2);
    if (row->target)
        for (int64_t l = from; l < to; l += 16) __builtin_prefetch(row->target + l, 0, 2);
}

/* Rows of the neurons that spike, dense and of one product on each side: tiles of neurons stay in the first cache. */
static void NAME(separable_dense)(Plastic *p, int64_t count, double *restrict sum) {
    Row *rows = p->separable.rows;
    for (int64_t from = 0; from < p->posts; from += SEPARABLE_TILE) {
        int64_t to = from + SEPARABLE_TILE < p->posts ? from + SEPARABLE_TILE : p->posts;
        for (int64_t k = 0; k < count;) {
            int64_t group = k + 4 <= count ? 4 : 1, next = k + group;
            for (int64_t r = next; r < next + group && r < count; r++) NAME(prefetch_row)(&rows[r], from, to);
            if (group == 4) NAME(separable_pass_4)(p, &rows[k], from, to, sum);
            else NAME(separable_pass_1)(p, &rows[k], from, to, sum);
            k = next;
        }
    }
}

/* Neurons that are worked on together, so that a row has some SPARSE_SEGMENT synapses onto them. */
static int64_t NAME(sparse_block)(const Plastic *p) {
    const int64_t synapses = p->pointer[p->pres], whole = p->pres * p->posts;
    const int64_t wanted = synapses ? whole / synapses * (SPARSE_SEGMENT - 8) : whole;
    return wanted < SEPARABLE_TILE ? SEPARABLE_TILE : wanted;
}

/* Sparse rows of a rule of one product on each side: blocks of neurons stay in the first cache where rows are long. */
static void NAME(separable_sparse_pairs)(Plastic *p, int64_t count, double *restrict sum) {
    Separable *sep = &p->separable;
    const double *restrict v = sep->value[0], *restrict gained = sep->gained[0], *restrict since = sep->since[0];
    double *restrict record = sep->record;
    const int64_t block = NAME(sparse_block)(p);
    for (int64_t from = 0; from < p->posts; from += block) {
        const int64_t to = from + block < p->posts ? from + block : p->posts;
        for (int64_t j = from; j < to; j++)
            record[4 * j] = v[j], record[4 * j + 1] = gained[j], record[4 * j + 2] = since[j], record[4 * j + 3] = sum[j];
        int32_t ready = -1;
        for (int64_t k = 0; k < count; k++) {
            Row *row = &sep->rows[sep->order[k]];
            const Row *next = &sep->rows[sep->order[(k + SPARSE_AHEAD) % count]]; /* at the end: in the block to come */
            const int64_t ahead = next->done + SPARSE_SEGMENT < next->n ? next->done + SPARSE_SEGMENT : next->n;
            NAME(prefetch_row)(next, next->done, block < p->posts ? ahead : next->n);
            if (row->slice != ready) NAME(separable_differences)(p, ready = row->slice, from, to);
            NAME(separable_sparse)(p, row, to);
        }
        for (int64_t j = from; j < to; j++) sum[j] = record[4 * j + 3];
    }
}

/* Sparse rows, and rules of several products: rows of one slice after another share its differences. */
static void NAME(separable_by_slice)(Plastic *p, int64_t count, double *restrict sum) {
    Separable *sep = &p->separable;
    NAME(order_by_slice)(sep, count);
    if (p->pointer && sep->ups == 1 && sep->downs == 1) {
        NAME(separable_sparse_pairs)(p, count, sum);
        return;
    }
    int32_t ready = -1;
    for (int64_t k = 0; k < count; k++) {
        const Row *row = &sep->rows[sep->order[k]], *next = &sep->rows[sep->order[k + 1 < count ? k + 1 : k]];
        NAME(prefetch_row)(next, 0, next->n);
        if (row->slice != ready) NAME(separable_differences)(p, ready = row->slice, 0, p->posts);
        NAME(separable_any)(p, row, sum);
    }
}

/* Bring rows whose slice starts before slot `before` up to now, which is the start of a slice or becomes one. */
static void NAME(separable_settle)(Plastic *p, int64_t before) {
    Separable *sep = &p->separable;
    int64_t count = 0;
    for (int64_t i = 0; i < p->pres; i++) {
        if (p->settled[i] - p->log.first >= before) continue;
        NAME(separable_row)(p, i, &sep->rows[count++]);
        for (int k = 0; k < PRE_TRACES; k++)
            if (p->x[k]) p->x[k][i] *= sep->x_power[k][p->epochs - p->settled[i]];
        p->settled[i] = p->epochs;
    }
    NAME(order_by_slice)(sep, count);
    int32_t ready = -1;
    for (int64_t k = 0; k < count; k++) {
        const Row *row = &sep->rows[sep->order[k]], *next = &sep->rows[sep->order[k + 1 < count ? k + 1 : k]];
        NAME(prefetch_row)(next, 0, next->n);
        if (row->slice != ready) NAME(separable_differences)(p, ready = row->slice, 0, p->posts);
        NAME(separable_lift)(p, row);
    }
}

static void NAME(separable_settle_all)(Plastic *p) {
    Separable *sep = &p->separable;
    NAME(separable_settle)(p, INT64_MAX);
    for (int32_t q = 0; q < sep->ups; q++) {
        memset(sep->now[q], 0, (size_t)p->posts * sizeof(double));
        memset(sep->then[q], 0, (size_t)p->posts * sizeof(double));
    }
    p->log.first = p->epochs;
    p->log.slots = 0;
}

/* Forget the older half of a full window. What is left is measured from its own start, so that scales stay bounded. */
static void NAME(separable_shift)(Plastic *p) {
    Log *log = &p->log;
    Separable *sep = &p->separable;
    const int32_t half = log->most_slots / 2;
    NAME(separable_settle)(p, half);
    for (int32_t q = 0; q < sep->ups; q++) {
        const double factor = 1.0 / sep->up_power[q][half];
        const double *restrict base = sep->then[q] + half / SLICE * p->posts; /* the last slice will take its place */
        double *restrict now = sep->now[q];
        for (int64_t j = 0; j < p->posts; j++) now[j] = (now[j] - base[j]) * factor;
        for (int32_t slice = half / SLICE + 1; slice <= log->slots / SLICE; slice++) {
            const double *from = sep->then[q] + slice * p->posts;
            double *into = sep->then[q] + (slice - half / SLICE) * p->posts;
            INDEPENDENT
            for (int64_t j = 0; j < p->posts; j++) into[j] = (from[j] - base[j]) * factor;
        }
    }
    log->first += half;
    log->slots -= half;
}

/* Postsynaptic traces after the spikes of this step, what is gained by them, and what they make of a presynaptic spike. */
static void NAME(separable_posts)(Plastic *p, const int32_t *post, int64_t n_post, int64_t n_pre) {
    Separable *sep = &p->separable;
    for (int t = 0; t < POST_TRACES; t++) {
        if (!p->y[t]) continue;
        const Trace *trace = &p->trace[PRE_TRACES + t];
        double *restrict y = p->y[t];
        for (int64_t j = 0; j < p->posts; j++) y[j] *= trace->decay;
        for (int64_t k = 0; k < n_post; k++) y[post[k] - p->post_begin] += trace->impulse;
    }
    for (int32_t q = 0; q < sep->ups; q++) {
        const Product *product = &p->product[sep->up[q]];
        for (int64_t k = 0; k < n_post; k++) {
            int64_t j = post[k] - p->post_begin;
            double gain = 1.0;
            for (int32_t f = 0; f < product->factors; f++)
                if (product->factor[f].variable > X2)
                    gain *= NAME(factor_value)(&product->factor[f], p->y[product->factor[f].variable - Y1][j]);
            sep->gained[q][j] = gain;
        }
    }
    for (int32_t q = 0; n_pre && q < sep->downs; q++) {
        const Product *product = &p->product[sep->down[q]];
        if (sep->down_is_trace[q]) continue; /* value is the trace itself */
        double *restrict value = sep->value[q];
        for (int64_t j = 0; j < p->posts; j++) value[j] = 1.0;
        for (int32_t f = 0; f < product->factors; f++)
            if (product->factor[f].variable > X2)
                NAME(times_vector)(value, &product->factor[f], p->y[product->factor[f].variable - Y1], p->posts);
    }
}

/* What was gained since the slice's start, this step included. */
static void NAME(separable_since)(const Plastic *p, int32_t s, int32_t slice_start) {
    const Separable *sep = &p->separable;
    for (int32_t q = 0; q < sep->ups; q++) {
        double *restrict since = sep->since[q];
        if (slice_start == s + 1) {
            memset(since, 0, (size_t)p->posts * sizeof(double));
            continue;
        }
        const double *restrict now = sep->now[q], *restrict then = sep->then[q] + slice_start / SLICE * p->posts;
        const double *restrict gained = sep->gained[q];
        const double factor = 1.0 / sep->up_power[q][s + 1];
        for (int64_t j = 0; j < p->posts; j++) since[j] = fma(factor, now[j] - then[j], gained[j]);
    }
}

static void NAME(separable_step)(Plastic *p, const int32_t *pre, int64_t n_pre, const int32_t *post, int64_t n_post,
                                 double *restrict sum) {
    Log *log = &p->log;
    Separable *sep = &p->separable;
    if (log->slots == log->most_slots) NAME(separable_shift)(p);
    const int32_t s = log->slots, slice_start = (s + 1) / SLICE * SLICE;
    NAME(separable_posts)(p, post, n_post, n_pre);
    if (n_pre) NAME(separable_since)(p, s, slice_start);
    for (int64_t k = 0; k < n_pre; k++) {
        NAME(separable_row)(p, pre[k], &sep->rows[k]);
        NAME(separable_spike)(p, pre[k], &sep->rows[k], s, slice_start);
    }
    if (n_pre && !p->pointer && sep->ups == 1 && sep->downs == 1) NAME(separable_dense)(p, n_pre, sum);
    else if (n_pre) NAME(separable_by_slice)(p, n_pre, sum);
    for (int32_t q = 0; q < sep->ups; q++) {
        const double power = sep->up_power[q][s + 1];
        for (int64_t k = 0; k < n_post; k++) {
            int64_t j = post[k] - p->post_begin;
            sep->now[q][j] += power * sep->gained[q][j];
            sep->gained[q][j] = 0.0;
        }
        if (slice_start == s + 1)
            memcpy(sep->then[q] + slice_start / SLICE * p->posts, sep->now[q], (size_t)p->posts * sizeof(double));
    }
    log->slots = s + 1;
    p->epochs += 1;
}
