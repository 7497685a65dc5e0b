/* Which rules have a fast path that sums in another order (plastic_separable.h, plastic_eligibility.h), and its arrays. */

/* A product on spikes that is a number of the presynaptic neuron times one of the postsynaptic neuron; notes how it
   separates. `smallest`: by how much the fastest product of presynaptic traces decays in a step. */
static int take_product(Plastic *p, int32_t q, double *smallest) {
    Separable *sep = &p->separable;
    const Product *product = &p->product[q];
    int is_bounded = p->w_min > -INFINITY || p->w_max < INFINITY;
    int on_post = product->dependency == ON_POST, ys = 0, pure = 1;
    int32_t has[PRE_TRACES] = {0, 0};
    for (int32_t f = 0; f < product->factors; f++) {
        const Factor *factor = &product->factor[f];
        int is_pure = factor->constant == 0.0 && !factor->is_sign;
        if (factor->variable > Y3) return 0;
        if (factor->variable <= X2) {
            if (on_post && !is_pure) return 0;
            has[factor->variable - X1] += 1;
        } else {
            ys += 1, pure &= is_pure;
            if (on_post && is_bounded && !is_pure) return 0; /* gains of one sign: what lies between is in between */
        }
    }
    if (on_post) {
        if (sep->ups == MOST_TERMS) return 0;
        double decay = pow(p->trace[X1].decay, has[0]) * pow(p->trace[X2].decay, has[1]);
        *smallest = decay < *smallest ? decay : *smallest;
        memcpy(sep->up_has[sep->ups], has, sizeof has);
        sep->up[sep->ups++] = q;
    } else {
        if (sep->downs == MOST_TERMS) return 0;
        sep->down_is_trace[sep->downs] = ys == 1 && pure;
        sep->down[sep->downs++] = q;
    }
    return 1;
}

/* Slots of the window: powers of a decay stay within 1e5, and half of the window is a whole number of slices. */
static int take_window(Plastic *p, double smallest) {
    double slots = smallest < 1.0 ? log(1e5) / -log(smallest) : MOST_SLOTS;
    if (!(slots >= 2 * SLICE)) return 0;
    slots = slots > MOST_SLOTS ? MOST_SLOTS : slots;
    p->log.most_slots = (int32_t)slots / (2 * SLICE) * (2 * SLICE);
    return 1;
}

/* Whether every spike adds to traces, which fast paths take for granted. */
static int has_summing_traces(const Plastic *p) {
    for (int k = 0; k < TRACES; k++)
        if (p->trace[k].is_used && p->trace[k].kind != ADDS) return 0;
    return 1;
}

static int has_plain_traces(const Plastic *p) {
    for (int k = 0; k < TRACES; k++)
        if (p->trace[k].is_used && p->trace[k].impulse < 0.0) return 0;
    return p->may_reorder && !p->is_fixed && p->epoch == 1 && !p->group && has_summing_traces(p);
}

/* Whether the weights' rule separates; notes how. */
static int separates(Plastic *p) {
    if (!has_plain_traces(p) || p->has_tag || p->delay || p->has_sweeps || p->reads_state) return 0;
    int is_bounded = p->w_min > -INFINITY || p->w_max < INFINITY, signs = 0;
    double smallest = 1.0;
    for (int32_t q = 0; q < p->products; q++) {
        if (!take_product(p, q, &smallest)) return 0;
        if (p->product[q].dependency == ON_POST) signs |= p->product[q].coefficient > 0.0 ? 1 : 2;
    }
    return !(is_bounded && signs == 3) && take_window(p, smallest);
}

/* Whether the tags' rule separates, but for a decay, and weights follow tag times one shared third factor. */
static int is_rewarded_tag(Plastic *p) {
    Eligibility *el = &p->eligibility;
    Separable *sep = &p->separable;
    if (!has_plain_traces(p) || !p->has_tag || p->delay || p->reward_width != 1) return 0;
    double smallest = 1.0;
    int rewarded = 0, decays = 0;
    el->keep = 1.0;
    for (int32_t q = 0; q < p->products; q++) {
        const Product *product = &p->product[q];
        if (product->dependency > 0) return 0;
        if (product->dependency < 0) {
            if (!product->on_tag || !take_product(p, q, &smallest)) return 0;
            continue;
        }
        int tags = 0, others = 0;
        for (int32_t f = 0; f < product->factors; f++) {
            const Factor *factor = &product->factor[f];
            if (factor->variable == TAG && factor->constant == 0.0 && !factor->is_sign) tags += 1;
            else if (factor->variable == REWARD && !product->on_tag) others += 1, el->reward = *factor;
            else return 0;
        }
        if (tags != 1) return 0;
        if (product->on_tag) decays += 1, el->keep = 1.0 + product->coefficient;
        else if (others == 1) rewarded += 1, el->coefficient = product->coefficient;
        else return 0;
    }
    if (rewarded != 1 || decays > 1 || !(el->keep > 0.0 && el->keep <= 1.0)) return 0;
    el->is_pair = sep->ups == 1 && sep->downs == 1;
    for (int32_t f = 0; el->is_pair && f < p->product[sep->down[0]].factors; f++)
        el->is_pair = p->product[sep->down[0]].factor[f].variable > X2;
    el->unit = 1.0;
    return take_window(p, smallest < el->keep ? smallest : el->keep);
}

static double up_decay(const Plastic *p, int32_t q) {
    const Separable *sep = &p->separable;
    return pow(p->trace[X1].decay, sep->up_has[q][0]) * pow(p->trace[X2].decay, sep->up_has[q][1]);
}

/* Vectors begin where a cache line does: loads that cross one take twice as long. */
static void *aligned_zeros(size_t count, size_t size) {
#ifdef _WIN32
    return zeros(count, size);
#else
    size_t bytes = (count * size + 63) / 64 * 64 + 64;
    void *found = aligned_alloc(64, bytes);
    return found ? memset(found, 0, bytes) : NULL;
#endif
}

static int make_separable(Plastic *p) {
    Separable *sep = &p->separable;
    size_t posts = (size_t)p->posts + 8, slots = (size_t)p->log.most_slots + 2, ok = 1;
#define GET(field, count, kind) ok = ok && (sep->field = aligned_zeros(count, sizeof(kind)))
    for (int32_t q = 0; q < sep->ups; q++) {
        GET(up_power[q], slots, double), GET(now[q], posts, double), GET(gained[q], posts, double);
        GET(then[q], (slots / SLICE + 2) * posts, double), GET(since[q], posts, double);
        GET(difference[q], posts, double);
        for (size_t k = 0; ok && k < slots; k++) sep->up_power[q][k] = pow(up_decay(p, q), (double)k);
    }
    for (int k = 0; k < PRE_TRACES; k++) {
        if (!p->x[k]) continue;
        GET(x_power[k], slots, double);
        for (size_t s = 0; ok && s < slots; s++) sep->x_power[k][s] = pow(p->trace[k].decay, (double)s);
    }
    for (int32_t q = 0; q < sep->downs; q++) {
        const Product *product = &p->product[sep->down[q]];
        if (!sep->down_is_trace[q]) GET(value[q], posts, double);
        else
            for (int32_t f = 0; f < product->factors; f++)
                if (product->factor[f].variable > X2) sep->value[q] = p->y[product->factor[f].variable - Y1];
    }
    GET(record, 4 * posts, double);
    GET(rows, (size_t)p->pres, Row), GET(order, (size_t)p->pres, int32_t);
#undef GET
    return ok ? 0 : -1;
}

/* After make_separable(). */
static int make_rewarded(Plastic *p) {
    const Separable *sep = &p->separable;
    Eligibility *el = &p->eligibility;
    size_t posts = (size_t)p->posts + 8, slots = (size_t)p->log.most_slots + 2, ok = 1;
    size_t tiles = (MOST_SLICES + 1) * REWARDED_TILE, wide = posts > tiles ? posts : tiles;
#define GET(field, count, kind) ok = ok && (el->field = aligned_zeros(count, sizeof(kind)))
    GET(keep_power, slots, double), GET(prefix, slots, double);
    for (int level = 0; level < RANGE_LEVELS; level++) GET(least[level], slots, double), GET(most[level], slots, double);
    for (size_t k = 0; ok && k < slots; k++) el->keep_power[k] = pow(el->keep, (double)k);
    el->most_entries = 4096;
    for (int32_t q = 0; q < sep->ups; q++) {
        GET(ratio_power[q], slots, double), GET(now2[q], posts, double), GET(then2[q], (slots / SLICE + 2) * posts, double);
        GET(first[q], wide, double), GET(second[q], wide, double), GET(less[q], posts, double), GET(back[q], posts, double);
        for (size_t k = 0; ok && k < slots; k++) el->ratio_power[q][k] = pow(up_decay(p, q) / el->keep, (double)k);
    }
    GET(down, posts, double), GET(drop, posts, double), GET(record, 8 * posts, double);
    GET(lag, (size_t)p->pres, uint8_t);
    ok = ok && (el->spikes = zeros((size_t)el->most_entries, sizeof(Spike)));
    GET(rows, (size_t)p->pres, RewardedRow);
#undef GET
    return ok ? 0 : -1;
}

static void free_fast(Plastic *p) {
    Separable *sep = &p->separable;
    Eligibility *el = &p->eligibility;
    for (int q = 0; q < MOST_TERMS; q++) {
        free(sep->up_power[q]), free(sep->now[q]), free(sep->then[q]), free(sep->since[q]), free(sep->gained[q]);
        free(sep->difference[q]);
        if (!sep->down_is_trace[q]) free(sep->value[q]);
        free(el->ratio_power[q]), free(el->now2[q]), free(el->then2[q]), free(el->first[q]), free(el->second[q]);
        free(el->less[q]), free(el->back[q]);
    }
    free(sep->x_power[0]), free(sep->x_power[1]), free(sep->rows), free(sep->order), free(sep->record);
    for (int level = 0; level < RANGE_LEVELS; level++) free(el->least[level]), free(el->most[level]);
    free(el->keep_power), free(el->prefix), free(el->down), free(el->drop), free(el->record);
    free(el->lag), free(el->spikes), free(el->rows);
}
