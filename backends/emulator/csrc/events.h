/* Spikes of a dense (steps, size) array of truth values as lists: those of step k are start[k] .. start[k + 1] of ids. */

static int64_t NAME(events)(const uint8_t *spikes, int64_t steps, int64_t size, int64_t *start, int32_t *ids) {
    int64_t found = 0;
    for (int64_t k = 0; k < steps; k++, spikes += size) {
        start[k] = found;
        int64_t i = 0;
#ifdef __AVX512BW__
        for (; i + 64 <= size; i += 64) {
            __m512i bytes = _mm512_loadu_si512(spikes + i);
            for (uint64_t set = _mm512_test_epi8_mask(bytes, bytes); set; set &= set - 1)
                ids[found++] = (int32_t)(i + __builtin_ctzll(set));
        }
#endif
        for (; i + 8 <= size; i += 8) {
            uint64_t bytes;
            memcpy(&bytes, spikes + i, sizeof bytes);
            if (!bytes) continue;
            for (int64_t j = i; j < i + 8; j++)
                if (spikes[j]) ids[found++] = (int32_t)j;
        }
        for (; i < size; i++)
            if (spikes[i]) ids[found++] = (int32_t)i;
    }
    start[steps] = found;
    return found;
}
