/* Making a shard of a plastic projection, part by part. Arrays of synapses belong to the caller. */

enum { MOST_SLOTS = SLICE * MOST_SLICES };

#ifdef _WIN32
#define EXPORT __declspec(dllexport)
#else
#define EXPORT __attribute__((visibility("default")))
#endif

static void *zeros(size_t count, size_t size) {
    return calloc(count ? count : 1, size);
}

#include "plastic_make_fast.h"

#include "plastic_fixed_make.h"

EXPORT Plastic *nm_plastic_new(int32_t is_fixed, int32_t epoch, int64_t pres, int64_t post_begin, int64_t posts,
                               const int64_t *pointer, const int32_t *target, const uint16_t *group, void *weight,
                               void *tag, double w_min, double w_max, int64_t reward_width, double reward_scale) {
    Plastic *p = zeros(1, sizeof *p);
    if (!p) return NULL;
    p->is_fixed = is_fixed, p->epoch = epoch, p->pres = pres, p->posts = posts, p->post_begin = post_begin;
    p->pointer = pointer, p->target = target, p->group = group;
    p->has_tag = tag != NULL;
    if (is_fixed) p->weight_i = weight, p->tag_i = tag;
    else p->weight = weight, p->tag = tag;
    p->w_min = w_min, p->w_max = w_max;
    p->tag_low = -257, p->tag_high = 255;
    p->reward_width = reward_width > 1 ? posts : reward_width;
    p->reward_begin = reward_width > 1 ? post_begin : 0;
    p->reward_scale = reward_scale;
    return p;
}

/* Float: delays that learn, one for each synapse, which stay the caller's; before the products. Then `into` of a step has a
   place for each delay of 1 .. d_max steps. */
EXPORT void nm_plastic_delays(Plastic *p, double *delay, double d_max) { p->delay = delay, p->d_max = d_max; }

/* kind: ADDS, NEAREST or MEMBRANE; powers: decay^0 .. decay^epoch; it and `values` (the trace of every neuron: all pres,
   or the shard's posts) stay. */
EXPORT void nm_plastic_trace(Plastic *p, int32_t which, int32_t kind, double impulse, double decay, const double *powers,
                             double *values) {
    Trace *trace = &p->trace[which];
    trace->is_used = 1, trace->kind = kind, trace->impulse = impulse, trace->decay = decay, trace->powers = powers;
    p->impulse_fraction[which] = nearbyint((impulse - floor(impulse)) * 256);
    if (which < PRE_TRACES) p->x[which] = values;
    else p->y[which - PRE_TRACES] = values;
}

EXPORT int32_t nm_plastic_product(Plastic *p, int32_t on_tag, double coefficient, int32_t dependency, int32_t sign,
                                  int32_t mantissa, int32_t down, int32_t up, int32_t factors, const int32_t *variables,
                                  const double *constants, const int32_t *signs, const int32_t *limits) {
    if (p->products == MOST_PRODUCTS || factors > MOST_FACTORS) return -1;
    Product *product = &p->product[p->products++];
    product->coefficient = coefficient, product->on_tag = on_tag, product->dependency = dependency;
    product->sign = sign, product->mantissa = mantissa, product->down = down, product->up = up;
    product->factors = factors;
    if (dependency >= 0) p->has_sweeps = 1;
    for (int32_t k = 0; k < factors; k++) {
        product->factor[k] = (Factor){variables[k], signs[k], constants[k], limits[k]};
        if (variables[k] >= Y1 && variables[k] <= Y3 && dependency >= 0) p->sweeps_read_y = 1;
        if (variables[k] == WEIGHT || variables[k] == TAG || variables[k] == DELAY) p->reads_state = 1;
    }
    if (dependency == ON_POST && !p->post_products++) p->first_post_product = p->products - 1;
    return 0;
}

EXPORT void nm_plastic_free(Plastic *p) {
    if (!p) return;
    fixed_free(p);
    Log *log = &p->log;
    void *owned[] = {log->begin, log->id, log->when, log->slot, log->before, log->newest, log->reward, log->rounding,
                     log->table[0], log->table[1], p->settled, p->pre_time, p->post_time, p->pre_list,
                     p->post_list, p->new_weight, p->new_tag, p->new_delay, p->value, p->total_weight, p->total_tag, p->value_i,
                     p->place, p->row_x[0], p->row_x[1], p->order};
    for (size_t k = 0; k < sizeof owned / sizeof *owned; k++) free(owned[k]);
    for (int t = 0; t < POST_TRACES; t++) free(log->y[t]), free(log->y_end[t]), free(p->row_y[t]), free(p->y_at[t]);
    free_fast(p);
    free(p);
}

/* Large projections in float may sum in another order than the reference. */
EXPORT void nm_plastic_may_reorder(Plastic *p, int32_t may_reorder) { p->may_reorder = may_reorder; }

/* After all traces and products: allocates the log and the buffers. Returns -1 where memory is short. */
EXPORT int32_t nm_plastic_ready(Plastic *p) {
    p->is_direct = !p->is_fixed && !p->has_sweeps && !p->reads_state && !p->has_tag && !p->delay && has_summing_traces(p);
    size_t posts = (size_t)p->posts, pres = (size_t)p->pres, longest = posts;
    Log *log = &p->log;
    int64_t width = (p->sweeps_read_y ? p->posts * POST_TRACES : 0) + p->reward_width;
    int64_t slots = width > 4096 ? (1 << 20) / width : 256;
    log->most_slots = slots < 8 ? 8 : (int32_t)slots; /* separates() may want fewer */
    int is_separable = separates(p), is_rewarded = !is_separable && is_rewarded_tag(p);
    log->most_entries = p->posts > 4096 ? 8 * p->posts : 32768;
    size_t most = (size_t)log->most_slots, entries = (size_t)log->most_entries;
    int ok = 1;
#define GET(field, count, kind) ok = ok && (p->field = zeros(count, sizeof(kind)))
    GET(log.begin, most + 1, int64_t);
    GET(log.id, entries, int32_t), GET(log.when, entries, int32_t), GET(log.slot, entries, int32_t);
    GET(log.before, entries, int32_t), GET(log.newest, posts, int32_t);
    GET(log.reward, most * (size_t)p->reward_width, double), GET(log.rounding, most, int32_t);
    for (int t = 0; t < PRE_TRACES; t++) {
        GET(log.table[t], most * TRACE_VALUES, uint8_t);
        GET(row_x[t], most + 1, double);
    }
    for (int t = 0; t < POST_TRACES; t++) {
        if (!p->y[t]) continue;
        GET(log.y[t], entries, double);
        GET(log.y_end[t], (p->sweeps_read_y ? most : 1) * posts, double);
        GET(row_y[t], longest, double), GET(y_at[t], posts, double);
    }
    GET(settled, pres, int64_t);
    GET(pre_time, pres, int32_t), GET(post_time, posts, int32_t);
    GET(pre_list, pres, int32_t), GET(post_list, posts, int32_t);
    GET(place, posts, int32_t), GET(order, most, int32_t);
    if (p->is_fixed) GET(total_weight, longest, int32_t), GET(total_tag, longest, int32_t), GET(value_i, longest, int32_t);
    else GET(new_weight, longest, double), GET(new_tag, longest, double), GET(value, longest, double);
    if (p->delay) GET(new_delay, longest, double);
#undef GET
    if (p->is_fixed) ok = ok && fixed_ready(p);
    for (int64_t j = 0; ok && j < p->posts; j++) log->newest[j] = -1;
    if (ok && (is_separable || is_rewarded)) {
        if (make_separable(p) || (is_rewarded && make_rewarded(p))) return -1;
        p->separable.is_on = is_separable;
        p->eligibility.is_on = is_rewarded;
    }
    return ok ? 0 : -1;
}

/* Fixed point: numbers for the steps after `first_step`, two a step, and for the epochs after `first_epoch`. */
EXPORT void nm_plastic_draws(Plastic *p, int64_t first_step, int64_t first_epoch, const double *x_decay,
                             const double *x_impulse, const double *y_decay, const double *y_impulse,
                             const double *rounding) {
    p->first_step = first_step, p->first_epoch = first_epoch;
    p->draw_decay[0] = x_decay, p->draw_decay[1] = y_decay;
    p->draw_impulse[0] = x_impulse, p->draw_impulse[1] = y_impulse;
    p->draw_rounding = rounding;
}

/* Steps that the session has behind it: epochs count from its first step. */
EXPORT void nm_plastic_at(Plastic *p, int64_t epochs) {
    p->epochs = p->log.first = epochs;
    for (int64_t i = 0; i < p->pres; i++) p->settled[i] = epochs;
}

/* Spike times of the running epoch, as they are after loading a checkpoint. */
EXPORT void nm_plastic_times(Plastic *p, const int64_t *pre_time, const int64_t *post_time) {
    p->pre_count = p->post_count = 0;
    for (int64_t i = 0; i < p->pres; i++)
        if ((p->pre_time[i] = (int32_t)pre_time[i])) p->pre_list[p->pre_count++] = (int32_t)i;
    for (int64_t j = 0; j < p->posts; j++)
        if ((p->post_time[j] = (int32_t)post_time[p->post_begin + j])) p->post_list[p->post_count++] = (int32_t)j;
}

EXPORT void nm_plastic_read_times(const Plastic *p, int64_t *pre_time, int64_t *post_time) {
    for (int64_t i = 0; i < p->pres; i++) pre_time[i] = p->pre_time[i];
    for (int64_t j = 0; j < p->posts; j++) post_time[p->post_begin + j] = p->post_time[j];
}
