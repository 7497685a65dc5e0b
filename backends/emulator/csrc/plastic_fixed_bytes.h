/* Tables of 128 bytes looked up 64 at a time, where a processor can (AVX-512 VBMI). */

#if defined(__AVX512VBMI__) || (defined(__AVX512BW__) && defined(__GNUC__) && !defined(__clang__))
#include <immintrin.h>
#define HAS_BYTE_TABLES

static int NAME(has_byte_tables)(void) {
#ifdef __AVX512VBMI__
    return 1;
#else
    return __builtin_cpu_supports("avx512vbmi");
#endif
}

#ifndef __AVX512VBMI__
#pragma GCC push_options
#pragma GCC target("avx512vbmi")
#define POPS_OPTIONS
#endif

/* 64 weights -256 .. 255 in units of 1/128 as two registers, in the order in which bytes unpack. */
static inline __attribute__((always_inline)) void NAME(load_words)(const int16_t *from, int64_t lanes, __m512i *w) {
    __m512i a = _mm512_slli_epi16(NAME(load_half)(from, lanes), FRACTION_BITS);
    __m512i b = _mm512_slli_epi16(NAME(load_half)(from + 32, lanes - 32), FRACTION_BITS);
    w[0] = _mm512_shuffle_i64x2(a, b, 0x88), w[1] = _mm512_shuffle_i64x2(a, b, 0xdd);
}

static inline __attribute__((always_inline)) void NAME(store_words)(int16_t *into, int64_t lanes, const __m512i *w) {
    __m512i a = _mm512_shuffle_i64x2(w[0], w[1], 0x44), b = _mm512_shuffle_i64x2(w[0], w[1], 0xee);
    a = _mm512_srai_epi16(_mm512_shuffle_i64x2(a, a, 0xd8), FRACTION_BITS);
    b = _mm512_srai_epi16(_mm512_shuffle_i64x2(b, b, 0xd8), FRACTION_BITS);
    NAME(store_half)(into, lanes, a);
    NAME(store_half)(into + 32, lanes - 32, b);
}

/* Some blocks (t: tags, w: weights) through the turns `c` .. that are of one kind; returns the next one. */
static inline __attribute__((always_inline)) int32_t
NAME(take_turns)(const Fixed *f, __m512i *t, __m512i *w, __m512i *flags, int64_t first, int32_t c, int32_t count,
                 const int blocks, const int is_byte, const int kind) {
    const __m512i zero = _mm512_setzero_si512();
    const Turn *turns = f->turns;
    for (; c < count && turns[c].kind == kind; c++) {
        const Turn *turn = &turns[c];
        const uint64_t *mask = f->fired + turn->slot * f->blocks + first;
        const Move *some = turn->still, *other = turn->fired;
        __builtin_prefetch(turns[c + 3].fired->tag), __builtin_prefetch(turns[c + 3].fired->tag + 64);
        const __m512i still[2] = {_mm512_load_si512(some->tag), _mm512_load_si512(some->tag + 64)};
        const __m512i fired[2] = {_mm512_load_si512(other->tag), _mm512_load_si512(other->tag + 64)};
        const __m512i gained[2] = {_mm512_load_si512(some->gain), _mm512_load_si512(some->gain + 64)};
        const __m512i apart[2] = {_mm512_load_si512(other->gain), _mm512_load_si512(other->gain + 64)};
#pragma GCC unroll 8
        for (int b = 0; b < blocks; b++) {
            const __m512i tag = t[b];
            if (kind & GAINS) {
                __m512i gain = _mm512_permutex2var_epi8(gained[0], tag, gained[1]);
                if (kind & GAINS_APART)
                    gain = _mm512_mask_mov_epi8(gain, mask[b], _mm512_permutex2var_epi8(apart[0], tag, apart[1]));
                if (is_byte) {
                    w[b] = _mm512_adds_epi8(w[b], gain);
                } else {
                    const __m512i low = _mm512_srai_epi16(_mm512_unpacklo_epi8(zero, gain), 8 - FRACTION_BITS);
                    const __m512i high = _mm512_srai_epi16(_mm512_unpackhi_epi8(zero, gain), 8 - FRACTION_BITS);
                    w[2 * b] = _mm512_adds_epi16(w[2 * b], low), w[2 * b + 1] = _mm512_adds_epi16(w[2 * b + 1], high);
                }
            }
            t[b] = _mm512_permutex2var_epi8(still[0], tag, still[1]);
            if (kind & FIRES)
                t[b] = _mm512_mask_mov_epi8(t[b], mask[b], _mm512_permutex2var_epi8(fired[0], tag, fired[1]));
            *flags = _mm512_or_si512(*flags, t[b]);
        }
    }
    return c;
}

/* Some blocks of a row through all turns. Returns 0, with nothing written, where tables do not suffice. */
static inline __attribute__((always_inline)) int
NAME(turn_blocks)(const Fixed *f, int16_t *weight, int16_t *tags, int64_t lanes, int64_t first, int32_t count,
                  const int blocks, const int is_byte) {
    __m512i t[8], w[8], flags = _mm512_setzero_si512();
    uint32_t outside = 0;
#pragma GCC unroll 8
    for (int b = 0; b < blocks; b++) {
        const __m512i limit = _mm512_set1_epi16(2 * HALF_TAGS), shift = _mm512_set1_epi16(HALF_TAGS);
        const __m512i low = NAME(load_half)(tags + LANES * b, lanes - LANES * b);
        const __m512i high = NAME(load_half)(tags + LANES * b + 32, lanes - LANES * b - 32);
        outside |= _mm512_cmpge_epu16_mask(_mm512_add_epi16(low, shift), limit);
        outside |= _mm512_cmpge_epu16_mask(_mm512_add_epi16(high, shift), limit);
        t[b] = _mm512_inserti64x4(_mm512_castsi256_si512(_mm512_cvtepi16_epi8(low)), _mm512_cvtepi16_epi8(high), 1);
        if (is_byte) w[b] = NAME(load_bytes)(weight + LANES * b, lanes - LANES * b, f->byte_offset);
        else NAME(load_words)(weight + LANES * b, lanes - LANES * b, w + 2 * b);
    }
    if (outside) return 0;
    for (int32_t c = 0; c < count;) {
        c = NAME(take_turns)(f, t, w, &flags, first, c, count, blocks, is_byte, FIRES | GAINS);
        c = NAME(take_turns)(f, t, w, &flags, first, c, count, blocks, is_byte, GAINS);
        c = NAME(take_turns)(f, t, w, &flags, first, c, count, blocks, is_byte, FIRES);
        c = NAME(take_turns)(f, t, w, &flags, first, c, count, blocks, is_byte, 0);
        c = NAME(take_turns)(f, t, w, &flags, first, c, count, blocks, is_byte, FIRES | GAINS | GAINS_APART);
    }
    if (_mm512_movepi8_mask(flags)) return 0;
    const __m512i sign = _mm512_set1_epi8(HALF_TAGS);
#pragma GCC unroll 8
    for (int b = 0; b < blocks; b++) {
        t[b] = _mm512_and_si512(t[b], _mm512_set1_epi8(127));
        NAME(store_bytes)(tags + LANES * b, lanes - LANES * b, 0, _mm512_sub_epi8(_mm512_xor_si512(t[b], sign), sign));
        if (is_byte) NAME(store_bytes)(weight + LANES * b, lanes - LANES * b, f->byte_offset, w[b]);
        else NAME(store_words)(weight + LANES * b, lanes - LANES * b, w + 2 * b);
    }
    return 1;
}

/* The next blocks of a row, of which `lanes` synapses are left. Returns how many synapses were replayed, or less than 0:
   minus how many could not. */
static int64_t NAME(turn_row)(const Fixed *f, int16_t *weight, int16_t *tags, int64_t lanes, int64_t first, int32_t count) {
    const int is_byte = f->byte_offset != NO_BYTE;
#define BLOCKS(size, is)                                                                                               \
    if (is_byte == is && (lanes > LANES * (size - size / 2) || size == 1))                                             \
        return NAME(turn_blocks)(f, weight, tags, lanes, first, count, size, is) ? LANES * size : -LANES * size;
    BLOCKS(8, 1)
    BLOCKS(4, 1)
    BLOCKS(2, 1)
    BLOCKS(1, 1)
    BLOCKS(4, 0)
    BLOCKS(2, 0)
    BLOCKS(1, 0)
#undef BLOCKS
    return 0;
}

#ifdef POPS_OPTIONS
#pragma GCC pop_options
#undef POPS_OPTIONS
#endif
#endif
