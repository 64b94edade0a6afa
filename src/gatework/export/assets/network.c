/* The arithmetic around the cell: products, norms, the projection, and what acts on new states. */

#define WIDTH (DIRECTIONS * FEATURES)
#define STATES_SIZE (FEATURES + (STATES - 1) * UNITS)
#define ROWS (INPUT_BLOCKS * UNITS)
#define CARRIED_ROWS (RECURRENT_BLOCKS * UNITS)

/* The states of one layer and direction: h, FEATURES values, then the others, UNITS values each. */
static float *state_of(float *states, int n) { return n ? states + FEATURES + (n - 1) * UNITS : states; }
static int width_of(int n) { return n ? UNITS : FEATURES; }

static float dot(const float *w, const float *x, int columns)
{
    float sum = 0.0f;
    for (int k = 0; k < columns; k++) sum += w[k] * x[k];
    return sum;
}

static void normalise(float *values, int count, const float *gain, const float *shift)
{
    float mean = 0.0f, variance = 0.0f;
    for (int k = 0; k < count; k++) mean += values[k];
    mean /= (float)count;
    for (int k = 0; k < count; k++) variance += (values[k] - mean) * (values[k] - mean);
    const float scale = 1.0f / sqrtf(variance / (float)count + 1e-5f);
    for (int k = 0; k < count; k++) values[k] = (values[k] - mean) * scale * gain[k] + (shift ? shift[k] : 0.0f);
}

/* W x, normalised where there is a gain, and b. */
static void product(const float *w, const float *b, const float *gain, const float *x, int columns, int rows, float *out)
{
    for (int r = 0; r < rows; r++) out[r] = dot(w + (size_t)r * (size_t)columns, x, columns);
    if (gain) normalise(out, rows, gain, NULL);
    if (b)
        for (int r = 0; r < rows; r++) out[r] += b[r];
}

/* One step of one layer and direction: from the states before it to those after it, in place. */
static void scan_step(const struct scan *scan, const float *x, float *states)
{
    float given[ROWS], before[STATES_SIZE], sums[SUMS * UNITS], h[UNITS];
    memcpy(before, states, sizeof before);
    product(scan->weight_ih, scan->bias_ih, scan->norm_ih, x, scan->inputs, ROWS, given);
#if RECURRENT_BLOCKS
    float carried[CARRIED_ROWS];
    product(scan->weight_hh, scan->bias_hh, scan->norm_hh, before, FEATURES, CARRIED_ROWS, carried);
#endif
    for (int n = 0; n < SUMS; n++) {
        for (int k = 0; k < UNITS; k++) {
            float sum = 0.0f;
            if (input_block[n] >= 0) sum += given[input_block[n] * UNITS + k];
#if RECURRENT_BLOCKS
            if (recurrent_block[n] >= 0) sum += carried[recurrent_block[n] * UNITS + k];
#endif
            sums[n * UNITS + k] = sum;
        }
    }
#if NORMALISED
    float normal[NORMALISED * UNITS];
    cell_inner(sums, scan->weight_unit, before, normal);
    for (int n = 0; n < NORMALISED; n++)
        normalise(normal + n * UNITS, UNITS, scan->norm_state + n * UNITS, scan->norm_state_bias + n * UNITS);
#else
    const float *normal = NULL;
#endif
    cell_step(sums, scan->weight_unit, before, normal, h, states);
    if (scan->weight_hr) product(scan->weight_hr, NULL, NULL, h, UNITS, FEATURES, states);
    else memcpy(states, h, sizeof(float) * FEATURES);
    for (int n = 0; n < STATES; n++) {
        float *now = state_of(states, n);
        const float *old = state_of(before, n);
        for (int k = 0; k < width_of(n); k++) now[k] = carried_on(n, old[k], now[k]);
    }
}

#if POOLING != NONE
/* What the output sees of the states so far, step by step: sums, the largest values, and the shares of attention. */
static void pool_step(struct pool *pool, const float *h)
{
    float factor = 1.0f, share = 1.0f;
#if POOLING == ATTENTION
    const float score = dot(score_weight, h, WIDTH);
    if (pool->steps == 0) pool->highest = score;
    if (score > pool->highest) {
        factor = expf(pool->highest - score);
        pool->highest = score;
    }
    share = expf(score - pool->highest);
    pool->shares = pool->shares * factor + share;
#endif
    for (int k = 0; k < WIDTH; k++) {
        pool->sum[k] = pool->sum[k] * factor + share * h[k];
        if (pool->steps == 0 || h[k] > pool->largest[k]) pool->largest[k] = h[k];
    }
    pool->steps++;
}

/* `last`: the last states of each direction, FEATURES values each. */
static void pool_output(const struct pool *pool, const float *last, float *output)
{
    float pooled[3 * WIDTH];
    const float *seen = pooled;
    const float steps = POOLING == ATTENTION ? pool->shares : (float)pool->steps;
    int at = 0;
    for (int k = 0; k < WIDTH && (POOLING == LAST || POOLING == CONCAT); k++) pooled[at++] = last[k];
    for (int k = 0; k < WIDTH && (POOLING == MEAN || POOLING == CONCAT || POOLING == ATTENTION); k++) pooled[at++] = pool->sum[k] / steps;
    for (int k = 0; k < WIDTH && (POOLING == LARGEST || POOLING == CONCAT); k++) pooled[at++] = pool->largest[k];
    product(output_weight, output_bias, NULL, seen, at, OUTPUTS, output);
}
#endif

static const float *vector_of(const INPUT *input, size_t t)
{
#if TOKENS
    return embedding + (size_t)input[t] * INPUTS;
#else
    return input + t * INPUTS;
#endif
}

#if DIRECTIONS == 1
void FUNCTION(start)(STATE *state) { memset(state, 0, sizeof *state); }

void FUNCTION(step)(STATE *state, const INPUT *input)
{
    const float *x = vector_of(input, 0);
    for (int layer = 0; layer < LAYERS; layer++) {
        scan_step(&scans[layer], x, state->states[layer]);
        x = state->states[layer];
    }
#if POOLING != NONE
    pool_step(&state->pool, x);
#endif
}

void FUNCTION(output)(const STATE *state, float *output)
{
    const float *last = state->states[LAYERS - 1];
#if POOLING != NONE
    pool_output(&state->pool, last, output);
#else
    memcpy(output, last, sizeof(float) * WIDTH);
#endif
}

void FUNCTION(predict)(const INPUT *inputs, size_t steps, float *output)
{
    STATE state;
    FUNCTION(start)(&state);
    for (size_t t = 0; t < steps; t++) {
        FUNCTION(step)(&state, inputs + t * (TOKENS ? 1 : INPUTS));
#if POOLING == NONE
        FUNCTION(output)(&state, output + t * WIDTH);
#endif
    }
#if POOLING != NONE
    FUNCTION(output)(&state, output);
#endif
}
#else
void FUNCTION(predict)(const INPUT *inputs, size_t steps, float *output, float *scratch)
{
    float *from = scratch, *to = scratch + steps * WIDTH;
    float last[WIDTH];
    for (int layer = 0; layer < LAYERS; layer++) {
        for (int d = 0; d < DIRECTIONS; d++) {
            float states[STATES_SIZE] = {0};
            for (size_t n = 0; n < steps; n++) {
                const size_t t = d ? steps - 1 - n : n;
                scan_step(&scans[layer * DIRECTIONS + d], layer ? from + t * WIDTH : vector_of(inputs, t), states);
                memcpy(to + t * WIDTH + d * FEATURES, states, sizeof(float) * FEATURES);
            }
            memcpy(last + d * FEATURES, states, sizeof(float) * FEATURES);
        }
        float *other = from;
        from = to;
        to = other;
    }
#if POOLING != NONE
    struct pool pool;
    memset(&pool, 0, sizeof pool);
    for (size_t t = 0; t < steps; t++) pool_step(&pool, from + t * WIDTH);
    pool_output(&pool, last, output);
#else
    (void)last;
    memcpy(output, from, sizeof(float) * steps * WIDTH);
#endif
}
#endif
