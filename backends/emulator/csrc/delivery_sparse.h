/* Sparse matrices: a row is its weights and then its targets, 16 bits each.

   Targets are places in the tile, or, where the tile is wider than 65536, distances from the target before; a longer
   distance is bridged by synapses of weight 0, which change nothing. Tiles are so narrow that what is added to stays in
   a cache. Rows lie anywhere in memory: those of the next spikes are fetched ahead, into the second cache, as the first one
   holds what is added to. */

#define ROW_UNIT(type) (sizeof(type) > 2 ? sizeof(type) : 2)

#define SPARSE_DELIVERY(function, type, sum, is_delta)                                                                \
    static void NAME(function)(const Tile *tile, const int32_t *pre, int64_t count, int64_t pres, void *row) {        \
        (void)pres;                                                                                                   \
        sum *restrict out = (sum *)row + tile->first;                                                                 \
        const uint32_t *start = tile->start;                                                                          \
        const int64_t ahead = tile->ahead;                                                                            \
        for (int64_t k = 0; k < count; k++) {                                                                         \
            if (k + 2 * ahead < count) __builtin_prefetch(start + pre[k + 2 * ahead]);                                \
            if (k + ahead < count) {                                                                                  \
                int32_t later = pre[k + ahead];                                                                       \
                const uint8_t *at = tile->data + (uint64_t)start[later] * ROW_UNIT(type);                             \
                const uint8_t *end = tile->data + (uint64_t)start[later + 1] * ROW_UNIT(type);                        \
                if (end > at + MOST_FETCHED) end = at + MOST_FETCHED;                                                 \
                for (; at < end; at += LINE) __builtin_prefetch(at, 0, 2);                                            \
            }                                                                                                         \
            uint64_t begin = (uint64_t)start[pre[k]] * ROW_UNIT(type), end = (uint64_t)start[pre[k] + 1] * ROW_UNIT(type); \
            int64_t synapses = (int64_t)((end - begin) / (sizeof(type) + 2));                                         \
            const type *restrict weight = (const type *)(const void *)(tile->data + begin);                           \
            size_t behind = (size_t)synapses * sizeof(type);                                                          \
            behind += sizeof(type) == 1 ? behind & 1 : 0;                                                             \
            const uint16_t *restrict target = (const uint16_t *)(const void *)(tile->data + begin + behind);          \
            uint32_t place = 0;                                                                                       \
            int64_t j = 0;                                                                                            \
            for (; j + 8 <= synapses; j += 8) {                                                                       \
                _Pragma("GCC unroll 8") for (int64_t m = j; m < j + 8; m++) {                                         \
                    place = is_delta ? place + target[m] : target[m];                                                 \
                    out[place] = (sum)(out[place] + weight[m]);                                                       \
                }                                                                                                     \
            }                                                                                                         \
            for (; j < synapses; j++) {                                                                               \
                place = is_delta ? place + target[j] : target[j];                                                     \
                out[place] = (sum)(out[place] + weight[j]);                                                           \
            }                                                                                                         \
        }                                                                                                             \
    }

SPARSE_DELIVERY(sparse_int8_h, int8_t, int16_t, 0)
SPARSE_DELIVERY(sparse_uint8_h, uint8_t, int16_t, 0)
SPARSE_DELIVERY(sparse_int16_h, int16_t, int16_t, 0)
SPARSE_DELIVERY(sparse_int8_i, int8_t, int32_t, 0)
SPARSE_DELIVERY(sparse_uint8_i, uint8_t, int32_t, 0)
SPARSE_DELIVERY(sparse_int16_i, int16_t, int32_t, 0)
SPARSE_DELIVERY(sparse_float32_d, float, double, 0)
SPARSE_DELIVERY(sparse_float64_d, double, double, 0)
SPARSE_DELIVERY(delta_int8_h, int8_t, int16_t, 1)
SPARSE_DELIVERY(delta_uint8_h, uint8_t, int16_t, 1)
SPARSE_DELIVERY(delta_int16_h, int16_t, int16_t, 1)
SPARSE_DELIVERY(delta_int8_i, int8_t, int32_t, 1)
SPARSE_DELIVERY(delta_uint8_i, uint8_t, int32_t, 1)
SPARSE_DELIVERY(delta_int16_i, int16_t, int32_t, 1)
SPARSE_DELIVERY(delta_float32_d, float, double, 1)
SPARSE_DELIVERY(delta_float64_d, double, double, 1)
#undef SPARSE_DELIVERY
#undef ROW_UNIT
