/* What is under way to a population through one projection. */
#ifndef NEUROMORPH_RING_H
#define NEUROMORPH_RING_H

#include <stdint.h>

/* Row `step % depth` is what arrives in that step, index 0 the first neuron of the whole population. A row is read, and
   cleared, in the phase of neurons of its step, before anything is sent in that step: so `depth` rows hold `depth` steps. */
typedef struct {
    int64_t depth; /* the longest delay */
    int64_t size;  /* entries from one row to the next: the neurons, rounded up */
    int is_double; /* d is used; else i, or h where sums are known to fit 16 bits */
    int32_t *i;
    double *d;
    int16_t *h;
} Ring;

static inline int64_t ring_row(const Ring *ring, int64_t arrival) {
    return ring->depth == 1 ? 0 : arrival % ring->depth;
}

#endif
