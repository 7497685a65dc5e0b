/* Weights of a program, ordered by postsynaptic and then presynaptic neuron, become rows of presynaptic neurons. */
#ifndef NEUROMORPH_BUILD_MATRIX_H
#define NEUROMORPH_BUILD_MATRIX_H

#include <math.h>

#include "build.h"

/* Synapses as the program has them: those onto neuron j are pointer[j] .. pointer[j + 1]. */
typedef struct {
    const int64_t *pointer;
    const int32_t *pre;   /* NULL where all synapses exist */
    const void *delay;    /* NULL where there is one; else of delay_bytes each */
    int delay_bytes;
    const void *weight;   /* of the kind `source`; all are the first one where is_repeated */
    int source, is_repeated;
    double unit;          /* what is stored is weight / unit */
} Synapses;

static int64_t weight_size(int weight) {
    static const int64_t size[WEIGHT_KINDS] = {1, 1, 2, 4, 8};
    return size[weight];
}

static inline double weight_of(const Synapses *given, int64_t s) {
    if (given->is_repeated) s = 0;
    switch (given->source) {
        case INT8: return ((const int8_t *)given->weight)[s];
        case UINT8: return ((const uint8_t *)given->weight)[s];
        case INT16: return ((const int16_t *)given->weight)[s];
        case FLOAT32: return (double)((const float *)given->weight)[s];
        default: return ((const double *)given->weight)[s];
    }
}

static inline int has_delay(const Synapses *given, int64_t s, int64_t delay) {
    switch (given->delay ? given->delay_bytes : 0) {
        case 0: return 1;
        case 1: return ((const uint8_t *)given->delay)[s] == delay;
        case 4: return ((const int32_t *)given->delay)[s] == delay;
        default: return ((const int64_t *)given->delay)[s] == delay;
    }
}

static inline void store_weight(uint8_t *data, int64_t at, int weight, double value) {
    switch (weight) {
        case INT8: ((int8_t *)data)[at] = (int8_t)value; break;
        case UINT8: data[at] = (uint8_t)value; break;
        case INT16: ((int16_t *)(void *)data)[at] = (int16_t)value; break;
        case FLOAT32: ((float *)(void *)data)[at] = (float)value; break;
        default: ((double *)(void *)data)[at] = value;
    }
}

static int build_dense_tile(Tile *tile, const Synapses *given, int weight, int64_t pres) {
    int64_t size = weight_size(weight);
    tile->stride = (tile->width + LINE - 1) / LINE * LINE; /* in weights */
    if (!(tile->data = lines((pres + 1) * tile->stride * size + DATA_SLACK))) return -1;
    if (given->pre) {
        for (int64_t j = 0; j < tile->width; j++)
            for (int64_t s = given->pointer[tile->first + j]; s < given->pointer[tile->first + j + 1]; s++)
                store_weight(tile->data, given->pre[s] * tile->stride + j, weight, weight_of(given, s) / given->unit);
        return 0;
    }
    enum { SQUARE = 64 }; /* a transposition in squares that stay in the first cache */
    for (int64_t top = 0; top < tile->width; top += SQUARE)
        for (int64_t left = 0; left < pres; left += SQUARE)
            for (int64_t i = left; i < left + SQUARE && i < pres; i++)
                for (int64_t j = top; j < top + SQUARE && j < tile->width; j++)
                    store_weight(tile->data, i * tile->stride + j, weight,
                                 weight_of(given, (tile->first + j) * pres + i) / given->unit);
    return 0;
}

enum { FARTHEST = 65535 }; /* what 16 bits hold */

/* Synapses of weight 0 that bridge the distance to a target. */
static inline uint32_t bridges(uint32_t distance) { return distance > FARTHEST ? (distance - 1) / FARTHEST : 0; }

/* Scratch of 3 * pres: how many synapses a row has, how many are placed, and the target before. */
static int build_sparse_tile(Tile *tile, const Synapses *given, int weight, int is_delta, int64_t delay, int64_t pres,
                             uint32_t *scratch) {
    uint32_t *total = scratch, *placed = scratch + pres, *before = scratch + 2 * pres;
    int64_t size = weight_size(weight), unit = size > 2 ? size : 2;
    memset(scratch, 0, (size_t)(3 * pres) * sizeof(uint32_t));
    for (int64_t j = 0; j < tile->width; j++) {
        uint32_t place = (uint32_t)j;
        for (int64_t s = given->pointer[tile->first + j]; s < given->pointer[tile->first + j + 1]; s++) {
            if (!has_delay(given, s, delay)) continue;
            int64_t i = given->pre ? given->pre[s] : s - given->pointer[tile->first + j];
            total[i] += 1 + (is_delta ? bridges(place - before[i]) : 0);
            before[i] = place;
        }
    }
    if (!(tile->start = lines((pres + 1) * (int64_t)sizeof(uint32_t)))) return -1;
    uint64_t units = 0;
    for (int64_t i = 0; i < pres; i++) {
        tile->start[i] = (uint32_t)units;
        uint64_t behind = (uint64_t)total[i] * (uint64_t)size;
        behind += size == 1 ? behind & 1 : 0;
        units += (behind + 2 * (uint64_t)total[i] + (uint64_t)unit - 1) / (uint64_t)unit;
    }
    tile->start[pres] = (uint32_t)units;
    if (units > UINT32_MAX) return -1;
    if (!(tile->data = lines((int64_t)units * unit + DATA_SLACK))) return -1;
    int64_t ahead = FETCHED * pres / ((int64_t)units * unit + 1);
    tile->ahead = ahead < LEAST_AHEAD ? LEAST_AHEAD : ahead > MOST_AHEAD ? MOST_AHEAD : ahead;
    memset(before, 0, (size_t)pres * sizeof(uint32_t));
    for (int64_t j = 0; j < tile->width; j++) {
        uint32_t place = (uint32_t)j;
        for (int64_t s = given->pointer[tile->first + j]; s < given->pointer[tile->first + j + 1]; s++) {
            if (!has_delay(given, s, delay)) continue;
            int64_t i = given->pre ? given->pre[s] : s - given->pointer[tile->first + j];
            uint8_t *row = tile->data + (uint64_t)tile->start[i] * (uint64_t)unit;
            int64_t behind = (int64_t)total[i] * size;
            behind += size == 1 ? behind & 1 : 0;
            uint16_t *target = (uint16_t *)(void *)(row + behind);
            uint32_t distance = place - before[i];
            if (is_delta)
                for (; distance > FARTHEST; distance -= FARTHEST) target[placed[i]++] = FARTHEST;
            store_weight(row, placed[i], weight, weight_of(given, s) / given->unit);
            target[placed[i]++] = (uint16_t)(is_delta ? distance : place);
            before[i] = place;
        }
    }
    return 0;
}

/* The matrix of each thread, cut into tiles of `width` postsynaptic neurons. */
static int build_group(Network *net, Projection *projection, Group *group, const Synapses *given, int64_t width) {
    const Population *post = &net->population[projection->post];
    uint32_t *scratch = malloc((size_t)(3 * group->pres) * sizeof(uint32_t));
    if (!scratch) return -1;
    int failed = 0;
    for (int t = 0; t < net->threads && !failed; t++) {
        Shard *shard = &group->shard[t];
        int64_t first = post->first[t], last = post->first[t + 1];
        int64_t tiles = (last - first + width - 1) / width;
        if (!(shard->tile = calloc((size_t)(tiles ? tiles : 1), sizeof(Tile)))) failed = 1;
        for (int64_t k = 0; k < tiles && !failed; k++) {
            Tile *tile = &shard->tile[k];
            shard->tiles = k + 1;
            tile->first = first + k * width;
            tile->width = last - tile->first < width ? last - tile->first : width;
            if (group->format == DENSE)
                failed = build_dense_tile(tile, given, group->weight, group->pres);
            else
                failed = build_sparse_tile(tile, given, group->weight, group->format == DELTA, group->delay, group->pres,
                                           scratch);
        }
    }
    free(scratch);
    return failed ? -1 : 0;
}

/* What a storage is chosen by. */
typedef struct {
    double unit; /* the largest power of two of which all weights are whole multiples; 0 where all are zero */
    double low, high;
    double most; /* the largest sum of sizes onto one postsynaptic neuron */
    int64_t fits_float; /* all are exact in float32 */
} Survey;

static Survey survey_weights(const Synapses *given, int64_t posts) {
    Survey found = {0.0, 0.0, 0.0, 0.0, 1};
    int lowest = INT32_MAX;
    for (int64_t j = 0; j < posts; j++) {
        double sum = 0.0;
        for (int64_t s = given->pointer[j]; s < given->pointer[j + 1]; s++) {
            double w = weight_of(given, s);
            if (w == 0.0) continue;
            sum += fabs(w);
            found.low = w < found.low ? w : found.low;
            found.high = w > found.high ? w : found.high;
            if ((double)(float)w != w) found.fits_float = 0;
            uint64_t bits;
            memcpy(&bits, &w, sizeof bits);
            int exponent = (int)(bits >> 52 & 0x7ff);
            uint64_t fraction = bits & ((1ull << 52) - 1);
            if (exponent)
                fraction |= 1ull << 52;
            else
                exponent = 1;
            exponent += __builtin_ctzll(fraction) - 1075;
            lowest = exponent < lowest ? exponent : lowest;
        }
        found.most = sum > found.most ? sum : found.most;
    }
    if (lowest != INT32_MAX) found.unit = ldexp(1.0, lowest);
    return found;
}

#endif
