/* Fixed point: what a time step does to traces, and the end of an epoch. */

static void NAME(decay_table_i)(uint8_t *restrict table, double decay, double draw) {
    for (int v = 0; v < TRACE_VALUES; v++) {
        double exact = decay * v;
        int32_t whole = (int32_t)exact;
        table[v] = (uint8_t)(whole + (draw < exact - whole));
    }
}

/* Postsynaptic traces as bytes, from the caller's arrays where those have been read or written. */
static void NAME(hold_y)(Plastic *p) {
    Fixed *f = p->fixed;
    if (f->y_is_held) return;
    f->y_is_held = 1;
    for (int t = 0; t < POST_TRACES; t++)
        for (int64_t j = 0; p->y[t] && j < p->posts; j++) f->y[t][j] = (uint8_t)p->y[t][j];
}

/* When all rows are settled: the caller may read everything. */
static void NAME(settled_i)(Plastic *p) {
    Fixed *f = p->fixed;
    if (f->y_is_held)
        for (int t = 0; t < POST_TRACES; t++)
            for (int64_t j = 0; p->y[t] && j < p->posts; j++) p->y[t][j] = f->y[t][j];
    f->y_is_held = 0;
    if (f->history) memset(f->history, 0, (size_t)((p->log.most_slots + 63) / 64 * p->posts) * sizeof(uint64_t));
}

/* The row that is needed next. */
static void NAME(prefetch_i)(const Plastic *p, int64_t i) {
    const int64_t first = p->pointer ? p->pointer[i] : i * p->posts, n = p->pointer ? p->pointer[i + 1] - first : p->posts;
    for (int64_t k = 0; k < n; k += 32) __builtin_prefetch(p->weight_i + first + k, 1);
    for (int64_t k = 0; p->has_tag && k < n; k += 32) __builtin_prefetch(p->tag_i + first + k, 1);
    for (int64_t k = 0; p->pointer && k < n; k += 16) __builtin_prefetch(p->target + first + k);
}

/* An earlier spike of the running epoch acts at the epoch's start. */
static void NAME(again_y_i)(Plastic *p, int64_t j, double draw) {
    NAME(hold_y)(p);
    for (int t = 0; t < POST_TRACES; t++) {
        const Trace *trace = &p->trace[PRE_TRACES + t];
        if (!trace->is_used) continue;
        double sum = p->fixed->y[t][j] + floor(trace->impulse) + (draw < p->impulse_fraction[PRE_TRACES + t]);
        p->fixed->y[t][j] = (uint8_t)(sum > LARGEST_TRACE ? LARGEST_TRACE : sum);
    }
}

/* All of postsynaptic trace t, `when` steps into the epoch. */
static void NAME(y_all_i)(const Plastic *p, int t, int32_t when, const uint8_t *table, uint8_t *restrict into) {
    const uint8_t *restrict start = p->fixed->y[t];
    uint8_t after[TRACE_VALUES];
    for (int v = 0; v < TRACE_VALUES; v++) {
        int32_t value = v;
        for (int32_t k = 0; k < when; k++) value = table[value];
        after[v] = (uint8_t)value;
    }
    for (int64_t j = 0; j < p->posts; j++) into[j] = after[start[j]];
    for (int64_t k = 0; k < p->post_count; k++) {
        int64_t j = p->post_list[k];
        into[j] = (uint8_t)NAME(trace_at_i)(table, p->impulse_now[PRE_TRACES + t], start[j], p->post_time[j], when);
    }
}

/* What replays of this epoch need. */
static void NAME(log_epoch_i)(Plastic *p, int32_t s, const double *reward, const uint8_t (*y_table)[TRACE_VALUES]) {
    Log *log = &p->log;
    Fixed *f = p->fixed;
    int64_t entry = log->begin[s];
    uint64_t *fired = p->pointer ? NULL : f->fired + s * f->blocks;
    for (int k = 0; f->has_moves && k < 2; k++)
        memset(f->found[k] + (int64_t)s * TRACE_VALUES, 0, TRACE_VALUES * sizeof(uint32_t));
    if (s == 0) f->made = 0;
    if (fired) memset(fired, 0, (size_t)f->blocks * sizeof *fired);
    for (int64_t k = 0; k < p->post_count; k++, entry++) {
        int32_t j = p->post_list[k];
        log->id[entry] = j;
        log->when[entry] = p->post_time[j];
        log->slot[entry] = s;
        for (int t = 0; t < POST_TRACES; t++)
            if (p->y[t])
                log->y[t][entry] = NAME(trace_at_i)(y_table[t], p->impulse_now[PRE_TRACES + t], f->y[t][j],
                                                    p->post_time[j], p->post_time[j]);
        if (p->pointer) {
            log->before[entry] = log->newest[j];
            log->newest[j] = (int32_t)entry;
            f->history[(s >> 6) * p->posts + j] |= 1ull << (s & 63);
        } else {
            fired[j >> 6] |= 1ull << (j & 63);
        }
    }
    log->begin[s + 1] = entry;
    double *into = log->reward + (int64_t)s * p->reward_width;
    for (int64_t k = 0; k < p->reward_width; k++) {
        double r = rint(reward[k + p->reward_begin] * p->reward_scale);
        into[k] = r < -LARGEST_TRACE ? -LARGEST_TRACE : r > LARGEST_TRACE ? LARGEST_TRACE : r;
    }
}

static void NAME(end_epoch_i)(Plastic *p, int64_t step, const double *reward) {
    Log *log = &p->log;
    Fixed *f = p->fixed;
    if (log->slots == log->most_slots || (log->slots ? log->begin[log->slots] : 0) + p->post_count > log->most_entries)
        NAME(settle_all)(p);
    NAME(hold_y)(p);
    NAME(prepare_direct)(p);
    f->shared_epoch = -1;
    int32_t s = log->slots;
    uint8_t y_table[POST_TRACES][TRACE_VALUES];
    int64_t drawn = 2 * (step - p->first_step) - 1; /* the second number of this step */
    for (int k = 0; k < TRACES; k++) {
        const Trace *trace = &p->trace[k];
        if (!trace->is_used) continue;
        int side = k >= PRE_TRACES;
        uint8_t *table = side ? y_table[k - PRE_TRACES] : log->table[k] + (int64_t)s * TRACE_VALUES;
        NAME(decay_table_i)(table, trace->decay, p->draw_decay[side][drawn]);
        p->impulse_now[k] = (int32_t)floor(trace->impulse) + (p->draw_impulse[side][drawn] < p->impulse_fraction[k]);
    }
    int32_t drawn_rounding = (int32_t)floor(p->draw_rounding[p->epochs - p->first_epoch] * (1 << FRACTION_BITS));
    log->rounding[s] = (1 << FRACTION_BITS) - 1 - drawn_rounding;
    if (s == 0) log->begin[0] = 0;
    NAME(log_epoch_i)(p, s, reward, (const uint8_t(*)[TRACE_VALUES])y_table);
    for (int t = 0; t < POST_TRACES; t++) {
        if (!p->y[t]) continue;
        NAME(y_all_i)(p, t, p->epoch, y_table[t], f->y_end[t]);
        if (p->epoch == 1) f->y_at[t] = f->y_end[t];
        if (p->sweeps_read_y) {
            double *end = log->y_end[t] + (int64_t)s * p->posts;
            for (int64_t j = 0; j < p->posts; j++) end[j] = f->y_end[t][j];
        }
    }
    log->slots = s + 1;
    p->epochs += 1;
    /* rows whose neuron spiked learn now */
    for (int32_t when = 1; when <= p->epoch && p->pre_count; when++) {
        int is_ready = p->epoch == 1;
        for (int64_t k = 0; k < p->pre_count; k++) {
            int64_t i = p->pre_list[k];
            if (p->pre_time[i] != when) continue;
            for (int t = 0; !is_ready && t < POST_TRACES; t++)
                if (p->y[t]) NAME(y_all_i)(p, t, when, y_table[t], f->y_at[t]);
            is_ready = 1;
            int32_t x[PRE_TRACES] = {p->x[0] ? (int32_t)p->x[0][i] : 0, p->x[1] ? (int32_t)p->x[1][i] : 0};
            if (!NAME(direct_row_i)(p, i, s, when, x)) {
                NAME(find_places)(p, i);
                NAME(whole_row_i)(p, i, s, when, x);
            }
            NAME(advance_x_i)(p, s, x, when);
            for (int t = 0; t < PRE_TRACES; t++)
                if (p->x[t]) p->x[t][i] = x[t];
            p->settled[i] = p->epochs;
        }
    }
    for (int t = 0; t < POST_TRACES; t++) {
        uint8_t *end = f->y_end[t];
        f->y_end[t] = f->y[t], f->y[t] = end;
    }
    for (int64_t k = 0; k < p->pre_count; k++) p->pre_time[p->pre_list[k]] = 0;
    for (int64_t k = 0; k < p->post_count; k++) p->post_time[p->post_list[k]] = 0;
    p->pre_count = p->post_count = 0;
}
