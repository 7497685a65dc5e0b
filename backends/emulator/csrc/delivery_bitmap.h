/* Matrices in which a few to some tens of percent of the synapses exist: a row says with a bit for each postsynaptic
   neuron whether it has a weight, and has its weights in one piece. A vector instruction puts them into their places, and
   sums stay in registers over all rows. As with dense matrices, sums are stored and not added.

   A tile is 6 blocks of 64 neurons; bit and byte 4 * (n % 16) + n / 16 of a block belong to its neuron n, because four
   neighbouring bytes fall into one sum of 32 bits, and one of the four is picked each time. */
#ifndef NEUROMORPH_DELIVERY_BITMAP_H
#define NEUROMORPH_DELIVERY_BITMAP_H

#include "network.h"

enum { BITMAP_BLOCKS = 6, BITMAP_WIDTH = 64 * BITMAP_BLOCKS, BITMAP_UNIT = 8 };

static inline int64_t bitmap_place(int64_t neuron) { return 4 * (neuron % 16) + neuron / 16; }

#ifdef HAS_LEVELS
#pragma GCC push_options
#pragma GCC target("arch=x86-64-v4", "avx512vbmi2", "avx512vnni", "prefer-vector-width=512")

enum { BITMAP_AHEAD = 12 }; /* rows */

#define BITMAP_DELIVERY(function, first_factor, second_factor)                                                        \
    static void function(const Tile *tile, const int32_t *pre, int64_t count, int64_t pres, void *row) {              \
        (void)pres;                                                                                                   \
        __m512i sum[BITMAP_BLOCKS][4], pick[4];                                                                       \
        for (int q = 0; q < 4; q++) pick[q] = _mm512_set1_epi32(1 << 8 * q);                                          \
        for (int b = 0; b < BITMAP_BLOCKS; b++)                                                                       \
            for (int q = 0; q < 4; q++) sum[b][q] = _mm512_setzero_si512();                                           \
        const uint32_t *start = tile->start;                                                                          \
        for (int64_t k = 0; k < count; k++) {                                                                         \
            if (k + 2 * BITMAP_AHEAD < count) __builtin_prefetch(start + pre[k + 2 * BITMAP_AHEAD]);                  \
            if (k + BITMAP_AHEAD < count) {                                                                           \
                const uint8_t *later = tile->data + (uint64_t)start[pre[k + BITMAP_AHEAD]] * BITMAP_UNIT;             \
                __builtin_prefetch(later);                                                                            \
                __builtin_prefetch(later + LINE);                                                                     \
            }                                                                                                         \
            uint32_t begin = start[pre[k]];                                                                           \
            if (begin == start[pre[k] + 1]) continue;                                                                 \
            const uint64_t *exists = (const uint64_t *)(const void *)(tile->data + (uint64_t)begin * BITMAP_UNIT);    \
            const uint8_t *weight = (const uint8_t *)(exists + BITMAP_BLOCKS);                                        \
            _Pragma("GCC unroll 6") for (int b = 0; b < BITMAP_BLOCKS; b++) {                                         \
                __m512i value = _mm512_loadu_si512(weight);                                                           \
                __asm__("" : "+v"(value)); /* expanding from memory itself is slow on some processors */              \
                value = _mm512_maskz_expand_epi8(exists[b], value);                                                   \
                weight += __builtin_popcountll(exists[b]);                                                            \
                _Pragma("GCC unroll 4") for (int q = 0; q < 4; q++) sum[b][q] =                                       \
                    _mm512_dpbusd_epi32(sum[b][q], first_factor, second_factor);                                      \
            }                                                                                                         \
        }                                                                                                             \
        int32_t *out = (int32_t *)row + tile->first;                                                                  \
        for (int b = 0; b < BITMAP_BLOCKS && 64 * b < tile->width; b++)                                               \
            for (int q = 0; q < 4; q++) _mm512_storeu_si512(out + 64 * b + 16 * q, sum[b][q]);                        \
    }

BITMAP_DELIVERY(bitmap_int8, pick[q], value)
BITMAP_DELIVERY(bitmap_uint8, value, pick[q])
#undef BITMAP_DELIVERY
#pragma GCC pop_options
#endif

#endif
