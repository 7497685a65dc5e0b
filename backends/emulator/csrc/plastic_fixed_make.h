/* What fixed point keeps beside a shard: traces in bytes, who spiked in bits, and what kind of rule it is.

   In an epoch all synapses are rounded with one number, so what happens to a synapse depends on a few small integers only:
   traces of 7 bits, a tag of 9. Changes are therefore looked up in small tables, made anew for each epoch. */
#include "plastic.h"

enum { LANES = 64, BY_NONE = -1, BY_OTHER = -2, NO_BYTE = 1 << 20, FIRED = -32768 };
enum { HALF_TAGS = 64, MOST_MOVES = 8192, KEPT_VALUES = 8, NOT_A_GAIN = -128 };
/* Kinds of turns: synapses whose neuron spiked differ; weights change, those differently; tags change. */
enum { FIRES = 1, GAINS = 2, GAINS_APART = 4, MOVES = 8, KIND_BITS = 4 };
static const uint32_t MADE = 1u << 31;

/* What an epoch does to a synapse by its tag, -64 .. 63: its new tag, or 128 and more; what the weight gains. */
typedef struct {
    uint8_t tag[TRACE_VALUES];
    int8_t gain[TRACE_VALUES];
    int32_t gains, kind; /* whether anything is gained; kind of turn */
    uint8_t to_line[56];
} Move;

/* A product by tags -64 .. 63, its other factors being `scalar`. */
typedef struct {
    int32_t product, scalar; /* product: 1 + its place, 0 for none */
    int32_t value[TRACE_VALUES];
} TagValues;

typedef struct {
    const Move *still, *fired; /* for synapses whose postsynaptic neuron was silent, and for others */
    int32_t slot, kind;
} Turn;

typedef struct Fixed {
    uint8_t *y[POST_TRACES];     /* at the start of the running epoch; the caller's arrays follow when all is settled */
    uint8_t *y_end[POST_TRACES]; /* at its end */
    uint8_t *y_at[POST_TRACES];  /* at the step in which the row's neuron spiked */
    int32_t y_is_held;
    int64_t blocks;              /* of 64 synapses in the longest row */
    uint64_t *fired;             /* (most_slots, blocks) and 8: who spiked in a slot; sparse: of the row at hand */
    uint64_t *history;           /* sparse: (most_slots / 64, posts): slots in which a neuron spiked */
    int32_t byte_offset;         /* weights less this fit a byte; NO_BYTE where they do not */
    /* rules without state: plastic_fixed_direct.h */
    int32_t post_by, pre_by;     /* the one trace that products on y0, on x0 read, BY_NONE, or BY_OTHER */
    int32_t is_prepared;
    int32_t post_value[TRACE_VALUES]; /* what products on y0 add, by that trace */
    int32_t pre_value[TRACE_VALUES];  /* the same on x0 in the row at hand */
    int16_t pre_change[TRACE_VALUES]; /* in whole units, rounded for the epoch */
    int32_t pre_is_shared;       /* the same for all rows */
    int64_t shared_epoch;        /* epoch and step in it for which `change` was made last */
    int32_t shared_when;
    int32_t pre_is_mixed;        /* products on x0 pull to both sides: their order counts */
    int16_t *change;             /* (posts) */
    int16_t *kept;               /* (posts) */
    int32_t *slots;              /* (most_slots): in which something changes, and by how much */
    int16_t *changes;
    int32_t is_pair;             /* one product on y0 and one on x0 at most; the order of the two: */
    int32_t pre_first;
    /* rules with a tag: plastic_fixed_moves.h */
    int32_t has_moves, moves_by; /* the one presynaptic trace that counts, or BY_NONE */
    int32_t still_reads_x, made;
    Move *moves;                 /* (MOST_MOVES), on lines of the cache */
    void *moves_memory;
    uint32_t *found[2];          /* (most_slots, 128): the move by trace, or 0; [1] with a postsynaptic spike */
    Turn *turns;                 /* (most_slots + 4) */
    TagValues tag_values[KEPT_VALUES];
} Fixed;

static void *zeros(size_t count, size_t size);

/* The one trace among first .. last that all products of a dependency read. */
static int32_t read_alone(const Plastic *p, int32_t dependency, int32_t first, int32_t last) {
    int32_t by = BY_NONE;
    for (int32_t q = 0; q < p->products; q++) {
        const Product *product = &p->product[q];
        if (product->dependency != dependency) continue;
        for (int32_t k = 0; k < product->factors; k++) {
            int32_t variable = product->factor[k].variable;
            if (dependency == ON_PRE && (variable <= X2 || (variable == REWARD && p->reward_width == 1))) continue;
            if (variable < first || variable > last || (by >= 0 && by != variable)) return BY_OTHER;
            by = variable;
        }
    }
    return by;
}

static int pre_is_shared(const Plastic *p) {
    for (int32_t q = 0; q < p->products; q++)
        for (int32_t k = 0; p->product[q].dependency == ON_PRE && k < p->product[q].factors; k++)
            if (p->product[q].factor[k].variable <= X2) return 0;
    return 1;
}

/* Whether changes of a silent row follow from tag, third factor and one presynaptic trace. */
static int has_moves(Plastic *p) {
    Fixed *f = p->fixed;
    f->moves_by = BY_NONE;
    for (int32_t q = 0; q < p->products; q++) {
        const Product *product = &p->product[q];
        for (int32_t k = 0; product->dependency != ON_PRE && k < product->factors; k++) {
            int32_t variable = product->factor[k].variable;
            if (variable == TAG || (variable == REWARD && p->reward_width == 1)) continue;
            if (variable > X2 || (f->moves_by >= 0 && f->moves_by != variable)) return 0;
            f->moves_by = variable;
            f->still_reads_x |= product->dependency >= 0;
        }
    }
    return p->epoch == 1 && p->has_tag && (f->byte_offset != NO_BYTE || (p->w_min == -256 && p->w_max == 255));
}

static void fixed_free(Plastic *p) {
    Fixed *f = p->fixed;
    if (!f) return;
    for (int t = 0; t < POST_TRACES; t++) {
        free(f->y[t]);
        free(f->y_end[t]);
        if (p->epoch > 1) free(f->y_at[t]);
    }
    void *owned[] = {f->fired, f->history, f->change, f->kept, f->slots, f->changes,
                     f->moves_memory, f->found[0], f->found[1], f->turns, f};
    for (size_t k = 0; k < sizeof owned / sizeof *owned; k++) free(owned[k]);
    p->fixed = NULL;
}

/* After the log was sized. Returns whether there was memory. */
static int fixed_ready(Plastic *p) {
    Fixed *f = p->fixed = zeros(1, sizeof *f);
    if (!f) return 0;
    size_t most = (size_t)p->log.most_slots, posts = (size_t)p->posts;
    int ok = 1, on_pre = 0, on_post = 0;
    f->blocks = (p->posts + LANES - 1) / LANES;
    for (int t = 0; t < POST_TRACES; t++) {
        if (!p->y[t]) continue;
        ok = ok && (f->y[t] = zeros(posts, 1)) && (f->y_end[t] = zeros(posts, 1));
        if (p->epoch > 1) ok = ok && (f->y_at[t] = zeros(posts, 1));
    }
    if (p->pointer) ok = ok && (f->history = zeros((most + 63) / 64 * posts, sizeof(uint64_t)));
    ok = ok && (f->change = zeros(posts, sizeof(int16_t))) && (f->kept = zeros(posts, sizeof(int16_t)));
    ok = ok && (f->slots = zeros(most + 1, sizeof(int32_t))) && (f->changes = zeros(most + 1, sizeof(int16_t)));
    f->byte_offset = p->w_max - p->w_min == 255 ? (int32_t)p->w_min + 128 : NO_BYTE;
    f->has_moves = has_moves(p);
    if (!p->pointer || f->has_moves) ok = ok && (f->fired = zeros(most * (size_t)f->blocks + 8, sizeof(uint64_t)));
    if (ok && f->has_moves) {
        f->moves_memory = zeros(MOST_MOVES + 1, sizeof(Move));
        f->moves = (Move *)(((uintptr_t)f->moves_memory + 63) & ~(uintptr_t)63);
        ok = f->moves_memory && (f->turns = zeros(most + 4, sizeof(Turn)));
        for (int k = 0; k < 2; k++) ok = ok && (f->found[k] = zeros(most * TRACE_VALUES, sizeof(uint32_t)));
    }
    f->shared_epoch = -1;
    int is_direct = !p->has_sweeps && !p->reads_state && !p->has_tag;
    f->post_by = !is_direct || p->epoch > 1 ? BY_OTHER : read_alone(p, ON_POST, X1, X2);
    f->pre_by = !is_direct ? BY_OTHER : read_alone(p, ON_PRE, Y1, Y3);
    f->pre_is_shared = pre_is_shared(p);
    for (int32_t q = p->products - 1; q >= 0; q--) {
        int is_pre = p->product[q].dependency == ON_PRE;
        on_pre += is_pre, on_post += !is_pre;
        f->pre_first = is_pre;
    }
    f->is_pair = on_pre <= 1 && on_post <= 1;
    return ok;
}
