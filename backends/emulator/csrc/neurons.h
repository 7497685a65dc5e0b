/* One step of current-based LIF neurons, in float64 and in the integers of a chip. */

static inline __attribute__((always_inline)) void NAME(integrate_double)(
    double *restrict u, double *restrict v, const double *restrict current, const double *restrict keep_u,
    const double *restrict keep_v, const double *restrict bias, int64_t count, const int each) {
    for (int64_t i = 0; i < count; i++) {
        int64_t k = each ? i : 0;
        double x = u[i] * keep_u[k];
        x += current[i];
        u[i] = x;
        double y = v[i] * keep_v[k];
        y += x;
        y += bias[k];
        v[i] = y;
    }
}

/* value * keep / 4096 rounded toward zero, keep 0..4096: in halves, as the product has more than 32 bits. */
static inline __attribute__((always_inline)) int32_t NAME(decayed)(int32_t value, uint32_t keep) {
    uint32_t size = value < 0 ? 0u - (uint32_t)value : (uint32_t)value;
    uint32_t kept = (size >> 12) * keep + (((size & 4095u) * keep) >> 12);
    return (int32_t)(value < 0 ? 0u - kept : kept);
}

static inline __attribute__((always_inline)) void NAME(integrate_whole)(
    int32_t *restrict u, int32_t *restrict v, const int32_t *restrict current, const int32_t *restrict keep_u,
    const int32_t *restrict keep_v, const int32_t *restrict bias, int64_t count, const int each) {
    const int32_t limit = 1 << 23, far = 1 << 28;
    for (int64_t i = 0; i < count; i++) {
        int64_t k = each ? i : 0;
        /* weights enter shifted left by 6, in 32 bits that wrap; then u wraps once at 24 bits */
        uint32_t sum = (uint32_t)NAME(decayed)(u[i], (uint32_t)keep_u[k]) + ((uint32_t)current[i] << 6);
        int32_t x = (int32_t)sum;
        x += x <= -limit ? 2 * limit : 0;
        x -= x > limit ? 2 * limit : 0;
        u[i] = x;
        x = x < -far ? -far : x; /* v saturates all the same, and the sum stays within 32 bits */
        x = x > far ? far : x;
        int32_t y = NAME(decayed)(v[i], (uint32_t)keep_v[k]) + x + bias[k];
        y = y < 1 - limit ? 1 - limit : y;
        y = y > limit - 1 ? limit - 1 : y;
        v[i] = y;
    }
}

/* A neuron that rests has v = 0, which is not above any threshold. */
#define HOLD(type, v)                                                                     \
    for (int64_t i = 0; i < count; i++) {                                                 \
        int32_t rests = waiting[i] > 0;                                                   \
        v[i] = rests ? (type)0 : v[i];                                                    \
        waiting[i] -= rests;                                                              \
    }

#ifdef __AVX512F__
/* Ids of lanes in `above` to `spikes`; a compressing store to memory would be slow on some processors. */
static inline int64_t NAME(append16)(int32_t *spikes, __mmask16 above, __m512i ids) {
    _mm512_storeu_si512(spikes, _mm512_maskz_compress_epi32(above, ids));
    return __builtin_popcount(above);
}

static int64_t NAME(fire_whole)(int32_t *v, const int32_t *threshold, int each, int64_t first, int64_t count,
                                int32_t *spikes) {
    int64_t found = 0;
    __m512i ids = _mm512_add_epi32(_mm512_set1_epi32((int32_t)first),
                                   _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0));
    __m512i limit = _mm512_set1_epi32(threshold[0]);
    for (int64_t i = 0; i < count; i += 16) {
        __mmask16 inside = count - i >= 16 ? 0xffff : (__mmask16)((1u << (count - i)) - 1);
        __m512i x = _mm512_maskz_loadu_epi32(inside, v + i);
        if (each) limit = _mm512_maskz_loadu_epi32(inside, threshold + i);
        __mmask16 above = _mm512_mask_cmpgt_epi32_mask(inside, x, limit);
        if (above) {
            _mm512_mask_storeu_epi32(v + i, above, _mm512_setzero_si512());
            found += NAME(append16)(spikes + found, above, ids);
        }
        ids = _mm512_add_epi32(ids, _mm512_set1_epi32(16));
    }
    return found;
}

static int64_t NAME(fire_double)(double *v, const double *threshold, int each, int64_t first, int64_t count,
                                 int32_t *spikes) {
    int64_t found = 0;
    __m512i ids = _mm512_add_epi32(_mm512_set1_epi32((int32_t)first),
                                   _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0));
    __m512d limit = _mm512_set1_pd(threshold[0]), limit_high = limit;
    for (int64_t i = 0; i < count; i += 16) {
        __mmask16 inside = count - i >= 16 ? 0xffff : (__mmask16)((1u << (count - i)) - 1);
        __mmask8 low = (__mmask8)inside, high = (__mmask8)(inside >> 8);
        if (each) {
            limit = _mm512_maskz_loadu_pd(low, threshold + i);
            limit_high = _mm512_maskz_loadu_pd(high, threshold + i + 8);
        }
        low = _mm512_mask_cmp_pd_mask(low, _mm512_maskz_loadu_pd(low, v + i), limit, _CMP_GT_OQ);
        high = _mm512_mask_cmp_pd_mask(high, _mm512_maskz_loadu_pd(high, v + i + 8), limit_high, _CMP_GT_OQ);
        __mmask16 above = (__mmask16)(low | (unsigned)high << 8);
        if (above) {
            _mm512_mask_storeu_pd(v + i, low, _mm512_setzero_pd());
            _mm512_mask_storeu_pd(v + i + 8, high, _mm512_setzero_pd());
            found += NAME(append16)(spikes + found, above, ids);
        }
        ids = _mm512_add_epi32(ids, _mm512_set1_epi32(16));
    }
    return found;
}
#else
#define FIRE(type, v)                                                                                     \
    int64_t found = 0, i = 0;                                                                             \
    for (; i + 16 <= count; i += 16) { /* most sixteens are silent: look at them together */              \
        int any = 0;                                                                                      \
        for (int64_t k = i; k < i + 16; k++) any |= v[k] > threshold[each ? k : 0];                       \
        if (!any) continue;                                                                               \
        for (int64_t k = i; k < i + 16; k++) {                                                            \
            spikes[found] = (int32_t)(first + k);                                                         \
            int above = v[k] > threshold[each ? k : 0];                                                   \
            v[k] = above ? (type)0 : v[k];                                                                \
            found += above;                                                                               \
        }                                                                                                 \
    }                                                                                                     \
    for (; i < count; i++) {                                                                              \
        spikes[found] = (int32_t)(first + i);                                                             \
        int above = v[i] > threshold[each ? i : 0];                                                       \
        v[i] = above ? (type)0 : v[i];                                                                    \
        found += above;                                                                                   \
    }                                                                                                     \
    return found;

static int64_t NAME(fire_whole)(int32_t *v, const int32_t *threshold, int each, int64_t first, int64_t count,
                                int32_t *spikes) {
    FIRE(int32_t, v)
}

static int64_t NAME(fire_double)(double *v, const double *threshold, int each, int64_t first, int64_t count,
                                 int32_t *spikes) {
    FIRE(double, v)
}
#undef FIRE
#endif

#define STEP(function, type, integrate, fire)                                                                      \
    static int64_t NAME(function)(const Population *p, int64_t first, int64_t count, const void *current,          \
                                  int32_t *spikes) {                                                               \
        type *u = (type *)p->u + first, *v = (type *)p->v + first;                                                 \
        int64_t skip = p->is_uniform ? 0 : first;                                                                  \
        const type *keep_u = (const type *)p->keep_u + skip, *keep_v = (const type *)p->keep_v + skip;             \
        const type *threshold = (const type *)p->threshold + skip, *bias = (const type *)p->bias + skip;           \
        if (p->is_uniform)                                                                                         \
            NAME(integrate)(u, v, (const type *)current, keep_u, keep_v, bias, count, 0);                          \
        else                                                                                                       \
            NAME(integrate)(u, v, (const type *)current, keep_u, keep_v, bias, count, 1);                          \
        int32_t *waiting = p->waiting ? p->waiting + first : 0;                                                    \
        if (waiting) HOLD(type, v)                                                                                 \
        int64_t found = NAME(fire)(v, threshold, !p->is_uniform, first, count, spikes);                            \
        if (waiting)                                                                                               \
            for (int64_t k = 0; k < found; k++) p->waiting[spikes[k]] = p->refractory[spikes[k]];                  \
        return found;                                                                                              \
    }

STEP(step_double, double, integrate_double, fire_double)
STEP(step_whole, int32_t, integrate_whole, fire_whole)
#undef STEP

/* The same in float64 where spikes add to thresholds: what is left of that decays first. */
static int64_t NAME(step_adapting)(const Population *p, int64_t first, int64_t count, const void *current,
                                   int32_t *spikes) {
    double *u = (double *)p->u + first, *v = (double *)p->v + first;
    int64_t skip = p->is_uniform ? 0 : first;
    const double *keep_u = (const double *)p->keep_u + skip, *keep_v = (const double *)p->keep_v + skip;
    const double *threshold = (const double *)p->threshold + skip, *bias = (const double *)p->bias + skip;
    if (p->is_uniform)
        NAME(integrate_double)(u, v, (const double *)current, keep_u, keep_v, bias, count, 0);
    else
        NAME(integrate_double)(u, v, (const double *)current, keep_u, keep_v, bias, count, 1);
    int32_t *waiting = p->waiting ? p->waiting + first : 0;
    if (waiting) HOLD(double, v)
    double limit[BLOCK];
    double *restrict added = p->adaptation + first;
    const double *restrict keep = p->keep_adaptation + first;
    for (int64_t i = 0; i < count; i++) {
        double left = added[i] * keep[i];
        added[i] = left;
        limit[i] = threshold[p->is_uniform ? 0 : i] + left;
    }
    int64_t found = NAME(fire_double)(v, limit, 1, first, count, spikes);
    for (int64_t k = 0; k < found; k++) p->adaptation[spikes[k]] += p->increment[spikes[k]];
    if (waiting)
        for (int64_t k = 0; k < found; k++) p->waiting[spikes[k]] = p->refractory[spikes[k]];
    return found;
}
#undef HOLD

/* Currents from rows of rings. */

#define READ_DOUBLE(function, type)                                                                                  \
    static void NAME(function)(double *restrict current, void *from, double unit, int64_t count, int adds,            \
                               int clears) {                                                                          \
        type *restrict row = (type *)from;                                                                            \
        if (adds)                                                                                                     \
            for (int64_t i = 0; i < count; i++) current[i] += (double)row[i] * unit;                                  \
        else                                                                                                          \
            for (int64_t i = 0; i < count; i++) current[i] = 0.0 + (double)row[i] * unit;                             \
        if (clears) memset(row, 0, (size_t)count * sizeof(type));                                                     \
    }

#define READ_WHOLE(function, type)                                                                                    \
    static void NAME(function)(int32_t *restrict current, void *from, int32_t factor, int32_t down, int64_t count,    \
                               int adds, int clears) {                                                                \
        type *restrict row = (type *)from;                                                                            \
        for (int64_t i = 0; i < count; i++) {                                                                         \
            int32_t value = (int32_t)((uint32_t)(int32_t)row[i] * (uint32_t)factor) >> down;                          \
            current[i] = adds ? (int32_t)((uint32_t)current[i] + (uint32_t)value) : value;                            \
        }                                                                                                             \
        if (clears) memset(row, 0, (size_t)count * sizeof(type));                                                     \
    }

READ_DOUBLE(read_double_h, int16_t)
READ_DOUBLE(read_double_i, int32_t)
READ_DOUBLE(read_double_d, double)
READ_WHOLE(read_whole_h, int16_t)
READ_WHOLE(read_whole_i, int32_t)
#undef READ_DOUBLE
#undef READ_WHOLE
