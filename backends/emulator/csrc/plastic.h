/* Synapses that learn: one shard of a plastic projection, that is all presynaptic neurons and a range of postsynaptic ones.

   Nothing sweeps all synapses in every step. What the postsynaptic neurons did is kept in a log, an entry for each epoch,
   and a row (the synapses of one presynaptic neuron) replays the epochs since it was last brought up to date when it is
   needed: when its neuron spikes, when the log is full, or when somebody reads. A replay does the same operations in the
   same order as a step by step sweep, so that weights are the same to the bit; only the order of the rows differs, and
   rows do not depend on one another. */
#ifndef NEUROMORPH_PLASTIC_H
#define NEUROMORPH_PLASTIC_H

#include <stdint.h>

/* Before a loop whose iterations do not depend on one another, which the compiler cannot see. */
#if defined(__clang__)
#define INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#elif defined(__GNUC__)
#define INDEPENDENT _Pragma("GCC ivdep")
#else
#define INDEPENDENT
#endif

enum { X1, X2, Y1, Y2, Y3, WEIGHT, TAG, REWARD, DELAY };        /* variables of factors */
enum { ON_WEIGHT, ON_TAG, ON_DELAY };                           /* targets of products */
enum { ADDS, NEAREST, MEMBRANE };                               /* kinds of traces: what a spike does, or that v is followed */
enum { ON_PRE = -1, ON_POST = -2 };                             /* dependencies x0 and y0; k >= 0 is u_k */
enum { PRE_TRACES = 2, POST_TRACES = 3, TRACES = 5, MOST_FACTORS = 12, MOST_PRODUCTS = 64, TRACE_VALUES = 128 };

typedef struct {
    int32_t variable;
    int32_t is_sign; /* 1: sgn(variable + constant), 2: pos(variable + constant), 0: neither */
    double constant;
    int32_t limit; /* fixed point: 2^bits of the variable */
} Factor;

typedef struct {
    double coefficient;
    int32_t on_tag; /* its target: ON_WEIGHT, ON_TAG or ON_DELAY, the last in float alone */
    int32_t dependency;
    int32_t factors;
    int32_t sign;      /* fixed point: 1, or -1 for the half that takes negative third factors */
    int32_t mantissa;  /* fixed point: value = dependency * factors * mantissa >> down << up */
    int32_t down, up;
    Factor factor[MOST_FACTORS];
} Product;

typedef struct {
    int32_t is_used;
    int32_t kind; /* float: MEMBRANE is y = decay y + (1 - decay) v, with the impulse in the place of v at spikes */
    double impulse;
    double decay;         /* a step */
    const double *powers; /* float: decay^0 .. decay^epoch */
} Trace;

/* What happened in the epochs that some row has not seen yet. Slot k is epoch first + 1 + k. */
typedef struct {
    int64_t first;
    int32_t slots, most_slots;
    int64_t most_entries;
    int64_t *begin;                 /* (most_slots + 1): entries of slot k are begin[k] .. begin[k + 1] */
    int32_t *id;                    /* postsynaptic neuron of an entry, within the shard */
    int32_t *when;                  /* step of the epoch in which it spiked last */
    int32_t *slot;                  /* of an entry */
    int32_t *before;                /* the entry before it of the same neuron, or -1 */
    int32_t *newest;                /* (posts): newest entry of a neuron, or -1 */
    double *y[POST_TRACES];         /* postsynaptic traces of the neuron at that time */
    double *y_end[POST_TRACES];     /* (most_slots, posts): traces at the end of the epoch, where a rule reads them */
    double *reward;                 /* (most_slots, reward_width) */
    uint8_t *table[PRE_TRACES];     /* fixed point: (most_slots, 128): what a trace decays to in one step of the epoch */
    int32_t *rounding;              /* fixed point: what is added before the shift to whole units */
} Log;

/* Fixed point: the learning engine's widths. */
enum { LARGEST_TRACE = 127, FRACTION_BITS = 7, ACCUMULATOR_LIMIT = 1 << 15 };

enum { MOST_TERMS = 4, SLICE = 16, MOST_SLICES = 16, SEPARABLE_TILE = 512, SPARSE_SEGMENT = 128, SPARSE_AHEAD = 4 };

/* A row in the rule's terms: see plastic_separable.h. */
typedef struct {
    double *weight;
    const int32_t *target; /* NULL: dense */
    int64_t n, done; /* synapses; sparse: those done in this step */
    int32_t slice; /* at whose start it was last brought up to date */
    double scale[MOST_TERMS], down[MOST_TERMS], both[MOST_TERMS];
} Row;

/* Rules that separate into presynaptic times postsynaptic numbers: plastic_separable.h. */
typedef struct {
    int32_t is_on;
    int32_t ups, downs; /* products on post and on pre spikes */
    int32_t up[MOST_TERMS], down[MOST_TERMS];
    int32_t up_has[MOST_TERMS][PRE_TRACES]; /* how often a presynaptic trace is a factor */
    int32_t down_is_trace[MOST_TERMS];
    double *up_power[MOST_TERMS];  /* (most_slots + 2): D^k */
    double *x_power[PRE_TRACES];   /* (most_slots + 2): decay^k */
    double *now[MOST_TERMS];       /* (posts): P */
    double *then[MOST_TERMS];      /* (slices, posts): P at the start of slices */
    double *since[MOST_TERMS];     /* (posts): what was gained in the running slice, this step included, over D^(s+1) */
    double *record;                /* (posts, 4): see separable_sparse */
    double *gained[MOST_TERMS];    /* (posts): those of this step, else 0 */
    double *difference[MOST_TERMS];/* (posts) */
    double *value[MOST_TERMS];     /* (posts): postsynaptic factors of products on pre spikes */
    Row *rows;                     /* (pres) */
    int32_t *order;                /* (pres) */
    int32_t bucket[MOST_SLICES + 3];
} Separable;

/* A row of a rule with rewarded tags, as plastic_eligibility.h uses it: factors of shared vectors. */
typedef struct {
    double *weight, *tag;
    const double *first, *second; /* differences of its slice */
    double gain[MOST_TERMS];      /* of the tag for each unit of `first` */
    double moved[MOST_TERMS];     /* of the weight for each unit of `second` */
    double wide[MOST_TERMS];      /* how far a unit of `first` may have moved the weight on the way */
    double both[MOST_TERMS], down[MOST_TERMS];
    double kept;                  /* of the weight for each unit of the tag */
    double most, least;           /* the same at the furthest up and down on the way */
    const int32_t *target;
    int64_t n;
    int32_t slice, start;         /* start: the slot up to which the weight has seen everything */
} RewardedRow;

/* Of a postsynaptic neuron in the window: what each product gains, and which of its spikes was before it, or -1. */
typedef struct {
    int32_t slot, before;
    double gain[MOST_TERMS];
} Spike;

enum { RANGE_LEVELS = 9, REWARDED_TILE = 256, REWARDED_BLOCKS = REWARDED_TILE / 64, MOST_WAITING = 1024 };

/* Rules whose tags separate and whose weights follow tag times third factor: plastic_eligibility.h. */
typedef struct {
    int32_t is_on;
    Factor reward;                 /* how the rule reads it */
    double coefficient, keep;      /* of the weight's product; of the tag, in a step */
    int32_t is_pair;               /* one product on each side, and that on pre spikes reads no presynaptic trace */
    double rise, fall;             /* of this step: third factor in the weight for each unit of the tag; the slice's */
    double unit;                   /* a tag is its stored value times unit times keep^slot */
    double *keep_power;            /* (most_slots + 2) */
    double *ratio_power[MOST_TERMS]; /* (most_slots + 2): (D / keep)^k */
    double *prefix;                /* (most_slots + 2): sums of third factor times keep^slot */
    double *least[RANGE_LEVELS], *most[RANGE_LEVELS]; /* (most_slots + 2): of the 2^level prefixes up to a slot */
    double *now2[MOST_TERMS], *then2[MOST_TERMS]; /* as `now` and `then` of Separable, each gain times the prefix after it */
    double *first[MOST_TERMS], *second[MOST_TERMS]; /* (posts), or (slices, tile): differences up to now */
    double *less[MOST_TERMS], *back[MOST_TERMS]; /* (posts): of tag and weight that learn, back to the slice's start */
    double *down, *drop;           /* (posts), for a pair: of tag and weight, by the presynaptic spike */
    double *record;                /* (posts, 8) */
    uint8_t *lag;                  /* (pres): slots of the slice that the weight has seen */
    /* spikes of the window, each neuron's in a chain */
    int64_t entries, most_entries;
    Spike *spikes;
    RewardedRow *rows;             /* (pres) */
} Eligibility;

typedef struct Plastic {
    int32_t is_fixed, epoch, products, has_tag, has_sweeps, sweeps_read_y, reads_state;
    int32_t is_direct; /* changes depend on neither weight nor tag: plastic_direct.h */
    int32_t post_products, first_post_product;
    int64_t pres, posts, post_begin;
    int64_t reward_width; /* 0, 1, or posts */
    int64_t reward_begin; /* where the shard's third factors begin among those of a step */
    double w_min, w_max;
    double reward_scale; /* fixed point */
    int32_t tag_low, tag_high;
    Trace trace[TRACES];
    Product product[MOST_PRODUCTS];
    /* synapses: rows by presynaptic neuron; dense where pointer is NULL */
    const int64_t *pointer;  /* (pres + 1) */
    const int32_t *target;   /* (synapses): postsynaptic neuron within the shard, ascending in a row */
    const uint16_t *group;   /* (synapses): which delay; NULL where there is one */
    double *weight, *tag;          /* float */
    double *delay, d_max;          /* float: steps, real within 1 .. d_max, where delays learn; else NULL */
    int16_t *weight_i, *tag_i;     /* fixed point */
    /* traces and the running epoch */
    double *x[PRE_TRACES];   /* (pres): at the end of the epoch up to which the row is settled, or start of the running one */
    double *y[POST_TRACES];  /* (posts): at the start of the running epoch */
    int64_t *settled;        /* (pres): epochs that a row has seen */
    uint8_t *has_low_tag;    /* (pres): fixed point: a tag below -256, which moves in every epoch */
    int32_t *pre_time, *post_time; /* last spike in the running epoch, 0 for none */
    int32_t *pre_list, *post_list; /* neurons that have spiked in it */
    int64_t pre_count, post_count;
    const double *membrane;  /* (posts): float: v of the step after its reset */
    int64_t epochs; /* that have ended */
    Log log;
    struct Fixed *fixed; /* plastic_fixed_make.h */
    Separable separable;
    Eligibility eligibility;
    int32_t may_reorder; /* float: sums may be taken in another order, for speed */
    /* buffers of one row */
    double *new_weight, *new_tag, *new_delay, *value, *row_y[POST_TRACES];
    int32_t *total_weight, *total_tag, *value_i;
    double *y_at[POST_TRACES];  /* (posts): traces at the step in which the row's neuron spiked */
    int32_t *place;       /* (posts): place of a target in the row, checked against the row before use */
    double *row_x[PRE_TRACES]; /* (most_slots + 1): a trace of the row at the start of each slot */
    int32_t *order;       /* (most_slots): entries of a synapse, newest first */
    /* random numbers of the present run, fixed point: index 2 * (step - first_step) is drawn first in a step */
    const double *draw_decay[2], *draw_impulse[2];
    const double *draw_rounding; /* one for each epoch that ends in the run */
    int64_t first_step, first_epoch;
    double impulse_fraction[TRACES]; /* in units of 1/256 */
    int32_t impulse_now[TRACES];     /* what a spike adds in the epoch that ends */
} Plastic;

#endif
