/* The loop over steps. */
#ifndef NEUROMORPH_RUN_H
#define NEUROMORPH_RUN_H

#include "kernels.h"
#include "threads.h"

typedef struct {
    int64_t count;
    const int32_t *ids;
} Spikes;

typedef struct {
    Network *net;
    Barrier *barrier;
    atomic_int *start; /* 0: wait, 1: go, -1: another thread could not be started */
    int index;
    int64_t row, steps, done;
    Spikes *spikes;     /* of this step, by population, all threads together */
    int32_t **together; /* where they are put together */
    int64_t *used;      /* events recorded, by population */
    void **into;        /* for synapses that learn: where each delay's currents add up */
    double *current;    /* of a block of neurons; int32 in fixed point */
} Worker;

static void update_neurons(const Worker *w, int64_t index, int64_t step) {
    const Network *net = w->net;
    const Population *p = &net->population[index];
    SpikeList *list = &p->list[step & 1][w->index];
    int64_t found = 0;
    for (int64_t first = p->first[w->index]; first < p->first[w->index + 1]; first += BLOCK) {
        int64_t count = p->first[w->index + 1] - first;
        if (count > BLOCK) count = BLOCK;
        int adds = 0;
        for (const int64_t *next = net->incoming[index]; *next >= 0; next++) {
            const Projection *projection = &net->projection[*next];
            const Ring *ring = &projection->ring;
            int64_t row = ring_row(ring, step);
            if (!projection->sent[w->index * ring->depth + row]) continue;
            int64_t at = row * ring->size + first;
            /* rows that a matrix overwrites need not be cleared */
            const Group *group = projection->groups && !projection->plastic && !projection->is_staged ? projection->group : 0;
            int clears = !group || group->format != DENSE;
            int32_t factor = projection->is_staged ? 1 : projection->factor; /* a stage is scaled when it is flushed */
            int32_t down = projection->is_staged ? 0 : projection->down;
            if (ring->is_double)
                net->kernels->read_double[2](w->current, ring->d + at, projection->unit, count, adds, clears);
            else if (net->is_fixed && ring->h)
                net->kernels->read_whole[0]((int32_t *)w->current, ring->h + at, factor, down, count, adds, clears);
            else if (net->is_fixed)
                net->kernels->read_whole[1]((int32_t *)w->current, ring->i + at, factor, down, count, adds, clears);
            else if (ring->h)
                net->kernels->read_double[0](w->current, ring->h + at, projection->unit, count, adds, clears);
            else
                net->kernels->read_double[1](w->current, ring->i + at, projection->unit, count, adds, clears);
            adds = 1;
        }
        if (!adds) memset(w->current, 0, (size_t)count * (net->is_fixed ? sizeof(int32_t) : sizeof(double)));
        StepNeurons *update = net->is_fixed   ? net->kernels->step_whole
                              : p->adaptation ? net->kernels->step_adapting
                                              : net->kernels->step_double;
        found += update(p, first, count, w->current, list->ids + found);
    }
    for (const int64_t *next = net->incoming[index]; *next >= 0; next++) {
        const Projection *projection = &net->projection[*next];
        projection->sent[w->index * projection->ring.depth + ring_row(&projection->ring, step)] = 0;
    }
    list->count = found;
}

static void collect_spikes(Worker *w, int64_t step, int64_t row) {
    const Network *net = w->net;
    for (int64_t k = 0; k < net->populations; k++) {
        const Population *p = &net->population[k];
        Spikes *spikes = &w->spikes[k];
        if (p->is_input) {
            spikes->ids = p->feed_ids + p->feed_start[row];
            spikes->count = p->feed_start[row + 1] - p->feed_start[row];
            continue;
        }
        const SpikeList *list = p->list[step & 1];
        if (net->threads == 1) {
            spikes->ids = list->ids;
            spikes->count = list->count;
        } else {
            spikes->ids = w->together[k];
            spikes->count = 0;
            for (int t = 0; t < net->threads; t++) {
                memcpy(w->together[k] + spikes->count, list[t].ids, (size_t)list[t].count * sizeof(int32_t));
                spikes->count += list[t].count;
            }
        }
        if (k % net->threads == w->index) {
            int64_t *restrict steps = p->out_steps + w->used[k], *restrict ids = p->out_ids + w->used[k];
            for (int64_t s = 0; s < spikes->count; s++) {
                steps[s] = row;
                ids[s] = spikes->ids[s];
            }
        }
        w->used[k] += spikes->count;
    }
}

static void record_states(const Worker *w, int64_t row) {
    const Network *net = w->net;
    for (int64_t k = 0; k < net->populations; k++) {
        const Population *p = &net->population[k];
        if (p->is_input || (!p->out_u && !p->out_v && !p->out_adaptation)) continue;
        double *const outs[] = {p->out_u, p->out_v, p->out_adaptation};
        const void *const states[] = {p->u, p->v, p->adaptation};
        for (int which = 0; which < 3; which++) {
            if (!outs[which]) continue;
            double *out = outs[which] + row * p->size;
            const void *state = states[which];
            for (int64_t i = p->first[w->index]; i < p->first[w->index + 1]; i++)
                out[i] = net->is_fixed ? (double)((const int32_t *)state)[i] : ((const double *)state)[i];
        }
    }
}

/* What was summed in a row of the stage enters the ring, shifted where a chip would; the stage is empty again. */
static void flush_stage(const Worker *w, const Projection *projection, int64_t stage_row, int64_t ring_at) {
    const Population *post = &w->net->population[projection->post];
    const Ring *ring = &projection->ring;
    int64_t first = post->first[w->index], count = post->first[w->index + 1] - first;
    if (ring->is_double) {
        double *restrict stage = (double *)projection->stage + stage_row * ring->size + first;
        double *restrict row = ring->d + ring_at + first;
        for (int64_t i = 0; i < count; i++) row[i] += stage[i];
        memset(stage, 0, (size_t)count * sizeof(double));
        return;
    }
    int32_t *restrict stage = (int32_t *)projection->stage + stage_row * ring->size + first;
    int32_t *restrict row = ring->i + ring_at + first;
    for (int64_t i = 0; i < count; i++) {
        int32_t value = (int32_t)((uint32_t)stage[i] * (uint32_t)projection->factor) >> projection->down;
        row[i] = (int32_t)((uint32_t)row[i] + (uint32_t)value);
    }
    memset(stage, 0, (size_t)count * sizeof(int32_t));
}

static void *ring_place(const Ring *ring, int64_t at) {
    return ring->is_double ? (void *)(ring->d + at) : ring->h ? (void *)(ring->h + at) : (void *)(ring->i + at);
}

static Deliver *delivery(const Kernels *kernels, const Group *group, int into16) {
    switch (group->format) {
        case DENSE: return kernels->dense[group->weight];
        case SPARSE: return kernels->sparse[group->weight][into16];
        default: return kernels->sparse_delta[group->weight][into16];
    }
}

static void deliver_spikes(const Worker *w, const Projection *projection, int64_t step) {
    const Network *net = w->net;
    const Spikes *pre = &w->spikes[projection->pre];
    const Ring *ring = &projection->ring;
    if (pre->count == 0) return;
    for (int64_t g = 0; g < projection->groups; g++) {
        const Group *group = &projection->group[g];
        const Shard *shard = &group->shard[w->index];
        if (!shard->tiles) continue;
        int64_t arrival = ring_row(ring, step + group->delay), at = arrival * ring->size;
        void *row = projection->is_staged ? projection->stage : ring_place(ring, at);
        Deliver *deliver = delivery(net->kernels, group, ring->h != 0);
        for (int64_t t = 0; t < shard->tiles; t++) deliver(&shard->tile[t], pre->ids, pre->count, group->pres, row);
        projection->sent[w->index * ring->depth + arrival] = 1;
        if (projection->is_staged) flush_stage(w, projection, 0, at);
    }
}

static void learn(const Worker *w, const Projection *projection, int64_t step, int64_t row) {
    const Network *net = w->net;
    const Spikes *pre = &w->spikes[projection->pre];
    const Population *post = &net->population[projection->post];
    const SpikeList *own = &post->list[step & 1][w->index];
    const Ring *ring = &projection->ring;
    Plastic *plastic = projection->plastic[w->index];
    if (!plastic) return; /* this thread owns none of the neurons */
    int64_t first = post->first[w->index];
    for (int64_t g = 0; g < projection->groups; g++) {
        int64_t arrival = ring_row(ring, step + projection->group[g].delay);
        if (!projection->is_staged)
            w->into[g] = ring_place(ring, arrival * ring->size + first);
        else if (ring->is_double)
            w->into[g] = (double *)projection->stage + g * ring->size + first;
        else
            w->into[g] = (int32_t *)projection->stage + g * ring->size + first;
        if (pre->count) projection->sent[w->index * ring->depth + arrival] = 1;
    }
    const double *r = projection->factors ? projection->factors + row * projection->factor_width : 0;
    net->kernels->step_plastic(plastic, step, pre->ids, pre->count, own->ids, own->count, r, w->into);
    for (int64_t g = 0; g < projection->groups && projection->is_staged && pre->count; g++)
        flush_stage(w, projection, g, ring_row(ring, step + projection->group[g].delay) * ring->size);
}

/* Whether the next step's spikes surely fit; every thread comes to the same answer. */
static int has_room(const Worker *w) {
    const Network *net = w->net;
    for (int64_t k = 0; k < net->populations; k++) {
        const Population *p = &net->population[k];
        if (!p->is_input && w->used[k] + p->size > p->capacity) return 0;
    }
    return 1;
}

static void run_worker(Worker *w) {
    const Network *net = w->net;
    for (w->done = 0; w->done < w->steps && has_room(w); w->done++) {
        int64_t step = net->step + w->done + 1, row = w->row + w->done;
        for (int64_t k = 0; k < net->populations; k++)
            if (!net->population[k].is_input) update_neurons(w, k, step);
        if (net->threads > 1) barrier_pass(w->barrier);
        collect_spikes(w, step, row);
        for (int64_t k = 0; k < net->projections; k++) {
            const Projection *projection = &net->projection[k];
            if (projection->plastic)
                learn(w, projection, step, row);
            else
                deliver_spikes(w, projection, step);
        }
        record_states(w, row);
    }
}

static void *thread_main(void *given) {
    Worker *w = given;
    int go;
    while ((go = atomic_load_explicit(w->start, memory_order_acquire)) == 0) sched_yield();
    if (go > 0) run_worker(w);
    return 0;
}

#endif
