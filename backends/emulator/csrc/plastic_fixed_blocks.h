/* A dense row in registers: 64 synapses a block, those whose neuron spiked taken from a word of bits. */

#ifdef __AVX512BW__
#include <immintrin.h>

/* 32 synapses of a row that has `lanes` left. */
static inline __mmask32 NAME(present)(int64_t lanes) { return lanes <= 0 ? 0 : (1u << lanes) - 1; }

static inline __m512i NAME(load_half)(const int16_t *from, int64_t lanes) {
    if (lanes >= 32) return _mm512_loadu_si512(from);
    return _mm512_maskz_loadu_epi16(NAME(present)(lanes), from);
}

static inline void NAME(store_half)(int16_t *into, int64_t lanes, __m512i values) {
    if (lanes >= 32) _mm512_storeu_si512(into, values);
    else _mm512_mask_storeu_epi16(into, NAME(present)(lanes), values);
}

/* 64 values less an offset as bytes. */
static inline __m512i NAME(load_bytes)(const int16_t *from, int64_t lanes, int32_t offset) {
    __m512i less = _mm512_set1_epi16((int16_t)offset);
    __m512i low = _mm512_sub_epi16(NAME(load_half)(from, lanes), less);
    __m512i high = _mm512_sub_epi16(NAME(load_half)(from + 32, lanes - 32), less);
    return _mm512_inserti64x4(_mm512_castsi256_si512(_mm512_cvtepi16_epi8(low)), _mm512_cvtepi16_epi8(high), 1);
}

static inline void NAME(store_bytes)(int16_t *into, int64_t lanes, int32_t offset, __m512i values) {
    __m512i less = _mm512_set1_epi16((int16_t)offset);
    __m512i low = _mm512_cvtepi8_epi16(_mm512_castsi512_si256(values));
    __m512i high = _mm512_cvtepi8_epi16(_mm512_extracti64x4_epi64(values, 1));
    NAME(store_half)(into, lanes, _mm512_add_epi16(low, less));
    NAME(store_half)(into + 32, lanes - 32, _mm512_add_epi16(high, less));
}

/* Weights of 256 values: saturating bytes clip at their bounds. */
static inline __attribute__((always_inline)) void
NAME(add_bytes)(const Fixed *f, int16_t *weight, int64_t lanes, const uint64_t *fired, int32_t count, const int blocks) {
    __m512i w[8];
#pragma GCC unroll 8
    for (int b = 0; b < blocks; b++) w[b] = NAME(load_bytes)(weight + LANES * b, lanes - LANES * b, f->byte_offset);
    for (int32_t c = 0; c < count; c++) {
        const uint64_t *mask = fired + f->slots[c] * f->blocks;
        const __m512i change = _mm512_set1_epi8((char)f->changes[c]);
#pragma GCC unroll 8
        for (int b = 0; b < blocks; b++) w[b] = _mm512_mask_adds_epi8(w[b], mask[b], w[b], change);
    }
#pragma GCC unroll 8
    for (int b = 0; b < blocks; b++) NAME(store_bytes)(weight + LANES * b, lanes - LANES * b, f->byte_offset, w[b]);
}

/* Weights -256 .. 255: the same in units of 1/128, whose fractions may rise above 0 but are cut at the end. */
static inline __attribute__((always_inline)) void
NAME(add_words)(const Fixed *f, int16_t *weight, int64_t lanes, const uint64_t *fired, int32_t count, const int blocks) {
    __m512i w[16];
#pragma GCC unroll 16
    for (int b = 0; b < 2 * blocks; b++)
        w[b] = _mm512_slli_epi16(NAME(load_half)(weight + 32 * b, lanes - 32 * b), FRACTION_BITS);
    for (int32_t c = 0; c < count; c++) {
        const uint64_t *mask = fired + f->slots[c] * f->blocks;
        const __m512i change = _mm512_set1_epi16((int16_t)(f->changes[c] * (1 << FRACTION_BITS)));
#pragma GCC unroll 8
        for (int b = 0; b < blocks; b++) {
            w[2 * b] = _mm512_mask_adds_epi16(w[2 * b], (__mmask32)mask[b], w[2 * b], change);
            w[2 * b + 1] = _mm512_mask_adds_epi16(w[2 * b + 1], (__mmask32)(mask[b] >> 32), w[2 * b + 1], change);
        }
    }
#pragma GCC unroll 16
    for (int b = 0; b < 2 * blocks; b++)
        NAME(store_half)(weight + 32 * b, lanes - 32 * b, _mm512_srai_epi16(w[b], FRACTION_BITS));
}
#endif

/* Returns 0, with nothing done, where single synapses are faster or changes are too large. */
static int NAME(add_in_blocks)(Plastic *p, int16_t *weight, int32_t count, int32_t least, int32_t most) {
#ifdef __AVX512BW__
    const Fixed *f = p->fixed;
    int is_byte = f->byte_offset != NO_BYTE, largest = is_byte ? 127 : 255;
    if (least < -largest || most > largest || (!is_byte && (p->w_min != -256 || p->w_max != 255))) return 0;
    int64_t spikes = 12 * count;
    for (int32_t c = 0; c < count; c++) spikes += p->log.begin[f->slots[c] + 1] - p->log.begin[f->slots[c]];
    if (spikes < (count + 6) * f->blocks * (is_byte ? 1 : 2)) return 0;
    int64_t b = 0;
#define BLOCKS(size)                                                                                                   \
    for (; b + size <= f->blocks; b += size) {                                                                         \
        if (is_byte) NAME(add_bytes)(f, weight + LANES * b, p->posts - LANES * b, f->fired + b, count, size);          \
        else NAME(add_words)(f, weight + LANES * b, p->posts - LANES * b, f->fired + b, count, size);                  \
    }
    BLOCKS(8)
    BLOCKS(4)
    BLOCKS(2)
    BLOCKS(1)
#undef BLOCKS
    return 1;
#else
    (void)p, (void)weight, (void)count, (void)least, (void)most;
    return 0;
#endif
}
