/* Making and freeing a network. Whatever returns an int returns -1 where memory ran out. */
#ifndef NEUROMORPH_BUILD_H
#define NEUROMORPH_BUILD_H

#include <stdlib.h>
#include <sys/mman.h>
#include <string.h>

#include "kernels.h"

enum { LARGE_PAGE = 1 << 21 };

/* Zeroed, at the start of a cache line; large ones in large pages where the system has them, for rows lie anywhere. */
static void *lines(int64_t bytes) {
    void *memory = 0;
    size_t unit = bytes >= LARGE_PAGE ? LARGE_PAGE : LINE;
    size_t size = ((size_t)bytes + unit - 1) / unit * unit;
    if (posix_memalign(&memory, unit, size ? size : LINE)) return 0;
#ifdef MADV_HUGEPAGE
    if (bytes >= LARGE_PAGE) madvise(memory, size, MADV_HUGEPAGE);
#endif
    return memset(memory, 0, size);
}

/* One more element, zeroed, at the end of an array. */
static void *grown(void *array, int64_t count, size_t each) {
    void *memory = realloc(array, (size_t)(count + 1) * each);
    if (memory) memset((char *)memory + (size_t)count * each, 0, each);
    return memory;
}

/* Neurons are shared out in whole lines of 64, so that threads write into lines of their own. */
static void share_out(Population *p, int threads) {
    int64_t units = (p->size + LINE - 1) / LINE;
    for (int t = 0; t <= threads; t++) {
        int64_t first = units * t / threads * LINE;
        p->first[t] = first < p->size ? first : p->size;
    }
}

static int add_population(Network *net, const Population *given) {
    Population *all = grown(net->population, net->populations, sizeof(Population));
    if (!all) return -1;
    net->population = all;
    Population *p = &all[net->populations];
    *p = *given;
    int64_t **incoming = grown(net->incoming, net->populations, sizeof(int64_t *));
    if (!incoming) return -1;
    net->incoming = incoming;
    if (!(incoming[net->populations] = grown(0, 0, sizeof(int64_t)))) return -1;
    incoming[net->populations][0] = -1;
    net->populations++;
    share_out(p, net->threads);
    for (int parity = 0; parity < 2 && !p->is_input; parity++) {
        if (!(p->list[parity] = lines(net->threads * (int64_t)sizeof(SpikeList)))) return -1;
        for (int t = 0; t < net->threads; t++) {
            int64_t most = p->first[t + 1] - p->first[t] + LIST_SLACK;
            if (!(p->list[parity][t].ids = lines(most * (int64_t)sizeof(int32_t)))) return -1;
        }
    }
    return (int)net->populations - 1;
}

static int make_ring(Network *net, Projection *projection, int64_t depth, int kind) {
    Ring *ring = &projection->ring;
    ring->depth = depth;
    ring->size = (net->population[projection->post].size + LINE - 1) / LINE * LINE;
    ring->is_double = kind == RING_DOUBLE;
    int64_t entries = depth * ring->size;
    if (kind == RING_INT16)
        ring->h = lines(entries * (int64_t)sizeof(int16_t));
    else if (kind == RING_INT32)
        ring->i = lines(entries * (int64_t)sizeof(int32_t));
    else
        ring->d = lines(entries * (int64_t)sizeof(double));
    if (!ring->h && !ring->i && !ring->d) return -1;
    if (projection->is_staged) {
        int64_t rows = projection->plastic ? projection->groups : 1;
        projection->stage = lines(rows * ring->size * (int64_t)sizeof(double));
        if (!projection->stage) return -1;
    }
    projection->sent = lines(net->threads * depth);
    return projection->sent ? 0 : -1;
}

static void free_groups(Network *net, Projection *projection) {
    for (int64_t g = 0; g < projection->groups; g++) {
        Group *group = &projection->group[g];
        for (int t = 0; group->shard && t < net->threads; t++) {
            for (int64_t k = 0; k < group->shard[t].tiles; k++) {
                free(group->shard[t].tile[k].start);
                free(group->shard[t].tile[k].data);
            }
            free(group->shard[t].tile);
        }
        free(group->shard);
    }
    free(projection->group);
    projection->group = 0;
    projection->groups = 0;
}

static void free_ring(Projection *projection) {
    free(projection->ring.h);
    free(projection->ring.i);
    free(projection->ring.d);
    free(projection->stage);
    free(projection->sent);
    memset(&projection->ring, 0, sizeof(Ring));
    projection->stage = 0;
    projection->sent = 0;
}

static int add_projection(Network *net, int64_t pre, int64_t post) {
    Projection *all = grown(net->projection, net->projections, sizeof(Projection));
    if (!all) return -1;
    net->projection = all;
    all[net->projections].pre = pre;
    all[net->projections].post = post;
    int64_t count = 0;
    while (net->incoming[post][count] >= 0) count++;
    int64_t *incoming = grown(net->incoming[post], count + 1, sizeof(int64_t));
    if (!incoming) return -1;
    incoming[count] = net->projections;
    incoming[count + 1] = -1;
    net->incoming[post] = incoming;
    return (int)net->projections++;
}

static Group *add_group(Network *net, Projection *projection, int64_t delay, int weight, int format) {
    Group *all = grown(projection->group, projection->groups, sizeof(Group));
    if (!all) return 0;
    projection->group = all;
    Group *group = &all[projection->groups++];
    group->delay = delay;
    group->weight = weight;
    group->format = format;
    group->pres = net->population[projection->pre].size;
    group->shard = calloc((size_t)net->threads, sizeof(Shard));
    return group->shard ? group : 0;
}

static void free_network(Network *net) {
    for (int64_t k = 0; k < net->projections; k++) {
        free_groups(net, &net->projection[k]);
        free_ring(&net->projection[k]);
        free(net->projection[k].plastic);
    }
    for (int64_t k = 0; k < net->populations; k++) {
        for (int parity = 0; parity < 2; parity++) {
            for (int t = 0; net->population[k].list[parity] && t < net->threads; t++)
                free(net->population[k].list[parity][t].ids);
            free(net->population[k].list[parity]);
        }
        free(net->incoming[k]);
    }
    free(net->population);
    free(net->projection);
    free(net->incoming);
    free(net);
}

#endif
