#include "mot/mixture.h"

#include <math.h>
#include <string.h>

#include "basis.h"
#include "mot/memory.h"
#include "mot/rng.h"

/* What the random numbers of MOT_STREAM_MIXTURE are for: the counter's third word. Part of the definition of
 * the data: append only. */
enum { DRAW_CLASS = 0, DRAW_STRENGTH = 1, DRAW_PLACES = 2, DRAW_NOISE = 3, DRAW_BASIS = 4 };

/* ---- the signals ---- */

static mot_status check_range(const char *name, const double range[2])
{
    if (isfinite(range[0]) && isfinite(range[1]) && range[0] <= range[1]) return MOT_OK;
    return mot_fail(MOT_ERR_INPUT, "%s must be a range lo <= hi of numbers, not %g, %g", name, range[0],
                    range[1]);
}

static mot_status check(const mot_mixture_config *config)
{
    const int n = config->classes;
    if (n < 2 || n > MOT_MIXTURE_MAX_CLASSES)
        return mot_fail(MOT_ERR_INPUT, "a mixture has 2 to %d classes, not %d", MOT_MIXTURE_MAX_CLASSES, n);
    if (config->tokens < 4 || config->tokens > 1 << 20)
        return mot_fail(MOT_ERR_INPUT, "a mixture has 4 to %d tokens, not %zu", 1 << 20, config->tokens);
    const size_t signals = (size_t)n * (config->vector_labels ? 3 : 2);
    if (config->width < signals || config->width > 1 << 16)
        return mot_fail(MOT_ERR_INPUT, "%zu signals of %d classes need a width of %zu to %d, not %zu",
                        signals, n, signals, 1 << 16, config->width);
    mot_status status = MOT_OK;
    MOT_TRY(check_range("alpha", config->alpha));
    MOT_TRY(check_range("beta", config->beta));
    MOT_TRY(check_range("gamma", config->gamma));
    if (!(config->sigma >= 0) || !isfinite(config->sigma))
        return mot_fail(MOT_ERR_INPUT, "sigma must be a number >= 0, not %g", config->sigma);
    if (!(config->correlation >= 0 && config->correlation < 1))
        return mot_fail(MOT_ERR_INPUT, "correlation must be in [0, 1), not %g", config->correlation);
    for (int c = 0; c < n; ++c)
        if (!(config->class_weight[c] >= 0) || !isfinite(config->class_weight[c]))
            return mot_fail(MOT_ERR_INPUT, "the weight of class %d must be a number >= 0, not %g", c,
                            config->class_weight[c]);
done:
    return status;
}

mot_status mot_mixture_init(mot_mixture *mixture, const mot_mixture_config *config)
{
    *mixture = (mot_mixture){0};
    mot_status status = check(config);
    if (status != MOT_OK) return status;
    const size_t classes = (size_t)config->classes, signals = classes * (config->vector_labels ? 3 : 2);
    MOT_TRY(mot_allocate(&mixture->class_signal, signals * config->width, sizeof(double),
                         "the signals of a mixture"));
    mixture->label_signal = mixture->class_signal + classes * config->width; /* one block */
    mixture->config = *config;
    mixture->deviation = (float)(config->sigma / sqrt((double)config->width));
    mot_basis_make(config->seed, MOT_STREAM_MIXTURE, DRAW_BASIS, signals, config->width,
                   mixture->class_signal);
    if (config->correlation > 0)
        mot_basis_correlate(config->correlation, signals, config->width, mixture->class_signal);
done:
    return status;
}

void mot_mixture_free(mot_mixture *mixture)
{
    mot_free(mixture->class_signal);
    *mixture = (mot_mixture){0};
}

/* ---- a sample ---- */

static size_t below(uint32_t word, size_t count)
{
    return (size_t)((uint64_t)word * count >> 32);
}

static int choose_class(const mot_mixture_config *config, uint32_t word)
{
    double total = 0, sum = 0;
    for (int c = 0; c < config->classes; ++c) total += config->class_weight[c];
    if (!(total > 0)) return (int)below(word, (size_t)config->classes);
    const double place = mot_uniform(word) * total;
    int last = 0;
    for (int c = 0; c < config->classes; ++c) {
        if (config->class_weight[c] <= 0) continue;
        last = c;
        sum += config->class_weight[c];
        if (place < sum) break;
    }
    return last;
}

/* Three different places among `count`: the second and third step over those taken. */
static void choose_places(mot_random4 random, size_t count, size_t place[3])
{
    place[0] = below(random.word[0], count);
    place[1] = below(random.word[1], count - 1);
    place[2] = below(random.word[2], count - 2);
    if (place[1] >= place[0]) ++place[1];
    const size_t low = MOT_MIN(place[0], place[1]), high = MOT_MAX(place[0], place[1]);
    if (place[2] >= low) ++place[2];
    if (place[2] >= high) ++place[2];
}

/* Noise for all tokens but those of the three places, in order: made in one row behind room for three tokens, of which what
 * stands before each place is then moved up. */
static void put_noise(const mot_mixture *mixture, uint32_t low, uint32_t high, const size_t place[3], float *x)
{
    const size_t tokens = mixture->config.tokens, width = mixture->config.width;
    const size_t least = MOT_MIN(place[0], MOT_MIN(place[1], place[2])), most = MOT_MAX(place[0], MOT_MAX(place[1], place[2])),
                 between = place[0] + place[1] + place[2] - least - most;
    mot_normal_row(mixture->config.seed, MOT_STREAM_MIXTURE, (const uint32_t[]){low, high, DRAW_NOISE, 0}, mixture->deviation,
                   x + 3 * width, (tokens - 3) * width);
    memmove(x, x + 3 * width, least * width * sizeof *x);
    memmove(x + (least + 1) * width, x + (least + 3) * width, (between - least - 1) * width * sizeof *x);
    memmove(x + (between + 1) * width, x + (between + 2) * width, (most - between - 1) * width * sizeof *x);
}

static void put(size_t width, double factor, const double *signal, float *token)
{
    for (size_t d = 0; d < width; ++d) token[d] = (float)(factor * signal[d]);
}

void mot_mixture_sample(const mot_mixture *mixture, int split, mot_gidx index, float *x, int32_t *label,
                        int32_t *group, int8_t *role)
{
    const mot_mixture_config *config = &mixture->config;
    const size_t tokens = config->tokens, width = config->width;
    /* Counter words: the index's low word; its high word with the split; the purpose; the element. */
    const uint32_t low = (uint32_t)index, high = (uint32_t)((uint64_t)index >> 32) << 2 | (uint32_t)split;
    mot_random4 drawn[MOT_RANDOM_FEW];
    mot_random_few(config->seed, MOT_STREAM_MIXTURE, (const uint32_t[]){low, high, DRAW_CLASS, 0}, drawn);
    const mot_random4 draw = drawn[DRAW_CLASS], strength = drawn[DRAW_STRENGTH];
    const int own = choose_class(config, draw.word[0]);
    const int other = (own + 1 + (int)below(draw.word[1], (size_t)config->classes - 1)) % config->classes;
    const int y = draw.word[2] >> 31 ? 1 : -1, e = draw.word[3] >> 31 ? 1 : -1;
    const double *const range[3] = {config->alpha, config->beta, config->gamma};
    double factor[3];
    for (int i = 0; i < 3; ++i)
        factor[i] = range[i][0] + (range[i][1] - range[i][0]) * mot_uniform(strength.word[i]);

    size_t place[3];
    choose_places(drawn[DRAW_PLACES], tokens, place);
    if (role != NULL) {
        memset(role, MOT_ROLE_NOISE, tokens);
        role[place[0]] = MOT_ROLE_CLASS;
        role[place[1]] = MOT_ROLE_SIGNAL;
        role[place[2]] = MOT_ROLE_DISTRACTOR;
    }

    put_noise(mixture, low, high, place, x);
    /* Signed: one signal times the sign. Vector: one signal for each sign. */
    const bool vector = config->vector_labels;
    const size_t own_row = vector ? 2 * (size_t)own + (y > 0) : (size_t)own;
    const size_t other_row = vector ? 2 * (size_t)other + (e > 0) : (size_t)other;
    const double own_sign = vector ? 1 : y, other_sign = vector ? 1 : e;
    put(width, factor[1], mixture->class_signal + (size_t)own * width, x + place[0] * width);
    put(width, own_sign * factor[0], mixture->label_signal + own_row * width, x + place[1] * width);
    put(width, other_sign * factor[2], mixture->label_signal + other_row * width, x + place[2] * width);

    *label = y;
    *group = own;
}
