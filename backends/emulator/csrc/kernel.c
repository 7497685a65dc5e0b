/* The emulator's kernel: what Python calls. One translation unit, its inner loops compiled for several instruction sets.

   Results are the same to the bit on all of them, and with any number of threads: sums of real numbers keep their order,
   sums of integers are exact. So never compile with -ffast-math, and without contraction (-ffp-contract=off):

       gcc -O3 -std=c11 -fPIC -shared -ffp-contract=off -fno-math-errno -fno-trapping-math -pthread kernel.c -o _kernel.so */
#define _GNU_SOURCE
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#if !defined(__clang__) /* which knows no #pragma GCC target */
#define HAS_LEVELS 1
#endif
#endif

#include "build.h"
#include "build_matrix.h"
#include "kernels.h"
#include "plastic_make.h"
#include "run.h"

#define KERNELS_NAME "baseline"
#define NAME(name) name##_base
#include "body.h"
#undef NAME
#undef KERNELS_NAME

#ifdef HAS_LEVELS
#pragma GCC push_options
#pragma GCC target("arch=x86-64-v3")
#define KERNELS_NAME "x86-64-v3"
#define NAME(name) name##_v3
#include "body.h"
#undef NAME
#undef KERNELS_NAME
#pragma GCC pop_options

#pragma GCC push_options
#pragma GCC target("arch=x86-64-v4", "prefer-vector-width=512")
#define KERNELS_NAME "x86-64-v4"
#define NAME(name) name##_v4
#include "body.h"
#undef NAME
#undef KERNELS_NAME
#pragma GCC pop_options
#endif

enum { MOST_LEVELS = 3 };

/* Levels that this processor has, the best last. */
static int find_levels(const Kernels **found) {
    int count = 0;
    found[count++] = &kernels_base;
#ifdef HAS_LEVELS
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("fma"))
        found[count++] = &kernels_v3;
    if (count == 2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512cd"))
        found[count++] = &kernels_v4;
#endif
    return count;
}

EXPORT int32_t nm_levels(void) {
    const Kernels *found[MOST_LEVELS];
    return find_levels(found);
}

EXPORT const char *nm_level_name(int32_t level) {
    const Kernels *found[MOST_LEVELS];
    int count = find_levels(found);
    return found[level >= 0 && level < count ? level : count - 1]->name;
}

/* level: which instruction set, -1 for the best. NULL where memory ran out. */
EXPORT Network *nm_new(int32_t threads, int32_t is_fixed, int32_t level) {
    Network *net = calloc(1, sizeof(Network));
    if (!net) return 0;
    const Kernels *found[MOST_LEVELS];
    int count = find_levels(found);
    net->kernels = found[level >= 0 && level < count ? level : count - 1];
    net->threads = threads < 1 ? 1 : threads > MOST_THREADS ? MOST_THREADS : threads;
    net->is_fixed = is_fixed;
    return net;
}

EXPORT void nm_free(Network *net) {
    if (net) free_network(net);
}

/* Returns the index of the population, inputs and populations together. */
EXPORT int32_t nm_add_input(Network *net, int64_t size) {
    Population given = {.size = size, .is_input = 1};
    return add_population(net, &given);
}

/* All arrays stay the caller's. waiting and refractory are NULL where no neuron has a refractory period. */
EXPORT int32_t nm_add_population(Network *net, int64_t size, void *u, void *v, const void *keep_u, const void *keep_v,
                                 const void *threshold, const void *bias, int32_t *waiting, const int32_t *refractory) {
    Population given = {.size = size, .u = u, .v = v, .keep_u = keep_u, .keep_v = keep_v, .threshold = threshold,
                        .bias = bias, .waiting = waiting, .refractory = refractory};
    return add_population(net, &given);
}

/* In float: spikes add `increment` to thresholds, and `keep` of what was added is left after a step. One entry for each
   neuron; the arrays stay the caller's. */
EXPORT void nm_adapt(Network *net, int32_t population, double *adaptation, const double *keep, const double *increment) {
    Population *p = &net->population[population];
    p->adaptation = adaptation, p->keep_adaptation = keep, p->increment = increment;
}

/* Whether all neurons have the parameters of the first one; to be said again where parameters were written. */
EXPORT void nm_uniform(Network *net, int32_t population, int32_t is_uniform) {
    net->population[population].is_uniform = is_uniform;
}

EXPORT int32_t nm_add_projection(Network *net, int32_t pre, int32_t post) { return add_projection(net, pre, post); }

/* An empty projection, or one emptied again. unit: float, what 1 in a ring of integers means; factor and down: fixed
   point, sums enter as sum * factor >> down. groups: delays of synapses that learn, 0 for others. */
EXPORT int32_t nm_shape(Network *net, int32_t projection, int64_t depth, int32_t ring, double unit, int32_t factor,
                        int32_t down, int32_t is_staged, int64_t groups, const int64_t *delays) {
    Projection *p = &net->projection[projection];
    free_groups(net, p);
    free_ring(p);
    p->unit = unit, p->factor = factor, p->down = down, p->is_staged = is_staged;
    if (groups && !p->plastic && !(p->plastic = calloc((size_t)net->threads, sizeof(Plastic *)))) return -1;
    for (int64_t g = 0; g < groups; g++)
        if (!add_group(net, p, delays[g], FLOAT64, SPARSE)) return -1;
    return make_ring(net, p, depth, ring);
}

/* Synapses that share a delay, of all that `given` has; `width`: of tiles. */
EXPORT int32_t nm_add_synapses(Network *net, int32_t projection, int64_t delay, int32_t weight, int32_t format,
                               int64_t width, const Synapses *given) {
    Projection *p = &net->projection[projection];
    Group *group = add_group(net, p, delay, weight, format);
    return group ? build_group(net, p, group, given, width) : -1;
}

EXPORT void nm_survey(const Synapses *given, int64_t posts, Survey *found) { *found = survey_weights(given, posts); }

/* The neurons of a thread in a population are first .. last. */
EXPORT void nm_share(const Network *net, int32_t population, int32_t thread, int64_t *first, int64_t *last) {
    *first = net->population[population].first[thread];
    *last = net->population[population].first[thread + 1];
}

EXPORT void nm_set_plastic(Network *net, int32_t projection, int32_t thread, Plastic *plastic) {
    const Population *post = &net->population[net->projection[projection].post];
    net->projection[projection].plastic[thread] = plastic;
    if (plastic && !net->is_fixed) plastic->membrane = (const double *)post->v + post->first[thread];
}

EXPORT void nm_plastic_settle(const Network *net, Plastic *plastic) { net->kernels->settle_plastic(plastic); }

/* Bytes of the ring's entries, and how many there are from one row to the next. */
EXPORT void *nm_ring(const Network *net, int32_t projection, int64_t *size) {
    *size = net->projection[projection].ring.size;
    return ring_place(&net->projection[projection].ring, 0);
}

/* Whether rows of a ring hold anything, by thread and row. */
EXPORT uint8_t *nm_sent(const Network *net, int32_t projection) { return net->projection[projection].sent; }

EXPORT void nm_set_step(Network *net, int64_t step) { net->step = step; }

/* What the next runs are fed with and write: row k of all these arrays belongs to the step with that row. */
EXPORT void nm_feed(Network *net, int32_t population, const int64_t *start, const int32_t *ids) {
    net->population[population].feed_start = start;
    net->population[population].feed_ids = ids;
}

EXPORT void nm_record(Network *net, int32_t population, int64_t *steps, int64_t *ids, int64_t capacity) {
    Population *p = &net->population[population];
    p->out_steps = steps, p->out_ids = ids, p->capacity = capacity;
}

EXPORT void nm_probe(Network *net, int32_t population, double *u, double *v, double *adaptation) {
    Population *p = &net->population[population];
    p->out_u = u, p->out_v = v, p->out_adaptation = adaptation;
}

EXPORT void nm_factors(Network *net, int32_t projection, const double *factors, int64_t width) {
    net->projection[projection].factors = factors;
    net->projection[projection].factor_width = width;
}

/* Spikes of a run as lists, one for each step, from events in order of step. */
EXPORT void nm_lists(const int64_t *event_steps, const int64_t *event_ids, int64_t count, int64_t steps, int64_t *start,
                     int32_t *ids) {
    int64_t e = 0;
    for (int64_t k = 0; k < steps; k++) {
        start[k] = e;
        while (e < count && event_steps[e] == k) e++;
    }
    start[steps] = e;
    for (e = 0; e < start[steps]; e++) ids[e] = (int32_t)event_ids[e];
}

static int make_worker(Worker *w, Network *net, int64_t *used) {
    int64_t populations = net->populations, most = 1;
    for (int64_t k = 0; k < net->projections; k++)
        if (net->projection[k].groups > most) most = net->projection[k].groups;
    w->net = net;
    w->spikes = calloc((size_t)populations + 1, sizeof(Spikes));
    w->together = calloc((size_t)populations + 1, sizeof(int32_t *));
    w->used = calloc((size_t)populations + 1, sizeof(int64_t));
    w->into = calloc((size_t)most, sizeof(void *));
    w->current = lines(BLOCK * (int64_t)sizeof(double));
    if (!w->spikes || !w->together || !w->used || !w->into || !w->current) return -1;
    memcpy(w->used, used, (size_t)populations * sizeof(int64_t));
    for (int64_t k = 0; k < populations && net->threads > 1; k++)
        if (!net->population[k].is_input &&
            !(w->together[k] = malloc((size_t)net->population[k].size * sizeof(int32_t))))
            return -1;
    return 0;
}

static void free_worker(Worker *w) {
    for (int64_t k = 0; w->together && k < w->net->populations; k++) free(w->together[k]);
    free(w->spikes);
    free(w->together);
    free(w->used);
    free(w->into);
    free(w->current);
}

/* Runs `steps` steps, the first one with row `row`; fewer where spikes might no longer fit what records them. `used`: by
   population, events that were recorded. Returns how many steps it ran, -1 where memory or threads lack. */
EXPORT int64_t nm_run(Network *net, int64_t row, int64_t steps, int64_t *used) {
    Worker *workers = calloc((size_t)net->threads, sizeof(Worker));
    pthread_t threads[MOST_THREADS];
    Barrier barrier = {.parties = net->threads};
    atomic_int start = 0;
    int64_t done = -1;
    int ready = workers != 0, running = 0;
    for (int t = 0; t < net->threads && ready; t++) {
        workers[t].barrier = &barrier, workers[t].start = &start, workers[t].index = t;
        workers[t].row = row, workers[t].steps = steps;
        ready = make_worker(&workers[t], net, used) == 0;
    }
    for (int t = 1; t < net->threads && ready; t++) {
        ready = pthread_create(&threads[t], 0, thread_main, &workers[t]) == 0;
        running += ready;
    }
    atomic_store_explicit(&start, ready ? 1 : -1, memory_order_release);
    if (ready) run_worker(&workers[0]);
    for (int t = 1; t <= running; t++) pthread_join(threads[t], 0);
    if (ready) {
        done = workers[0].done;
        net->step += done;
        memcpy(used, workers[0].used, (size_t)net->populations * sizeof(int64_t));
    }
    for (int t = 0; workers && t < net->threads && workers[t].net; t++) free_worker(&workers[t]);
    free(workers);
    return done;
}
