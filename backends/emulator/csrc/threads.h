/* Threads that meet once a step. They live within one call; a network on one thread starts none. */
#ifndef NEUROMORPH_THREADS_H
#define NEUROMORPH_THREADS_H

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "network.h"

enum { PATIENCE = 4096 }; /* looks at the barrier before the processor is offered to others */

typedef struct {
    int parties;
    char apart[LINE];
    atomic_int waiting;
    char apart_too[LINE];
    atomic_int round;
} Barrier;

static inline void breathe(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static inline void barrier_pass(Barrier *barrier) {
    int round = atomic_load_explicit(&barrier->round, memory_order_relaxed);
    if (atomic_fetch_add_explicit(&barrier->waiting, 1, memory_order_acq_rel) == barrier->parties - 1) {
        atomic_store_explicit(&barrier->waiting, 0, memory_order_relaxed);
        atomic_store_explicit(&barrier->round, round + 1, memory_order_release);
        return;
    }
    for (int64_t look = 1; atomic_load_explicit(&barrier->round, memory_order_acquire) == round; look++) {
        if (look % PATIENCE == 0)
            sched_yield();
        else
            breathe();
    }
}

#endif
