/* Dense matrices: the rows of the presynaptic neurons that spiked are added up, a tile of postsynaptic ones at a time.

   A send is all that ever arrives in a row of the ring (there is one delay), so that its sums are stored, not added.
   Behind the last row of a tile lies a row of zeros, which fills up the last four. */

enum { NAME(TILE_COLUMNS) = 1024, NAME(NARROW_ROWS) = 256 }; /* 256 * 127 and 256 * 255 fit 16 bits */

/* Bytes: summed in 16 bits, and in 32 before they could overflow. */
#define DENSE_BYTES(function, type, sum)                                                                              \
    static void NAME(function)(const Tile *tile, const int32_t *pre, int64_t count, int64_t pres, void *row) {        \
        sum part[NAME(TILE_COLUMNS)] __attribute__((aligned(64)));                                                    \
        int32_t *out = (int32_t *)row + tile->first;                                                                  \
        for (int64_t begin = 0; begin < tile->width; begin += NAME(TILE_COLUMNS)) {                                   \
            int64_t width = tile->width - begin;                                                                      \
            if (width > NAME(TILE_COLUMNS)) width = NAME(TILE_COLUMNS);                                               \
            const type *base = (const type *)tile->data + begin;                                                      \
            for (int64_t from = 0; from < count; from += NAME(NARROW_ROWS)) {                                         \
                int64_t to = from + NAME(NARROW_ROWS) < count ? from + NAME(NARROW_ROWS) : count;                     \
                for (int64_t k = from; k < to; k += 4) {                                                              \
                    const type *restrict a = base + (int64_t)pre[k] * tile->stride;                                   \
                    const type *restrict b = base + (k + 1 < to ? pre[k + 1] : pres) * tile->stride;                  \
                    const type *restrict c = base + (k + 2 < to ? pre[k + 2] : pres) * tile->stride;                  \
                    const type *restrict d = base + (k + 3 < to ? pre[k + 3] : pres) * tile->stride;                  \
                    if (k == from)                                                                                    \
                        for (int64_t j = 0; j < width; j++) part[j] = (sum)(a[j] + b[j] + c[j] + d[j]);               \
                    else                                                                                              \
                        for (int64_t j = 0; j < width; j++) part[j] = (sum)(part[j] + a[j] + b[j] + c[j] + d[j]);     \
                }                                                                                                     \
                int32_t *restrict to_out = out + begin;                                                               \
                if (from == 0)                                                                                        \
                    for (int64_t j = 0; j < width; j++) to_out[j] = part[j];                                          \
                else                                                                                                  \
                    for (int64_t j = 0; j < width; j++) to_out[j] += part[j];                                         \
            }                                                                                                         \
        }                                                                                                             \
    }

/* Others: summed in place, in the order of presynaptic neurons, which matters for real numbers. */
#define DENSE_WIDE(function, type, sum)                                                                               \
    static void NAME(function)(const Tile *tile, const int32_t *pre, int64_t count, int64_t pres, void *row) {        \
        for (int64_t begin = 0; begin < tile->width; begin += NAME(TILE_COLUMNS)) {                                   \
            int64_t width = tile->width - begin;                                                                      \
            if (width > NAME(TILE_COLUMNS)) width = NAME(TILE_COLUMNS);                                               \
            const type *base = (const type *)tile->data + begin;                                                      \
            sum *restrict out = (sum *)row + tile->first + begin;                                                     \
            for (int64_t k = 0; k < count; k += 4) {                                                                  \
                const type *restrict a = base + (int64_t)pre[k] * tile->stride;                                       \
                const type *restrict b = base + (k + 1 < count ? pre[k + 1] : pres) * tile->stride;                   \
                const type *restrict c = base + (k + 2 < count ? pre[k + 2] : pres) * tile->stride;                   \
                const type *restrict d = base + (k + 3 < count ? pre[k + 3] : pres) * tile->stride;                   \
                if (k == 0)                                                                                           \
                    for (int64_t j = 0; j < width; j++) out[j] = (sum)a[j] + (sum)b[j] + (sum)c[j] + (sum)d[j];       \
                else                                                                                                  \
                    for (int64_t j = 0; j < width; j++) out[j] = out[j] + (sum)a[j] + (sum)b[j] + (sum)c[j] + (sum)d[j]; \
            }                                                                                                         \
        }                                                                                                             \
    }

DENSE_BYTES(dense_int8, int8_t, int16_t)
DENSE_BYTES(dense_uint8, uint8_t, uint16_t)
DENSE_WIDE(dense_int16, int16_t, int32_t)
DENSE_WIDE(dense_float32, float, double)
DENSE_WIDE(dense_float64, double, double)
#undef DENSE_BYTES
#undef DENSE_WIDE
