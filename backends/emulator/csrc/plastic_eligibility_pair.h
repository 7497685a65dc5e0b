/* The inner loops of plastic_eligibility.h for rules of one product on each side: value, delivery and learning at once.
   A synapse that may meet a bound on the way stays as it is there, and is done by itself afterwards. */

#define ROW(r)                                                                                                         \
    double *restrict weight##r = row[r]->weight, *restrict tag##r = row[r]->tag;                                         \
    const double *restrict first##r = row[r]->first - from, *restrict second##r = row[r]->second - from;                 \
    const double kept##r = row[r]->kept, most##r = row[r]->most, least##r = row[r]->least, gain##r = row[r]->gain[0];                           \
    const double moved##r = row[r]->moved[0], wide##r = row[r]->wide[0], both##r = row[r]->both[0];
#define ARRAYS                                                                                                         \
    const Eligibility *el = &p->eligibility;                                                                           \
    const double low = p->w_min, high = p->w_max, turn = el->rise - el->fall;                                          \
    const double *restrict less = el->less[0], *restrict back = el->back[0];                                           \
    const double *restrict down = el->down, *restrict drop = el->drop;
#define SHARED const double at_less = less[k], at_back = back[k], at_down = down[k], at_drop = drop[k];
/* Tag and weight of the row's synapse k now, and whether no bound is near: else a bit is set. */
#define VALUE(r)                                                                                                       \
    const double e##r = tag##r[k], w##r = weight##r[k], f##r = first##r[k];                                            \
    const double a##r = most##r * e##r, b##r = least##r * e##r;                                                        \
    const double top##r = fma(wide##r, f##r, w##r + (a##r > b##r ? a##r : b##r));                                      \
    const double bottom##r = fma(-wide##r, f##r, w##r + (a##r > b##r ? b##r : a##r));                                  \
    const int free##r = (top##r <= high) & (bottom##r >= low);                                                         \
    const double now##r = fma(gain##r, f##r, e##r);                                                                    \
    const double value##r = fma(moved##r, second##r[k], fma(kept##r, e##r, w##r));                                     \
    bits##r |= (uint64_t)!free##r << (k - block);
#define LEARN(r)                                                                                                       \
    tag##r[k] = free##r ? fma(-both##r, at_less, now##r + at_down) : e##r;                                             \
    weight##r[k] = free##r ? fma(turn, now##r, value##r) + fma(both##r, at_back, at_drop) : w##r;
/* Blocks of 64 neurons; meanwhile the row that comes next, `ahead` of this block, is on its way from memory. */
#define BLOCKS for (int64_t block = from, end; block < to; block = end)
#define BLOCK                                                                                                          \
    end = block + 64 < to ? block + 64 : to;                                                                           \
    uint64_t *restrict hit = hits + (block - from) / 64;

static inline void NAME(prefetch_rewarded)(const double *weight, const double *tag, int64_t from, int64_t to) {
    for (int64_t l = from; l < to; l += 8) __builtin_prefetch(weight + l, 1, 3), __builtin_prefetch(tag + l, 1, 3);
}

static void NAME(rewarded_pass_1)(const Plastic *p, const RewardedRow *const *row, const double *const *next_weight,
                                  const double *const *next_tag, int64_t from, int64_t to, double *restrict sum, uint64_t *restrict hits) {
    ARRAYS ROW(0)
    BLOCKS {
        BLOCK
        uint64_t bits0 = 0;
        for (int64_t l = 0; l < 2; l++) NAME(prefetch_rewarded)(next_weight[l], next_tag[l], block, end);
        INDEPENDENT
        for (int64_t k = block; k < end; k++) {
            SHARED VALUE(0)
            sum[k] += free0 ? value0 : 0.0;
            LEARN(0)
        }
        hit[0] = bits0;
    }
}

static void NAME(rewarded_pass_2)(const Plastic *p, const RewardedRow *const *row, const double *const *next_weight,
                                  const double *const *next_tag, int64_t from, int64_t to, double *restrict sum, uint64_t *restrict hits) {
    ARRAYS ROW(0) ROW(1)
    BLOCKS {
        BLOCK
        uint64_t bits0 = 0, bits1 = 0;
        for (int64_t l = 0; l < 2; l++) NAME(prefetch_rewarded)(next_weight[l], next_tag[l], block, end);
        INDEPENDENT
        for (int64_t k = block; k < end; k++) {
            SHARED VALUE(0) VALUE(1)
            sum[k] = sum[k] + (free0 ? value0 : 0.0) + (free1 ? value1 : 0.0);
            LEARN(0) LEARN(1)
        }
        hit[0] = bits0, hit[REWARDED_BLOCKS] = bits1;
    }
}

/* Up to now, without delivering or learning. */
static void NAME(rewarded_lift)(const Plastic *p, const RewardedRow *const *row, int64_t from, int64_t to,
                                uint64_t *restrict hits) {
    const double low = p->w_min, high = p->w_max;
    ROW(0)
    (void)both0;
    BLOCKS {
        BLOCK
        uint64_t bits0 = 0;
        INDEPENDENT
        for (int64_t k = block; k < end; k++) {
            VALUE(0)
            tag0[k] = free0 ? now0 : e0;
            weight0[k] = free0 ? value0 : w0;
        }
        hit[0] = bits0;
    }
}

#undef ROW
#undef ARRAYS
#undef SHARED
#undef VALUE
#undef LEARN
#undef BLOCKS
#undef BLOCK

/* Synapses that may meet a bound, kept until their spikes are on their way from memory. */
typedef struct {
    const RewardedRow *row;
    int64_t j;
} NAME(Near);

static void NAME(rewarded_near)(const Plastic *p, const NAME(Near) *near, int64_t count, int32_t n, double *restrict sum) {
    const Spike *spikes = p->eligibility.spikes;
    for (int64_t k = 0; k < count; k++) {
        const int32_t newest = p->log.newest[near[k].j];
        if (newest >= 0 && spikes[newest].before >= 0) __builtin_prefetch(&spikes[spikes[newest].before], 0, 3);
    }
    for (int64_t k = 0; k < count; k++) {
        const RewardedRow *row = near[k].row;
        const int64_t j = near[k].j;
        double e = row->tag[j], weight = NAME(rewarded_exact)(p, row, j, row->weight[j], &e, n);
        if (sum) {
            sum[j] += weight;
            NAME(rewarded_learn)(p, row, j, j, weight, e);
        } else row->weight[j] = weight, row->tag[j] = e;
    }
}

static void NAME(rewarded_differences)(const Plastic *p, int32_t slice, int64_t from, int64_t to, int64_t at, int32_t n);

#if defined(HAS_LEVELS) && defined(__AVX512F__)
#define HAS_WIDE 1
#include "plastic_eligibility_512.h"
#endif

/* Dense rows; without learning where sum is NULL. Tiles of neurons stay in the first cache. */
static void NAME(rewarded_dense)(Plastic *p, int64_t count, int32_t n, double *restrict sum) {
    Eligibility *el = &p->eligibility;
    const int32_t *order = p->separable.order;
    uint64_t hits[2 * REWARDED_BLOCKS];
    NAME(Near) near[MOST_WAITING];
    for (int64_t k = 0; k < count; k++) {
        RewardedRow *row = &el->rows[k];
        row->first = el->first[0] + row->slice * REWARDED_TILE, row->second = el->second[0] + row->slice * REWARDED_TILE;
    }
    for (int64_t from = 0; from < p->posts; from += REWARDED_TILE) {
        const int64_t to = from + REWARDED_TILE < p->posts ? from + REWARDED_TILE : p->posts;
        int32_t ready = -1;
        int64_t waiting = 0;
        for (int64_t k = 0; k < count;) {
            const int64_t size = sum && k + 2 <= count ? 2 : 1;
            const RewardedRow *row[2] = {NULL, NULL};
            const double *next_weight[2], *next_tag[2];
            for (int64_t r = 0; r < size; r++) {
                row[r] = &el->rows[order[k + r]];
                const int32_t slice = row[r]->slice;
                if (slice != ready) NAME(rewarded_differences)(p, ready = slice, from, to, slice * REWARDED_TILE, n);
            }
            k += size;
            memset(hits, 0, sizeof hits);
            for (int64_t r = 0; r < 2; r++) { /* the rows that come next, at the end of a tile in the next one */
                const int64_t other = k < count ? (k + r < count ? k + r : k) : (r < count ? r : 0);
                const int64_t ahead = k < count ? 0 : REWARDED_TILE;
                next_weight[r] = el->rows[order[other]].weight + ahead, next_tag[r] = el->rows[order[other]].tag + ahead;
            }
#ifdef HAS_WIDE
            if (sum && (to - from) % 8 == 0) {
                if (size == 2) NAME(rewarded_wide_2)(p, row, next_weight, next_tag, from, to, sum, (uint8_t *)hits);
                else NAME(rewarded_wide_1)(p, row, next_weight, next_tag, from, to, sum, (uint8_t *)hits);
            } else
#endif
            if (size == 2) NAME(rewarded_pass_2)(p, row, next_weight, next_tag, from, to, sum, hits);
            else if (sum) NAME(rewarded_pass_1)(p, row, next_weight, next_tag, from, to, sum, hits);
            else NAME(rewarded_lift)(p, row, from, to, hits);
            for (int64_t r = 0; r < size; r++)
                for (int64_t block = from; block < to; block += 64)
                    for (uint64_t bits = hits[r * REWARDED_BLOCKS + (block - from) / 64]; bits; bits &= bits - 1) {
                        const int64_t j = block + __builtin_ctzll(bits);
                        const int32_t newest = p->log.newest[j];
                        if (newest >= 0) __builtin_prefetch(&el->spikes[newest], 0, 3);
                        near[waiting++] = (NAME(Near)){row[r], j};
                    }
            if (waiting > MOST_WAITING - 2 * REWARDED_TILE) NAME(rewarded_near)(p, near, waiting, n, sum), waiting = 0;
        }
        NAME(rewarded_near)(p, near, waiting, n, sum);
    }
}

/* Sparse rows. What they need of a neuron lies together: less, back, down, drop, sum, first, second. */
static void NAME(rewarded_sparse)(Plastic *p, int64_t count, int32_t n, double *restrict sum) {
    Eligibility *el = &p->eligibility;
    const int32_t *order = p->separable.order;
    const double low = p->w_min, high = p->w_max, turn = el->rise - el->fall;
    double *restrict record = (double *)(((uintptr_t)el->record + 63) & ~(uintptr_t)63); /* a neuron, a cache line */
    for (int64_t j = 0; j < p->posts; j++) {
        double *at = record + 8 * j;
        at[0] = el->less[0][j], at[1] = el->back[0][j], at[2] = el->down[j], at[3] = el->drop[j], at[4] = sum[j];
    }
    int32_t ready = -1;
    for (int64_t k = 0; k < count; k++) {
        const RewardedRow *row = &el->rows[order[k]], *next = &el->rows[order[k + 1 < count ? k + 1 : k]];
        NAME(prefetch_rewarded)(next->weight, next->tag, 0, next->n);
        for (int64_t l = 0; l < next->n; l += 16) __builtin_prefetch(next->target + l, 0, 2);
        if (row->slice != ready) {
            NAME(rewarded_differences)(p, ready = row->slice, 0, p->posts, 0, n);
            for (int64_t j = 0; j < p->posts; j++) record[8 * j + 5] = el->first[0][j], record[8 * j + 6] = el->second[0][j];
        }
        double *restrict weights = row->weight, *restrict tags = row->tag;
        const int32_t *restrict target = row->target;
        const double kept = row->kept, most = row->most, least = row->least;
        const double gain = row->gain[0], moved = row->moved[0], wide = row->wide[0];
        const double both = row->both[0];
        for (int64_t l = 0; l < row->n; l++) {
            const int64_t j = target[l];
            double *at = record + 8 * j;
            const double e = tags[l], w = weights[l], first = at[5], a = most * e, b = least * e;
            const double top = fma(wide, first, w + (a > b ? a : b)), bottom = fma(-wide, first, w + (a > b ? b : a));
            if (!(top <= high && bottom >= low)) {
                double stored = e, weight = NAME(rewarded_exact)(p, row, j, w, &stored, n);
                at[4] += weight;
                NAME(rewarded_learn)(p, row, l, j, weight, stored);
                continue;
            }
            const double now = fma(gain, first, e), value = fma(moved, at[6], fma(kept, e, w));
            at[4] += value;
            tags[l] = fma(-both, at[0], now + at[2]);
            weights[l] = fma(turn, now, value) + fma(both, at[1], at[3]);
        }
    }
    for (int64_t j = 0; j < p->posts; j++) sum[j] = record[8 * j + 4];
}

#undef HAS_WIDE
