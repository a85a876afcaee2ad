/* OpenBLAS reads its environment once, when it is loaded, and starts its threads then. So it is not linked but loaded
 * here, with the environment that it should see; and if it took too little from the processor, closed and loaded again. */
#include "mot/blas.h"

#include <dlfcn.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cblas.h>

#include "kernels.h"
#include "mot/log.h"

enum { NAME = 32, TEXT = 200 };
static const char threads_variable[] = "OPENBLAS_NUM_THREADS", kernels_variable[] = "OPENBLAS_CORETYPE";

static struct {
    pthread_once_t once;
    mot_failure failure; /* of the first load */
    void *handle;
    __typeof__(cblas_sgemm) *sgemm;
    __typeof__(cblas_dgemm) *dgemm;
    char version[NAME], kernels[NAME]; /* "OpenBLAS 0.3.21", "Haswell" */
    char asked[NAME];                  /* OPENBLAS_CORETYPE, or "" */
    char why[TEXT];                    /* these kernels: "", or a remark in brackets */
    kernels_set most;                  /* of what may be chosen */
} blas = {.once = PTHREAD_ONCE_INIT, .most = KERNELS_UNKNOWN};

/* ---- loading ---- */

static void set_variable(const char *name, const char *value)
{
    if (value != NULL)
        setenv(name, value, 1);
    else
        unsetenv(name);
}

static char *copy_of_variable(const char *name)
{
    const char *value = getenv(name);
    return value != NULL ? strdup(value) : NULL;
}

/* With these kernels, or with NULL those that it takes by itself; what the environment says stays as it was. */
static void *load_with(const char *kernels)
{
    char *const threads_before = copy_of_variable(threads_variable), *const kernels_before = copy_of_variable(
                                                                         kernels_variable);
    set_variable(threads_variable, "1");
    set_variable(kernels_variable, kernels);
    void *const handle = dlopen(MOT_OPENBLAS, RTLD_NOW | RTLD_LOCAL);
    set_variable(threads_variable, threads_before);
    set_variable(kernels_variable, kernels_before);
    free(threads_before);
    free(kernels_before);
    return handle;
}

/* The first two words of "OpenBLAS 0.3.21 NO_LAPACKE ..." */
static void note_version(const char *config)
{
    const size_t first = strcspn(config, " "),
                 both = first + 1 + strcspn(config + first + (config[first] == ' '), " ");
    snprintf(blas.version, sizeof blas.version, "%.*s", (int)both, config);
}

static mot_status find_functions(void)
{
    __typeof__(openblas_set_num_threads) *set_threads;
    __typeof__(openblas_get_config) *config;
    __typeof__(openblas_get_corename) *kernels;
    const struct {
        const char *name;
        void *function;
    } wanted[] = {
        {"cblas_sgemm", &blas.sgemm},
        {"cblas_dgemm", &blas.dgemm},
        {"openblas_set_num_threads", &set_threads},
        {"openblas_get_config", &config},
        {"openblas_get_corename", &kernels},
    };
    for (size_t f = 0; f < MOT_COUNT(wanted); ++f) {
        void *const found = dlsym(blas.handle, wanted[f].name);
        if (found == NULL) return mot_fail(MOT_ERR_FILE, "%s has no %s", MOT_OPENBLAS, wanted[f].name);
        memcpy(wanted[f].function, &found, sizeof found);
    }
    set_threads(1); /* where somebody else had loaded it */
    note_version(config());
    snprintf(blas.kernels, sizeof blas.kernels, "%s", kernels());
    return MOT_OK;
}

static mot_status load(const char *kernels)
{
    if (blas.handle != NULL) dlclose(blas.handle);
    blas.handle = load_with(kernels);
    if (blas.handle == NULL) return mot_fail(MOT_ERR_FILE, "OpenBLAS cannot be loaded: %s", dlerror());
    return find_functions();
}

/* ---- choosing ---- */

/* Whether the kernels that the environment asks for are there and can run; then they are loaded. */
static mot_status load_asked(bool *obeyed)
{
    const kernels_set can = mot_kernels_of_processor(), wants = mot_kernels_of_name(blas.asked);
    *obeyed = false;
    if (can != KERNELS_UNKNOWN && wants != KERNELS_UNKNOWN && wants > can) {
        mot_log(MOT_LOG_WARNING,
                "OPENBLAS_CORETYPE = %s: these kernels use %s, which this processor does not have; "
                "mot chooses others",
                blas.asked, mot_kernels_set_name[wants]);
        return MOT_OK;
    }
    mot_status status;
    MOT_TRY(load(blas.asked));
    *obeyed = strcasecmp(blas.asked, blas.kernels) == 0;
    if (!*obeyed)
        mot_log(MOT_LOG_WARNING,
                "OPENBLAS_CORETYPE = %s: %s has no kernels of that name for this processor; mot "
                "chooses others",
                blas.asked, blas.version);
    snprintf(blas.why, sizeof blas.why, " (set by OPENBLAS_CORETYPE)");
done:
    return status;
}

/* Those that OpenBLAS takes by itself, unless the processor can do more, or may do less. */
static mot_status load_best(void)
{
    const kernels_set can = mot_kernels_of_processor(), may = MOT_MIN(can, blas.most);
    char took[NAME];
    mot_status status;
    MOT_TRY(load(NULL));
    blas.why[0] = '\0';
    const kernels_set takes = mot_kernels_of_name(blas.kernels);
    if (can == KERNELS_UNKNOWN || takes == may || (takes == KERNELS_UNKNOWN && may == can)) goto done;
    memcpy(took, blas.kernels, sizeof took);
    const char *const best = mot_kernels_best(may);
    MOT_TRY(load(best));
    if (strcasecmp(blas.kernels, best) == 0)
        snprintf(blas.why, sizeof blas.why, " (chosen by mot; OpenBLAS took %s)", took);
    else
        snprintf(blas.why, sizeof blas.why,
                 " (not %s, as would be right: this library has no others, or was loaded before mot)",
                 best);
done:
    return status;
}

static void first_load(void)
{
    const char *const asked = getenv(kernels_variable);
    bool obeyed = false;
    mot_status status = MOT_OK;
    snprintf(blas.asked, sizeof blas.asked, "%s", asked != NULL ? asked : "");
    if (blas.asked[0] != '\0') status = load_asked(&obeyed);
    if (status == MOT_OK && !obeyed) status = load_best();
    mot_failure_keep(&blas.failure, status);
}

mot_status mot_blas_load(void)
{
    pthread_once(&blas.once, first_load);
    return mot_failure_say(&blas.failure);
}

void mot_blas_limit(int level)
{
    blas.most = level >= 4   ? KERNELS_AVX512
                : level == 3 ? KERNELS_AVX2
                : level > 0  ? KERNELS_AVX
                             : KERNELS_UNKNOWN;
}

const char *mot_blas_name(void)
{
    static char name[2 * NAME + TEXT + 16];
    if (mot_blas_load() != MOT_OK) return "none";
    snprintf(name, sizeof name, "%s, %s kernels%s", blas.version, blas.kernels, blas.why);
    return name;
}

/* ---- agreeing ---- */

typedef struct choice {
    char version[NAME], kernels[NAME], asked[NAME];
} choice;

static const char *or_nothing(const char *asked)
{
    return asked[0] != '\0' ? asked : "nothing";
}

/* Kernels in place of those that differ, which `least` can run: the same on every rank, like the failure. */
static mot_status take_common(const mot_comm *comm, const choice *root, const choice *other, int rank,
                              int least)
{
    const char *const common = mot_kernels_common((kernels_set)least);
    mot_status status = MOT_OK;
    if (common == NULL)
        return mot_fail(MOT_ERR_INPUT,
                        "%s kernels on rank 0, %s on rank %d: set OPENBLAS_CORETYPE to what all ranks "
                        "can run",
                        root->kernels, other->kernels, rank);
    mot_log(MOT_LOG_WARNING,
            "ranks would take different kernels of OpenBLAS (%s on rank 0, %s on rank %d): all take %s",
            root->kernels, other->kernels, rank, common);
    if (strcasecmp(blas.kernels, common) != 0) {
        status = load(common);
        if (status == MOT_OK && strcasecmp(blas.kernels, common) != 0)
            status = mot_fail(MOT_ERR_INPUT, "%s has no %s kernels, which all ranks should take",
                              blas.version, common);
    }
    snprintf(blas.why, sizeof blas.why, " (what all ranks can run)");
    return mot_comm_agree(comm, status);
}

mot_status mot_blas_agree(const mot_comm *comm)
{
    mot_status status;
    choice root, other, mine = {0};
    MOT_TRY(mot_comm_agree(comm, mot_blas_load()));
    memcpy(mine.version, blas.version, NAME);
    memcpy(mine.kernels, blas.kernels, NAME);
    memcpy(mine.asked, blas.asked, NAME);
    other = root = mine;
    mot_comm_bcast(comm, &root, sizeof root, MOT_ROOT);
    const bool differs = strcmp(mine.version, root.version) != 0 ||
                         strcasecmp(mine.kernels, root.kernels) != 0 ||
                         strcasecmp(mine.asked, root.asked) != 0;
    int least[2] = {differs ? comm->rank : comm->size, (int)mot_kernels_of_name(blas.kernels)};
    mot_comm_allreduce(comm, least, 2, MPI_INT, MPI_MIN);
    if (least[0] == comm->size) goto done;
    mot_comm_bcast(comm, &other, sizeof other, least[0]);
    if (strcasecmp(other.asked, root.asked) != 0)
        mot_log(MOT_LOG_WARNING, "OPENBLAS_CORETYPE says %s on rank 0 and %s on rank %d",
                or_nothing(root.asked), or_nothing(other.asked), least[0]);
    if (strcmp(other.version, root.version) != 0)
        mot_log(MOT_LOG_WARNING,
                "%s on rank 0 and %s on rank %d: the last bits of results may depend on which rank "
                "has which expert",
                root.version, other.version, least[0]);
    int same = strcasecmp(mine.kernels, root.kernels) == 0;
    mot_comm_allreduce(comm, &same, 1, MPI_INT, MPI_LAND);
    if (same) goto done;
    MOT_TRY(take_common(comm, &root, &other, least[0], least[1]));
done:
    return status;
}

/* ---- multiplying ---- */

/* So that nobody takes it for a result. */
static void multiply_by_nothing(size_t m, size_t n, mot_real *c, size_t ldc)
{
    for (size_t i = 0; i < m; ++i)
        for (size_t j = 0; j < n; ++j) c[i * ldc + j] = (mot_real)NAN;
}

void mot_gemm(bool transpose_a, bool transpose_b, size_t m, size_t n, size_t k, mot_real alpha,
              const mot_real *a, size_t lda, const mot_real *b, size_t ldb, mot_real beta, mot_real *c,
              size_t ldc)
{
    if (m == 0 || n == 0) return;
    if (mot_blas_load() != MOT_OK) {
        multiply_by_nothing(m, n, c, ldc);
        return;
    }
    const CBLAS_TRANSPOSE ta = transpose_a ? CblasTrans : CblasNoTrans;
    const CBLAS_TRANSPOSE tb = transpose_b ? CblasTrans : CblasNoTrans;
#ifdef MOT_DOUBLE
    blas.dgemm(CblasRowMajor, ta, tb, (blasint)m, (blasint)n, (blasint)k, alpha, a, (blasint)lda, b,
               (blasint)ldb, beta, c, (blasint)ldc);
#else
    blas.sgemm(CblasRowMajor, ta, tb, (blasint)m, (blasint)n, (blasint)k, alpha, a, (blasint)lda, b,
               (blasint)ldb, beta, c, (blasint)ldc);
#endif
}
