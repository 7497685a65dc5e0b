/* A network in memory: populations, projections, and what belongs to each thread. */
#ifndef NEUROMORPH_NETWORK_H
#define NEUROMORPH_NETWORK_H

#include <stdint.h>

#include "plastic.h"
#include "ring.h"

enum {
    MOST_THREADS = 64,
    BLOCK = 1024,     /* neurons that are updated together: their currents stay in the first cache */
    LIST_SLACK = 64,  /* entries behind a list of spikes that a vector may overwrite */
    DATA_SLACK = 128, /* bytes behind weights that a vector may read */
    LINE = 64,        /* bytes of a cache line */
    FETCHED = 6144,   /* bytes of rows that are fetched ahead: fewer wait for memory, more push each other out */
    LEAST_AHEAD = 2,
    MOST_AHEAD = 16,  /* rows */
    MOST_FETCHED = 4096 /* bytes of a row */
};

enum { RING_INT16, RING_INT32, RING_DOUBLE };                /* what a ring holds */
enum { INT8, UINT8, INT16, FLOAT32, FLOAT64, WEIGHT_KINDS }; /* what a weight is stored as */
enum { DENSE, SPARSE, DELTA };                               /* how a row is stored */

typedef struct {
    int32_t *ids; /* neurons of the population, ascending */
    int64_t count;
    char apart[LINE - 16]; /* threads write their counts: not into one line */
} SpikeList;

/* Parameters are one value each where is_uniform says so, and arrays otherwise; state arrays belong to the caller. */
typedef struct {
    int64_t size;
    int is_input, is_uniform;
    void *u, *v;               /* double, or int32 in fixed point */
    const void *keep_u, *keep_v, *threshold, *bias;
    int32_t *waiting;          /* NULL where no neuron has a refractory period */
    const int32_t *refractory;
    double *adaptation;        /* what spikes have added to thresholds; NULL where these do not adapt, as in fixed point */
    const double *keep_adaptation, *increment;
    int64_t first[MOST_THREADS + 1]; /* thread k owns first[k] .. first[k + 1] */
    SpikeList *list[2];        /* of even and odd steps, one for each thread */
    /* what the present run is fed with and records */
    const int64_t *feed_start;
    const int32_t *feed_ids;
    int64_t *out_steps, *out_ids, capacity;
    double *out_u, *out_v, *out_adaptation;
} Population;

/* Postsynaptic neurons first .. first + width of a matrix. Rows are presynaptic neurons: row r of a sparse tile is
   start[r] .. start[r + 1] in units of 2 bytes, or of a weight where that has more; dense rows have one length. */
typedef struct {
    int64_t first, width;
    uint32_t *start;
    uint8_t *data;
    int64_t stride; /* dense: weights from one row to the next */
    int64_t ahead;  /* sparse: how many spikes before its own a row is fetched */
} Tile;

typedef struct {
    int64_t tiles;
    Tile *tile;
} Shard;

struct Kernels;

/* Synapses of one projection that share a delay. */
typedef struct {
    int64_t delay;
    int weight, format;
    int64_t pres;
    Shard *shard; /* one for each thread */
} Group;

typedef struct {
    int64_t pre, post;
    Ring ring;
    uint8_t *sent;      /* (threads, depth): whether a row was written; rows of dense matrices are not cleared */
    double unit;        /* float: what 1 in a ring of integers means */
    int32_t factor, down; /* fixed point: a ring's sum enters as sum * factor >> down */
    int is_staged;      /* a send is summed apart before it enters the ring, in `stage`: a row, or one for each delay */
    void *stage;
    int64_t groups;
    Group *group;
    Plastic **plastic;  /* one for each thread, or NULL; groups then say the delays and nothing else */
    const double *factors; /* of the present run: (steps, factor_width) */
    int64_t factor_width;
} Projection;

typedef struct {
    int is_fixed, threads;
    int64_t step; /* that were run */
    int64_t populations, projections;
    Population *population;
    Projection *projection;
    const struct Kernels *kernels;
    int64_t **incoming; /* for each population, its projections in order, ended by -1 */
} Network;

#endif
