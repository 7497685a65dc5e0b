/* One time step of a shard: bring rows of spiking neurons up to date, deliver them, take in the spikes, end epochs. */

static void NAME(settle_row)(Plastic *p, int64_t i) {
    int64_t start = p->settled[i] - p->log.first;
    if (start < p->log.slots) {
        if (p->is_fixed) NAME(replay_i)(p, i, (int32_t)start, p->log.slots);
        else NAME(replay)(p, i, (int32_t)start, p->log.slots);
    }
    p->settled[i] = p->epochs;
}

#include "plastic_separable.h"
#include "plastic_eligibility.h"

static void NAME(settled_i)(Plastic *p);

static void NAME(settle_all)(Plastic *p) {
    if (p->separable.is_on) {
        NAME(separable_settle_all)(p);
        return;
    }
    if (p->eligibility.is_on) {
        NAME(rewarded_settle_all)(p);
        return;
    }
    for (int64_t i = 0; i < p->pres; i++) NAME(settle_row)(p, i);
    Log *log = &p->log;
    log->first = p->epochs;
    log->slots = 0;
    if (p->is_fixed) NAME(settled_i)(p);
    if (p->pointer)
        for (int64_t j = 0; j < p->posts; j++) log->newest[j] = -1;
}

/* What the spikes of a neuron carry, into the current of the steps in which they arrive. */
static void NAME(deliver_row)(const Plastic *p, int64_t i, void *const *into) {
    int64_t first = p->pointer ? p->pointer[i] : i * p->posts, n = p->pointer ? p->pointer[i + 1] - first : p->posts;
    const int32_t *target = p->pointer ? p->target + first : NULL;
    const uint16_t *group = p->group ? p->group + first : NULL;
    if (p->is_fixed) {
        const int16_t *restrict weight = p->weight_i + first;
        if (group)
            for (int64_t k = 0; k < n; k++) ((int32_t *)into[group[k]])[target ? target[k] : k] += weight[k];
        else if (target) {
            int32_t *restrict sum = into[0];
            for (int64_t k = 0; k < n; k++) sum[target[k]] += weight[k];
        } else {
            int32_t *restrict sum = into[0];
            for (int64_t k = 0; k < n; k++) sum[k] += weight[k];
        }
        return;
    }
    const double *restrict weight = p->weight + first;
    if (p->delay) /* the nearest whole step, halves to the even one */
        for (int64_t k = 0; k < n; k++)
            ((double *)into[(int64_t)nearbyint(p->delay[first + k]) - 1])[target ? target[k] : k] += weight[k];
    else if (group)
        for (int64_t k = 0; k < n; k++) ((double *)into[group[k]])[target ? target[k] : k] += weight[k];
    else if (target) {
        double *restrict sum = into[0];
        for (int64_t k = 0; k < n; k++) sum[target[k]] += weight[k];
    } else {
        double *restrict sum = into[0];
        for (int64_t k = 0; k < n; k++) sum[k] += weight[k];
    }
}

/* An earlier spike of the running epoch acts at the epoch's start. */
static void NAME(again)(Plastic *p, int64_t neuron, int first, int last, double **values, const double *draw) {
    for (int k = first; k < last; k++) {
        const Trace *trace = &p->trace[k];
        if (!trace->is_used) continue;
        double *value = &values[k - first][neuron];
        if (!p->is_fixed) {
            *value = (trace->kind == NEAREST ? 0.0 : *value) + trace->impulse;
            continue;
        }
        double whole = floor(trace->impulse), drawn = draw ? *draw : 0.0;
        double sum = *value + whole + (drawn < p->impulse_fraction[k] ? 1.0 : 0.0);
        *value = sum > LARGEST_TRACE ? LARGEST_TRACE : sum;
    }
}

/* Postsynaptic trace t of neuron j, `when` steps into the epoch, spikes of that step included. */
static double NAME(y_value)(const Plastic *p, int t, int64_t j, int32_t when) {
    const Trace *trace = &p->trace[PRE_TRACES + t];
    if (trace->kind == MEMBRANE) { /* epochs have one step */
        double followed = p->post_time[j] ? trace->impulse : p->membrane[j];
        return trace->decay * p->y[t][j] + (1.0 - trace->decay) * followed;
    }
    return NAME(trace_at)(trace, p->y[t][j], p->post_time[j], when);
}

/* All of trace t, `when` steps into the epoch. */
static void NAME(y_all)(const Plastic *p, int t, int32_t when, double *restrict into) {
    const Trace *trace = &p->trace[PRE_TRACES + t];
    const double *restrict start = p->y[t];
    double factor = trace->powers[when];
    if (trace->kind == MEMBRANE) {
        const double *restrict v = p->membrane;
        double gain = 1.0 - factor;
        for (int64_t j = 0; j < p->posts; j++) into[j] = factor * start[j] + gain * v[j];
    } else
        for (int64_t j = 0; j < p->posts; j++) into[j] = factor * start[j];
    for (int64_t k = 0; k < p->post_count; k++) {
        int64_t j = p->post_list[k];
        into[j] = NAME(y_value)(p, t, j, when);
    }
}

#include "plastic_fixed_step.h"

static void NAME(end_epoch)(Plastic *p, const double *reward) {
    Log *log = &p->log;
    if (log->slots == log->most_slots || (log->slots ? log->begin[log->slots] : 0) + p->post_count > log->most_entries)
        NAME(settle_all)(p);
    int32_t s = log->slots;
    /* 1. the log: what replays of this epoch need */
    if (s == 0) log->begin[0] = 0;
    int64_t entry = log->begin[s];
    for (int64_t k = 0; k < p->post_count; k++, entry++) {
        int32_t j = p->post_list[k];
        log->id[entry] = j;
        log->when[entry] = p->post_time[j];
        log->slot[entry] = s;
        for (int t = 0; t < POST_TRACES; t++)
            if (p->y[t]) log->y[t][entry] = NAME(y_value)(p, t, j, p->post_time[j]);
        if (p->pointer) {
            log->before[entry] = log->newest[j];
            log->newest[j] = (int32_t)entry;
        }
    }
    log->begin[s + 1] = entry;
    if (p->reward_width) {
        double *into = log->reward + (int64_t)s * p->reward_width;
        for (int64_t k = 0; k < p->reward_width; k++) {
            double r = reward[k + p->reward_begin];
            into[k] = r;
        }
    }
    double *y_end[POST_TRACES] = {NULL, NULL, NULL};
    for (int t = 0; t < POST_TRACES; t++) {
        if (!p->y[t]) continue;
        y_end[t] = p->sweeps_read_y ? log->y_end[t] + (int64_t)s * p->posts : log->y_end[t];
        NAME(y_all)(p, t, p->epoch, y_end[t]);
    }
    log->slots = s + 1;
    p->epochs += 1;
    /* 2. rows whose neuron spiked learn now */
    for (int32_t when = 1; when <= p->epoch && p->pre_count; when++) {
        int is_ready = 0;
        for (int64_t k = 0; k < p->pre_count; k++) {
            int64_t i = p->pre_list[k];
            if (p->pre_time[i] != when) continue;
            if (!is_ready) {
                for (int t = 0; t < POST_TRACES; t++)
                    if (p->y[t]) NAME(y_all)(p, t, when, p->y_at[t]);
                is_ready = 1;
            }
            if (p->pointer)
                for (int64_t at = p->pointer[i]; at < p->pointer[i + 1]; at++)
                    p->place[p->target[at]] = (int32_t)(at - p->pointer[i]);
            double x[PRE_TRACES] = {p->x[0] ? p->x[0][i] : 0.0, p->x[1] ? p->x[1][i] : 0.0};
            if (p->is_direct && !p->pointer) NAME(direct_row)(p, i, s, when, x);
            else NAME(whole_row)(p, i, s, when, x);
            NAME(advance_x)(p, x, when);
            for (int t = 0; t < PRE_TRACES; t++)
                if (p->x[t]) p->x[t][i] = x[t];
            p->settled[i] = p->epochs;
        }
    }
    /* 3. a new epoch */
    for (int t = 0; t < POST_TRACES; t++)
        if (p->y[t]) memcpy(p->y[t], y_end[t], (size_t)p->posts * sizeof(double));
    for (int64_t k = 0; k < p->pre_count; k++) p->pre_time[p->pre_list[k]] = 0;
    for (int64_t k = 0; k < p->post_count; k++) p->post_time[p->post_list[k]] = 0;
    p->pre_count = p->post_count = 0;
}

/* Presynaptic spikes as neurons, postsynaptic ones of the shard's range as neurons of the whole population. `into`: for
   each delay, where its current of this step's spikes adds up, beginning with the shard's first neuron. */
static void NAME(plastic_step)(Plastic *p, int64_t step, const int32_t *pre, int64_t n_pre, const int32_t *post,
                               int64_t n_post, const double *reward, void *const *into) {
    if (p->separable.is_on) {
        NAME(separable_step)(p, pre, n_pre, post, n_post, into[0]);
        return;
    }
    if (p->eligibility.is_on) {
        NAME(rewarded_step)(p, pre, n_pre, post, n_post, reward, into[0]);
        return;
    }
    int32_t offset = (int32_t)(step % p->epoch ? step % p->epoch : p->epoch);
    for (int64_t k = 0; k < n_pre; k++) {
        int64_t i = pre[k];
        if (p->is_fixed && k + 1 < n_pre) NAME(prefetch_i)(p, pre[k + 1]);
        NAME(settle_row)(p, i);
        NAME(deliver_row)(p, i, into);
        if (p->pre_time[i]) NAME(again)(p, i, 0, PRE_TRACES, p->x, NULL);
        else p->pre_list[p->pre_count++] = (int32_t)i;
        p->pre_time[i] = offset;
    }
    const double *draw = p->is_fixed ? &p->draw_impulse[1][2 * (step - p->first_step) - 2] : NULL;
    for (int64_t k = 0; k < n_post; k++) {
        int64_t j = post[k] - p->post_begin;
        if (p->post_time[j] && p->is_fixed) NAME(again_y_i)(p, j, *draw);
        else if (p->post_time[j]) NAME(again)(p, j, PRE_TRACES, TRACES, p->y, draw);
        else p->post_list[p->post_count++] = (int32_t)j;
        p->post_time[j] = offset;
    }
    if (offset == p->epoch) {
        if (p->is_fixed) NAME(end_epoch_i)(p, step, reward);
        else NAME(end_epoch)(p, reward);
    }
}
