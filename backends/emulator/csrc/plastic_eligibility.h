/* Large projections whose tags separate (as weights do in plastic_separable.h), decay by a factor in each step, and move
   the weights in each step by c t R with one shared third factor R: reward-modulated STDP, float64, epochs of one step.

   Slots r count from the window's start. A tag is stored as e = t / (unit keep^slot), which only spikes change, and
       e[n] = e[start] + K (P[now] - P[start]),   P_j[s] = sum over slots q < s in which j spiked of (D / keep)^(q+1) g_j(q).
   With C_n = sum over slots r < n of R_r keep^r, and P2 as P but each term times C_(q+1), what follows from the third
   factors is, while the weight meets no bound,
       w[n] = w[start] + c unit (e[start] (C_n - C_start) + K (C_n (P[now] - P[start]) - (P2[now] - P2[start]))).
   On its way the weight moves by c unit e[start] (C - C_start), the largest and the least C of which are known, and by at
   most |c unit K| (max C - min C) (P[now] - P[start]) besides; where a bound is nearer, the synapse is followed from one spike of its postsynaptic neuron to the next, between which e is constant: then
   where it ends follows from the least and the largest C on the way, as long as only one bound is within reach.

   As in plastic_separable.h, P is kept for the starts of slices, and a row that learns in between is stored as what it was
   at the start, less what it has gained since; `lag` says how much of the slice its weights have seen already. */

#include "plastic_eligibility_exact.h"

/* Synapse k of a row, of neuron j, learns in slot s and goes back to the start of the slice. */
static void NAME(rewarded_learn)(const Plastic *p, const RewardedRow *row, int64_t k, int64_t j, double weight, double e) {
    const Separable *sep = &p->separable;
    const Eligibility *el = &p->eligibility;
    weight = NAME(within)(fma(el->rise, e, weight), p->w_min, p->w_max);
    for (int32_t q = 0; q < sep->downs; q++) e = fma(row->down[q], sep->value[q][j], e);
    weight = fma(-el->fall, e, weight);
    for (int32_t q = 0; q < sep->ups; q++) {
        e = fma(-row->both[q], el->less[q][j], e);
        weight = fma(row->both[q], el->back[q][j], weight);
    }
    row->weight[k] = weight;
    row->tag[k] = e;
}

/* Synapse k of a row at slot n, and its stored tag. Differences are ready, at j. */
static double NAME(rewarded_value)(const Plastic *p, const RewardedRow *row, int64_t k, int64_t j, double *stored, int32_t n) {
    const Eligibility *el = &p->eligibility;
    double e = row->tag[k], weight = row->weight[k], value = fma(row->kept, e, weight), now = e;
    double a = row->most * e, b = row->least * e, moved = 0.0;
    for (int32_t q = 0; q < p->separable.ups; q++) {
        double first = el->first[q][j];
        now = fma(row->gain[q], first, now);
        value = fma(row->moved[q], el->second[q][j], value);
        moved = fma(row->wide[q], first, moved);
    }
    *stored = now;
    if (weight + (a > b ? a : b) + moved <= p->w_max && weight + (a > b ? b : a) - moved >= p->w_min) return value;
    *stored = e;
    return NAME(rewarded_exact)(p, row, j, weight, stored, n);
}

#include "plastic_eligibility_pair.h"

/* What a row needs to be brought up to slot n, and to be safe up to slot `last`. */
static void NAME(rewarded_row)(const Plastic *p, int64_t i, const Row *row, RewardedRow *into, int32_t n, int32_t last) {
    const Eligibility *el = &p->eligibility;
    const int32_t begin = row->slice * SLICE;
    const double unit = NAME(unit_weight)(el);
    double least, most;
    NAME(range_of)(el, begin, last, &least, &most);
    into->weight = row->weight, into->tag = p->tag + (row->weight - p->weight);
    into->target = row->target, into->n = row->n, into->slice = row->slice;
    into->start = begin + el->lag[i];
    into->kept = unit * (el->prefix[n] - el->prefix[begin]);
    into->most = unit * (most - el->prefix[begin]), into->least = unit * (least - el->prefix[begin]);
    for (int32_t q = 0; q < p->separable.ups; q++) {
        into->gain[q] = row->scale[q] / el->unit;
        into->moved[q] = unit * into->gain[q];
        into->wide[q] = fabs(into->moved[q]) * (most - least);
    }
}

/* Shared vectors of the rows that learn in slot s. */
static void NAME(rewarded_shared)(const Plastic *p, int32_t s, int32_t slice_start, double to_stored) {
    const Separable *sep = &p->separable;
    const Eligibility *el = &p->eligibility;
    const double fall = el->fall, c = el->prefix[s + 1], unit = NAME(unit_weight)(el);
    for (int32_t q = 0; q < sep->ups; q++) {
        double *restrict less = el->less[q], *restrict back = el->back[q];
        const double *restrict gained = sep->gained[q];
        if (slice_start == s + 1) {
            for (int64_t j = 0; j < p->posts; j++) less[j] = -gained[j], back[j] = 0.0;
            continue;
        }
        const double *restrict now = sep->now[q], *restrict then = sep->then[q] + slice_start / SLICE * p->posts;
        const double *restrict now2 = el->now2[q], *restrict then2 = el->then2[q] + slice_start / SLICE * p->posts;
        const double factor = 1.0 / el->ratio_power[q][s + 1], factor2 = unit * factor;
        INDEPENDENT
        for (int64_t j = 0; j < p->posts; j++) {
            double first = now[j] - then[j];
            less[j] = factor * first;
            back[j] = fma(fall, factor * first, -factor2 * fma(c, first, then2[j] - now2[j]));
        }
    }
    if (!el->is_pair) return;
    const double scale = to_stored * p->product[sep->down[0]].coefficient;
    double *restrict down = el->down, *restrict drop = el->drop;
    const double *restrict value = sep->value[0];
    for (int64_t j = 0; j < p->posts; j++) down[j] = scale * value[j], drop[j] = -fall * down[j];
}

/* Differences of neurons from .. to since the start of a slice, up to slot n, into the arrays from `at` on. */
static void NAME(rewarded_differences)(const Plastic *p, int32_t slice, int64_t from, int64_t to, int64_t at, int32_t n) {
    const Eligibility *el = &p->eligibility;
    const double c = el->prefix[n];
    for (int32_t q = 0; q < p->separable.ups; q++) {
        const double *restrict now = p->separable.now[q], *restrict then = p->separable.then[q] + slice * p->posts;
        const double *restrict now2 = el->now2[q], *restrict then2 = el->then2[q] + slice * p->posts;
        double *restrict first = el->first[q] + at - from, *restrict second = el->second[q] + at - from;
        INDEPENDENT
        for (int64_t j = from; j < to; j++) {
            double difference = now[j] - then[j];
            first[j] = difference;
            second[j] = fma(c, difference, then2[j] - now2[j]);
        }
    }
}

/* Rows one slice after another, with all that a rule of this form can say; without learning where sum is NULL. */
static void NAME(rewarded_by_slice)(Plastic *p, int64_t count, int32_t n, double *restrict sum) {
    const Separable *sep = &p->separable;
    const Eligibility *el = &p->eligibility;
    int32_t ready = -1;
    for (int64_t k = 0; k < count; k++) {
        const RewardedRow *row = &el->rows[sep->order[k]];
        if (row->slice != ready) NAME(rewarded_differences)(p, ready = row->slice, 0, p->posts, 0, n);
        for (int64_t l = 0; l < row->n; l++) {
            int64_t j = row->target ? row->target[l] : l;
            double e, weight = NAME(rewarded_value)(p, row, l, j, &e, n);
            if (sum) {
                sum[j] += weight;
                NAME(rewarded_learn)(p, row, l, j, weight, e);
            } else row->weight[l] = weight, row->tag[l] = e;
        }
    }
}

/* Bring rows whose slice starts before slot `before` up to now, which is the start of a slice or becomes one. */
static void NAME(rewarded_settle)(Plastic *p, int64_t before) {
    Separable *sep = &p->separable;
    Eligibility *el = &p->eligibility;
    const int32_t n = p->log.slots;
    int64_t count = 0;
    for (int64_t i = 0; i < p->pres; i++) {
        if (p->settled[i] - p->log.first >= before) continue;
        NAME(separable_row)(p, i, &sep->rows[count]);
        NAME(rewarded_row)(p, i, &sep->rows[count], &el->rows[count], n, n);
        count += 1;
        for (int k = 0; k < PRE_TRACES; k++)
            if (p->x[k]) p->x[k][i] *= sep->x_power[k][p->epochs - p->settled[i]];
        p->settled[i] = p->epochs;
        el->lag[i] = 0;
    }
    NAME(order_by_slice)(sep, count);
    if (el->is_pair && !p->pointer) NAME(rewarded_dense)(p, count, n, NULL);
    else NAME(rewarded_by_slice)(p, count, n, NULL);
}

static void NAME(scale_tags)(Plastic *p, double factor) {
    int64_t synapses = p->pointer ? p->pointer[p->pres] : p->pres * p->posts;
    double *restrict tag = p->tag;
    for (int64_t k = 0; k < synapses; k++) tag[k] *= factor;
    p->eligibility.unit = 1.0;
}

static void NAME(rewarded_settle_all)(Plastic *p) {
    Separable *sep = &p->separable;
    Eligibility *el = &p->eligibility;
    const size_t posts = (size_t)p->posts;
    if (p->log.slots) {
        NAME(rewarded_settle)(p, INT64_MAX); /* a row that has just learnt comes back from its slice's start, to rounding */
        int64_t synapses = p->pointer ? p->pointer[p->pres] : p->pres * p->posts;
        for (int64_t k = 0; k < synapses; k++) p->weight[k] = NAME(within)(p->weight[k], p->w_min, p->w_max);
    }
    double scale = el->unit * el->keep_power[p->log.slots];
    if (scale != 1.0) NAME(scale_tags)(p, scale);
    for (int32_t q = 0; q < sep->ups; q++) {
        memset(sep->now[q], 0, posts * sizeof(double)), memset(sep->then[q], 0, posts * sizeof(double));
        memset(el->now2[q], 0, posts * sizeof(double)), memset(el->then2[q], 0, posts * sizeof(double));
    }
    NAME(append_prefix)(el, 0, 0.0);
    for (int64_t j = 0; j < p->posts; j++) p->log.newest[j] = -1;
    el->entries = 0;
    p->log.first = p->epochs;
    p->log.slots = 0;
}

/* Forget the older half of a full window. What is left is measured from its own start. */
static void NAME(rewarded_shift)(Plastic *p) {
    Log *log = &p->log;
    Separable *sep = &p->separable;
    Eligibility *el = &p->eligibility;
    const int32_t half = log->most_slots / 2;
    NAME(rewarded_settle)(p, half);
    const double keep = 1.0 / el->keep_power[half], start = el->prefix[half];
    for (int32_t q = 0; q < sep->ups; q++) {
        const double factor = 1.0 / el->ratio_power[q][half], factor2 = factor * keep, turn = -start * keep;
        double *restrict base = sep->difference[q], *restrict base2 = sep->since[q];
        memcpy(base, sep->then[q] + half / SLICE * p->posts, (size_t)p->posts * sizeof(double));
        memcpy(base2, el->then2[q] + half / SLICE * p->posts, (size_t)p->posts * sizeof(double));
        for (int32_t slice = half / SLICE; slice <= log->slots / SLICE + 1; slice++) { /* the last one: now */
            int is_now = slice > log->slots / SLICE;
            double *from = is_now ? sep->now[q] : sep->then[q] + slice * p->posts;
            double *from2 = is_now ? el->now2[q] : el->then2[q] + slice * p->posts;
            double *into = is_now ? from : from - half / SLICE * p->posts;
            double *into2 = is_now ? from2 : from2 - half / SLICE * p->posts;
            INDEPENDENT
            for (int64_t j = 0; j < p->posts; j++) { /* each term times C - C_half now */
                double first = (from[j] - base[j]) * factor;
                into[j] = first;
                into2[j] = fma(from2[j] - base2[j], factor2, turn * first);
            }
        }
    }
    for (int32_t s = half; s <= log->slots; s++) NAME(append_prefix)(el, s - half, (el->prefix[s] - start) * keep);
    el->unit *= el->keep_power[half];
    if (el->unit < 1e-60) NAME(scale_tags)(p, el->unit);
    int32_t gone = 0;
    while (gone < el->entries && el->spikes[gone].slot < half) gone++;
    el->entries -= gone;
    for (int64_t k = 0; k < el->entries; k++) {
        Spike *spike = &el->spikes[k];
        *spike = el->spikes[k + gone];
        spike->slot -= half, spike->before = spike->before < gone ? -1 : spike->before - gone;
        for (int32_t q = 0; q < sep->ups; q++) spike->gain[q] /= el->ratio_power[q][half];
    }
    for (int64_t j = 0; j < p->posts; j++) log->newest[j] = log->newest[j] < gone ? -1 : log->newest[j] - gone;
    log->first += half;
    log->slots -= half;
}

/* Room for n more entries; 0 where memory is short. */
static int NAME(has_room)(Plastic *p, int64_t n) {
    Eligibility *el = &p->eligibility;
    while (el->entries + n > el->most_entries) {
        Spike *spikes = realloc(el->spikes, 2 * (size_t)el->most_entries * sizeof(Spike));
        if (!spikes) return 0;
        el->spikes = spikes;
        el->most_entries *= 2;
    }
    return 1;
}

/* The spikes of slot s, for later steps. */
static void NAME(rewarded_spikes)(Plastic *p, const int32_t *post, int64_t n_post, int32_t s) {
    Separable *sep = &p->separable;
    Eligibility *el = &p->eligibility;
    for (int64_t k = 0; k < n_post; k++) {
        int64_t j = post[k] - p->post_begin, entry = el->entries++;
        Spike *spike = &el->spikes[entry];
        spike->slot = s, spike->before = p->log.newest[j];
        p->log.newest[j] = (int32_t)entry;
        for (int32_t q = 0; q < sep->ups; q++) {
            const double gain = spike->gain[q] = el->ratio_power[q][s + 1] * sep->gained[q][j];
            sep->now[q][j] += gain;
            el->now2[q][j] = fma(gain, el->prefix[s + 1], el->now2[q][j]);
            sep->gained[q][j] = 0.0;
        }
    }
}

static void NAME(rewarded_step)(Plastic *p, const int32_t *pre, int64_t n_pre, const int32_t *post, int64_t n_post,
                                const double *reward, double *restrict sum) {
    Log *log = &p->log;
    Separable *sep = &p->separable;
    Eligibility *el = &p->eligibility;
    if (log->slots == log->most_slots) NAME(rewarded_shift)(p);
    if (!NAME(has_room)(p, n_post)) NAME(rewarded_settle_all)(p);
    const int32_t s = log->slots, slice_start = (s + 1) / SLICE * SLICE;
    const double step = NAME(factor_value)(&el->reward, reward[p->reward_begin]) * el->keep_power[s];
    NAME(append_prefix)(el, s + 1, el->prefix[s] + step);
    NAME(separable_posts)(p, post, n_post, n_pre);
    if (n_pre) {
        const double to_stored = 1.0 / (el->keep_power[s + 1] * el->unit), unit = NAME(unit_weight)(el);
        el->rise = unit * step;
        el->fall = unit * (el->prefix[s + 1] - el->prefix[slice_start]);
        NAME(rewarded_shared)(p, s, slice_start, to_stored);
        for (int64_t k = 0; k < n_pre; k++) {
            Row *row = &sep->rows[k];
            RewardedRow *rewarded = &el->rows[k];
            NAME(separable_row)(p, pre[k], row);
            NAME(rewarded_row)(p, pre[k], row, rewarded, s, s + 1);
            NAME(separable_spike)(p, pre[k], row, s, slice_start);
            for (int32_t q = 0; q < sep->ups; q++) rewarded->both[q] = row->both[q] * to_stored;
            for (int32_t q = 0; q < sep->downs; q++) rewarded->down[q] = row->down[q] * to_stored;
            el->lag[pre[k]] = (uint8_t)(s + 1 - slice_start);
        }
        NAME(order_by_slice)(sep, n_pre);
        if (el->is_pair && !p->pointer) NAME(rewarded_dense)(p, n_pre, s, sum);
        else if (el->is_pair) NAME(rewarded_sparse)(p, n_pre, s, sum);
        else NAME(rewarded_by_slice)(p, n_pre, s, sum);
    }
    NAME(rewarded_spikes)(p, post, n_post, s);
    for (int32_t q = 0; slice_start == s + 1 && q < sep->ups; q++) {
        memcpy(sep->then[q] + slice_start / SLICE * p->posts, sep->now[q], (size_t)p->posts * sizeof(double));
        memcpy(el->then2[q] + slice_start / SLICE * p->posts, el->now2[q], (size_t)p->posts * sizeof(double));
    }
    log->slots = s + 1;
    p->epochs += 1;
}
