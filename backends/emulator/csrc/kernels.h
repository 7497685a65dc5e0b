/* The inner loops, one set for each instruction set; all other code calls them through this table. */
#ifndef NEUROMORPH_KERNELS_H
#define NEUROMORPH_KERNELS_H

#include "network.h"

/* Spikes of `count` presynaptic neurons enter `row`, a row of a ring or a stage. */
typedef void Deliver(const Tile *tile, const int32_t *pre, int64_t count, int64_t pres, void *row);

/* Currents of a block from a row of a ring, which is cleared where `clears`; the first one sets, others add. */
typedef void ReadDouble(double *current, void *row, double unit, int64_t count, int adds, int clears);
typedef void ReadWhole(int32_t *current, void *row, int32_t factor, int32_t down, int64_t count, int adds, int clears);

/* One step of neurons first .. first + count; appends to `spikes` and returns how many. */
typedef int64_t StepNeurons(const Population *population, int64_t first, int64_t count, const void *current,
                            int32_t *spikes);

/* One step of synapses that learn; `into`: for each delay, where currents of the shard's neurons add up. */
typedef void StepPlastic(Plastic *plastic, int64_t step, const int32_t *pre, int64_t n_pre, const int32_t *post,
                         int64_t n_post, const double *reward, void *const *into);

typedef struct Kernels {
    const char *name;
    StepNeurons *step_double, *step_whole, *step_adapting; /* the last in float, where thresholds adapt */
    ReadDouble *read_double[3]; /* from int16, int32, double */
    ReadWhole *read_whole[2];   /* from int16, int32 */
    Deliver *dense[WEIGHT_KINDS];
    Deliver *sparse[WEIGHT_KINDS][2];      /* [into int16] */
    Deliver *sparse_delta[WEIGHT_KINDS][2];
    StepPlastic *step_plastic;
    void (*settle_plastic)(Plastic *plastic); /* brings all rows up to date */
} Kernels;

#endif
