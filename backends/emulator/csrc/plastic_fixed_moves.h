/* Fixed point: silent rows of rules with a tag, such as STDP that waits for a third factor.

   While a presynaptic neuron is silent, what an epoch does to a synapse follows from its tag, from the row's trace and
   from whether the postsynaptic neuron spiked. For tags of 7 bits that is a table of 128 bytes for the new tag and one for
   what the weight gains, made once and used by all rows. A processor that looks up 64 bytes at a time replays a row in
   registers. Tags beyond, and what the tables do not say, raise a flag: such synapses are replayed the general way. */

#include "plastic_fixed_bytes.h"

#ifdef HAS_BYTE_TABLES
/* A product by tags -64 .. 63; those that stay the same from slot to slot are kept. */
static const int32_t *NAME(tag_values)(Fixed *f, const Product *product, int32_t q, int32_t scalar) {
    TagValues *kept = &f->tag_values[q % KEPT_VALUES];
    if (kept->product == q + 1 && kept->scalar == scalar) return kept->value;
    NAME(values_i)(product, TAG, -HALF_TAGS, TRACE_VALUES, scalar, kept->value);
    kept->product = q + 1, kept->scalar = scalar;
    return kept->value;
}

/* What the weight gains by tags; returns whether anything is. NOT_A_GAIN: what a table cannot say. */
static int NAME(make_gains)(const Plastic *p, int32_t s, const int32_t *x, int is_fired, Move *move) {
    int32_t gain[TRACE_VALUES] = {0}, sides[TRACE_VALUES] = {0}, gains = 0;
    const int32_t rounding = p->log.rounding[s];
    for (int32_t q = 0; q < p->products; q++) {
        const Product *product = &p->product[q];
        int now = product->dependency == ON_POST ? is_fired : NAME(is_due)(product, p->log.first + 1 + s, 0);
        int32_t scalar = now && !product->on_tag ? NAME(row_scalar)(p, product, s, x) : 0;
        if (scalar == 0) continue;
        const int32_t *restrict value = NAME(tag_values)(p->fixed, product, q, scalar);
        for (int32_t k = 0; k < TRACE_VALUES; k++) {
            gain[k] += value[k];
            sides[k] |= (value[k] > 0) | (value[k] < 0) << 1;
        }
    }
    for (int32_t k = 0; k < TRACE_VALUES; k++) {
        int32_t gained = (gain[k] + rounding) >> FRACTION_BITS;
        gain[k] = (gained < -127) | (gained > 127) | (sides[k] == 3) ? NOT_A_GAIN : gained;
        gains |= gain[k];
    }
    for (int32_t k = 0; k < HALF_TAGS; k++) move->gain[k] = (int8_t)gain[k + HALF_TAGS];
    for (int32_t k = 0; k < HALF_TAGS; k++) move->gain[k + HALF_TAGS] = (int8_t)gain[k];
    return gains != 0;
}

/* still: of the same slot and trace without a postsynaptic spike, NULL where that is what is made. */
static void NAME(make_move)(const Plastic *p, int32_t s, int32_t at, const Move *still, Move *move) {
    int32_t total[TRACE_VALUES], x[PRE_TRACES] = {at, at}, on_weight = 0;
    const int32_t rounding = p->log.rounding[s], tag_low = p->tag_low, tag_high = p->tag_high;
    for (int32_t k = 0; k < TRACE_VALUES; k++) total[k] = (k - HALF_TAGS) * (1 << FRACTION_BITS);
    for (int32_t q = 0; q < p->products; q++) {
        const Product *product = &p->product[q];
        int now = product->dependency == ON_POST ? still != NULL : NAME(is_due)(product, p->log.first + 1 + s, 0);
        int32_t scalar = now ? NAME(row_scalar)(p, product, s, x) : 0, reads_tag = 0;
        on_weight |= product->dependency == ON_POST && !product->on_tag;
        if (scalar == 0 || !product->on_tag) continue;
        for (int32_t k = 0; k < product->factors; k++) reads_tag |= product->factor[k].variable == TAG;
        if (reads_tag) {
            const int32_t *restrict value = NAME(tag_values)(p->fixed, product, q, scalar);
            for (int32_t k = 0; k < TRACE_VALUES; k++) total[k] = NAME(accumulated)(total[k] + value[k]);
        } else {
            const int32_t change = NAME(scaled_i)(product, scalar);
            for (int32_t k = 0; k < TRACE_VALUES; k++) total[k] = NAME(accumulated)(total[k] + change);
        }
    }
    int32_t moves = 0, gains, gain_differs = 0;
    if (still && !on_weight) {
        memcpy(move->gain, still->gain, sizeof move->gain);
        gains = still->gains;
    } else {
        gains = NAME(make_gains)(p, s, x, still != NULL, move);
        gain_differs = still && memcmp(move->gain, still->gain, sizeof move->gain);
    }
    for (int32_t k = 0; k < TRACE_VALUES; k++) {
        int32_t tag = NAME(rounded)(total[k], rounding, tag_low, tag_high);
        total[k] = (tag & 127) | (tag < -HALF_TAGS || tag >= HALF_TAGS ? 128 : 0);
        moves |= tag ^ (k - HALF_TAGS);
    }
    for (int32_t k = 0; k < HALF_TAGS; k++) move->tag[k] = (uint8_t)total[k + HALF_TAGS]; /* by the low 7 bits of a tag */
    for (int32_t k = 0; k < HALF_TAGS; k++) move->tag[k + HALF_TAGS] = (uint8_t)total[k];
    for (int32_t k = 0; k < TRACE_VALUES; k++) move->tag[k] |= move->gain[k] == NOT_A_GAIN ? 128 : 0;
    int tag_differs = still && memcmp(move->tag, still->tag, sizeof move->tag);
    move->gains = gains || (still && still->gains);
    move->kind = moves || (still && still->kind & MOVES) ? MOVES : 0;
    move->kind |= gain_differs ? FIRES | GAINS | GAINS_APART : (tag_differs ? FIRES : 0) | (move->gains ? GAINS : 0);
}

/* Index of a move and its kind. */
static inline uint32_t NAME(find_move)(Plastic *p, int32_t s, int32_t at, const Move *still) {
    Fixed *f = p->fixed;
    uint32_t *found = &f->found[still != NULL][(int64_t)s * TRACE_VALUES + at];
    if (!*found) {
        Move *move = &f->moves[f->made];
        NAME(make_move)(p, s, at, still, move);
        *found = (uint32_t)(f->made++ << KIND_BITS | move->kind) | MADE;
    }
    return *found;
}

/* What happens in the slots start .. stop to a row with traces x, which are brought to the end of them. */
static int32_t NAME(find_turns)(Plastic *p, int32_t start, int32_t stop, int32_t *x) {
    const Log *log = &p->log;
    Fixed *f = p->fixed;
    int32_t count = 0;
    if (f->made + 2 * (stop - start) > MOST_MOVES) {
        f->made = 0;
        for (int k = 0; k < 2; k++) memset(f->found[k], 0, (size_t)log->most_slots * TRACE_VALUES * sizeof(uint32_t));
    }
    for (int32_t k = 0; k < PRE_TRACES; k++) {
        const uint8_t *of = log->table[k];
        if (!p->trace[k].is_used || k == f->moves_by - X1) continue;
        for (int32_t s = start; s < stop && x[k]; s++) x[k] = of[s * TRACE_VALUES + x[k]];
    }
    int32_t by = f->moves_by, at = by == BY_NONE ? 0 : x[by - X1];
    const uint8_t *table = by == BY_NONE ? NULL : log->table[by - X1];
    for (int32_t s = start; s < stop; s++) {
        if (table) at = table[s * TRACE_VALUES + at];
        uint32_t found = NAME(find_move)(p, s, f->still_reads_x ? at : 0, NULL);
        Turn turn = {&f->moves[(found & ~MADE) >> KIND_BITS], NULL, s, 0};
        turn.fired = turn.still;
        if (log->begin[s + 1] > log->begin[s]) {
            found = NAME(find_move)(p, s, at, turn.still);
            turn.fired = &f->moves[(found & ~MADE) >> KIND_BITS];
        }
        turn.kind = found & (FIRES | GAINS | GAINS_APART);
        f->turns[count] = turn;
        count += (found & (FIRES | GAINS | MOVES)) != 0;
    }
    for (int32_t k = 0; k < 3; k++) f->turns[count + k] = (Turn){f->moves, f->moves, 0, 0}; /* for prefetches */
    if (table) x[by - X1] = at;
    return count;
}

/* Turns a square of bits: bit a of word b becomes bit b of word a. */
static void NAME(transpose_bits)(uint64_t *restrict rows) {
    uint64_t mask = 0x00000000ffffffffull;
    for (int32_t j = 32; j; j >>= 1, mask ^= mask << j) {
        for (int32_t base = 0; base < 64; base += 2 * j) {
            for (int32_t k = base; k < base + j; k++) {
                uint64_t swapped = (rows[k] >> j ^ rows[k + j]) & mask;
                rows[k] ^= swapped << j, rows[k + j] ^= swapped;
            }
        }
    }
}

/* Who spiked, for each slot in the order of a sparse row. */
static void NAME(find_fired)(Plastic *p, int64_t i, int32_t start, int32_t stop) {
    Fixed *f = p->fixed;
    const int64_t first = p->pointer[i], n = p->pointer[i + 1] - first;
    for (int32_t word = start >> 6; word <= (stop - 1) >> 6; word++) {
        const uint64_t *history = f->history + word * p->posts;
        for (int64_t b = 0; b * LANES < n; b++) {
            const int32_t *target = p->target + first + b * LANES;
            uint64_t rows[LANES] = {0};
            for (int64_t k = 0; k < LANES && b * LANES + k < n; k++) rows[k] = history[target[k]];
            NAME(transpose_bits)(rows);
            int32_t slots = p->log.most_slots - 64 * word;
            for (int32_t k = 0; k < 64 && k < slots; k++) f->fired[(int64_t)(64 * word + k) * f->blocks + b] = rows[k];
        }
    }
}
#endif

/* A silent row; returns 0 where the rule or the processor is of another kind. */
static int NAME(moves_replay_i)(Plastic *p, int64_t i, int32_t start, int32_t stop, int32_t *x) {
#ifdef HAS_BYTE_TABLES
    Fixed *f = p->fixed;
    if (!f->has_moves || !NAME(has_byte_tables)()) return 0;
    int32_t x_start[PRE_TRACES] = {x[0], x[1]}, count = NAME(find_turns)(p, start, stop, x), is_placed = 0;
    const int64_t first = p->pointer ? p->pointer[i] : i * p->posts;
    const int64_t n = p->pointer ? p->pointer[i + 1] - first : p->posts;
    if (p->pointer) NAME(find_fired)(p, i, start, stop);
    for (int64_t at = 0, lanes; at < n; at += lanes) {
        lanes = NAME(turn_row)(f, p->weight_i + first + at, p->tag_i + first + at, n - at, at / LANES, count);
        if (lanes > 0) continue;
        lanes = -lanes < n - at ? -lanes : n - at;
        if (!is_placed) NAME(find_places)(p, i);
        is_placed = 1;
        int32_t now[PRE_TRACES] = {x_start[0], x_start[1]};
        for (int32_t s = start; s < stop; s++) {
            NAME(part_i)(p, i, at, at + lanes, s, 0, now);
            NAME(advance_x_i)(p, s, now, 0);
        }
    }
    return 1;
#else
    (void)p, (void)i, (void)start, (void)stop, (void)x;
    return 0;
#endif
}
#undef HAS_BYTE_TABLES
