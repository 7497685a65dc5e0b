/* The loops of plastic_eligibility_pair.h in AVX-512, operation by operation, for whole vectors of 8 synapses: compilers
   run out of registers on them. Byte k / 8 of a row's `hits` gets the bits of synapses that may meet a bound. */

/* What is the same for all rows. */
#define COMMON                                                                                                         \
    const Eligibility *el = &p->eligibility;                                                                           \
    const double *less = el->less[0], *back = el->back[0], *down = el->down, *drop = el->drop;                         \
    const __m512d low = _mm512_set1_pd(p->w_min), high = _mm512_set1_pd(p->w_max);         \
    const __m512d turn = _mm512_set1_pd(el->rise - el->fall);
#define ROW(r)                                                                                                         \
    double *weight##r = row[r]->weight, *tag##r = row[r]->tag;                                                           \
    const double *first##r = row[r]->first - from, *second##r = row[r]->second - from;                                   \
    const double *next_weight##r = next_weight[r], *next_tag##r = next_tag[r];                         \
    const __m512d kept##r = _mm512_set1_pd(row[r]->kept), most##r = _mm512_set1_pd(row[r]->most);                        \
    const __m512d least##r = _mm512_set1_pd(row[r]->least);                                                            \
    const __m512d gain##r = _mm512_set1_pd(row[r]->gain[0]), moved##r = _mm512_set1_pd(row[r]->moved[0]);                \
    const __m512d wide##r = _mm512_set1_pd(row[r]->wide[0]), both##r = _mm512_set1_pd(row[r]->both[0]);
#define STEP(r)                                                                                                        \
    __builtin_prefetch(next_weight##r + k, 1, 3), __builtin_prefetch(next_tag##r + k, 1, 3);                           \
    {                                                                                                                  \
        const __m512d e = _mm512_loadu_pd(tag##r + k), w = _mm512_loadu_pd(weight##r + k);                             \
        const __m512d f = _mm512_loadu_pd(first##r + k);                                                               \
        const __m512d a = _mm512_mul_pd(most##r, e), b = _mm512_mul_pd(least##r, e);                                   \
        const __m512d top = _mm512_fmadd_pd(wide##r, f, _mm512_add_pd(w, _mm512_max_pd(a, b)));                        \
        const __m512d bottom = _mm512_fnmadd_pd(wide##r, f, _mm512_add_pd(w, _mm512_min_pd(a, b)));                    \
        const __mmask8 is_free = _mm512_cmp_pd_mask(top, high, _CMP_LE_OQ) & _mm512_cmp_pd_mask(bottom, low, _CMP_GE_OQ); \
        const __m512d now = _mm512_fmadd_pd(gain##r, f, e);                                                            \
        const __m512d value = _mm512_fmadd_pd(moved##r, _mm512_loadu_pd(second##r + k), _mm512_fmadd_pd(kept##r, e, w)); \
        hits[r * REWARDED_TILE / 8 + (k - from) / 8] = (uint8_t)~is_free;                                              \
        total = _mm512_mask_add_pd(total, is_free, total, value);                                                      \
        const __m512d new_tag = _mm512_fnmadd_pd(both##r, at_less, _mm512_add_pd(now, at_down));                       \
        const __m512d new_weight = _mm512_add_pd(_mm512_fmadd_pd(turn, now, value), _mm512_fmadd_pd(both##r, at_back, at_drop)); \
        _mm512_storeu_pd(tag##r + k, _mm512_mask_mov_pd(e, is_free, new_tag));                                         \
        _mm512_storeu_pd(weight##r + k, _mm512_mask_mov_pd(w, is_free, new_weight));                                   \
    }
#define PASS(steps)                                                                                                    \
    for (int64_t k = from; k < to; k += 8) {                                                                           \
        const __m512d at_less = _mm512_loadu_pd(less + k), at_back = _mm512_loadu_pd(back + k);                        \
        const __m512d at_down = _mm512_loadu_pd(down + k), at_drop = _mm512_loadu_pd(drop + k);                        \
        __m512d total = _mm512_loadu_pd(sum + k);                                                                      \
        steps                                                                                                          \
        _mm512_storeu_pd(sum + k, total);                                                                              \
    }

/* to - from: a multiple of 8. */
static void NAME(rewarded_wide_1)(const Plastic *p, const RewardedRow *const *row, const double *const *next_weight,
                                  const double *const *next_tag, int64_t from, int64_t to, double *sum, uint8_t *hits) {
    COMMON ROW(0)
    PASS(STEP(0))
}

static void NAME(rewarded_wide_2)(const Plastic *p, const RewardedRow *const *row, const double *const *next_weight,
                                  const double *const *next_tag, int64_t from, int64_t to, double *sum, uint8_t *hits) {
    COMMON ROW(0) ROW(1)
    PASS(STEP(0) STEP(1))
}

#undef COMMON
#undef ROW
#undef STEP
#undef PASS
