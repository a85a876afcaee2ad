/* How a data set is written: samples first, then all that describes them. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dataset_sums.h"
#include "dataset_writer.h"
#include "mot/atomic_file.h"
#include "mot/memory.h"

enum { BLOCK_BYTES = 4 << 20 };

/* ---- taking samples ---- */

mot_status mot_dataset_writer_open(mot_dataset_writer **writer, const char *path,
                                   const mot_sample_format *format)
{
    *writer = NULL;
    mot_dataset_writer *made = NULL;
    mot_status status = MOT_OK;
    if (strlen(path) + 64 > sizeof made->path)
        return mot_fail(MOT_ERR_INPUT, "the path '%.80s...' is too long", path);
    MOT_TRY(mot_allocate(&made, 1, sizeof *made, "a data set writer"));
    snprintf(made->path, sizeof made->path, "%s", path);
    made->format = *format;
    made->format.normalization.mean = NULL;
    for (int s = 0; s < DATASET_SPLITS; ++s) made->splits[s].spool = -1;
    MOT_TRY(mot_dataset_format_check(&made->format, path));
    *writer = made;
    made = NULL;
done:
    mot_free(made);
    return status;
}

static mot_status fail_write(const mot_dataset_writer *writer, const char *step)
{
    return mot_fail(MOT_ERR_FILE, "cannot write %s: %s: %s", writer->path, step, strerror(errno));
}

static mot_status open_spool(mot_dataset_writer *writer, split *s)
{
    char name[PATH_MAX + 32], folder[PATH_MAX];
    mot_path_folder(folder, sizeof folder, writer->path);
    const mot_status status = mot_folder_make(folder);
    if (status != MOT_OK) return status;
    snprintf(name, sizeof name, "%s.tmp.%ld.XXXXXX", writer->path, (long)getpid());
    s->spool = mkostemp(name, O_CLOEXEC);
    if (s->spool < 0) return fail_write(writer, "making a file for its samples");
    unlink(name); /* nameless from here on: nothing is left behind however the process ends */
    return MOT_OK;
}

static mot_status write_samples_at(const mot_dataset_writer *writer, int fd, const void *x, size_t bytes,
                                   uint64_t at)
{
    return mot_write_at(fd, x, bytes, at) == bytes ? MOT_OK : fail_write(writer, "writing its samples");
}

void mot_dataset_writer_numbers(mot_dataset_writer *writer, size_t numbers)
{
    writer->numbers = numbers;
}

static size_t target_bytes_of(const mot_dataset_writer *writer)
{
    return writer->numbers > 0 ? writer->numbers * sizeof(float) : sizeof(int32_t);
}

/* The bytes of samples behind those that are spooled, of which texts leave out what pads them. */
static mot_status spool_samples(const mot_dataset_writer *writer, split *s, size_t count, const unsigned char *x)
{
    const mot_sample_format *format = &writer->format;
    const size_t size = format->bytes, each = mot_element_bytes(format->element);
    unsigned char *packed = NULL;
    size_t used = 0;
    mot_status status = MOT_OK;
    if (format->kind != MOT_SAMPLE_TEXT) return write_samples_at(writer, s->spool, x, count * size, s->samples * size);
    MOT_TRY(mot_reserve(&s->first, &s->first_capacity, s->samples + count + 1, sizeof *s->first, "the places of texts"));
    MOT_TRY(mot_allocate(&packed, count, size, "a block of samples"));
    if (s->samples == 0) s->first[0] = 0;
    for (size_t i = 0; i < count; ++i, x += size) {
        const size_t bytes = mot_dataset_text_bytes(format, x);
        memcpy(packed + used, x, bytes);
        used += bytes;
        s->first[s->samples + i + 1] = s->first[s->samples] + used / each;
    }
    MOT_TRY(write_samples_at(writer, s->spool, packed, used, s->first[s->samples] * each));
done:
    mot_free(packed);
    return status;
}

mot_status mot_dataset_writer_add(mot_dataset_writer *writer, const char *name, size_t count, const void *x,
                                  const void *target, const int32_t *group)
{
    split *s = NULL;
    for (int i = 0; i < DATASET_SPLITS; ++i)
        if (strcmp(name, mot_dataset_split_names[i]) == 0) s = &writer->splits[i];
    if (s == NULL) return mot_fail(MOT_ERR_INPUT, "unknown split '%s', expected train, val or test", name);
    if (count == 0) return MOT_OK;
    if (s->samples > 0 && (group != NULL) != (s->group != NULL))
        return mot_fail(MOT_ERR_INPUT, "%s: some samples of %s have a group and some have none", writer->path,
                        name);
    mot_status status = MOT_OK;
    const size_t total = s->samples + count, each = target_bytes_of(writer);
    MOT_TRY(mot_dataset_samples_check(&writer->format, name, (mot_gidx)s->samples, count, x));
    MOT_TRY(mot_dataset_numbers_check(name, (mot_gidx)s->samples, count, writer->numbers, target));
    MOT_TRY(mot_reserve(&s->target, &s->target_capacity, total, each, "the targets"));
    if (group != NULL)
        MOT_TRY(mot_reserve(&s->group, &s->group_capacity, total, sizeof(int32_t), "the groups"));
    if (s->spool < 0) MOT_TRY(open_spool(writer, s));
    MOT_TRY(spool_samples(writer, s, count, x));
    memcpy(s->target + s->samples * each, target, count * each);
    if (group != NULL) memcpy(s->group + s->samples, group, count * sizeof(int32_t));
    s->samples = total;
done:
    return status;
}

/* ---- going through a split's samples again, in blocks ---- */

typedef mot_status block_function(void *context, size_t first, size_t count, const unsigned char *x);

/* Samples [first, first + count) as the spool has them. */
static dataset_span spooled(const mot_dataset_writer *writer, const split *s, size_t first, size_t count)
{
    const size_t size = writer->format.bytes, each = mot_element_bytes(writer->format.element);
    if (s->first == NULL) return (dataset_span){first * size, count * size};
    return (dataset_span){s->first[first] * each, (size_t)(s->first[first + count] - s->first[first]) * each};
}

/* Samples that lie one behind the other become as long as all, from the last on. */
static void pad(const mot_dataset_writer *writer, const split *s, size_t first, size_t count, unsigned char *block)
{
    const size_t size = writer->format.bytes;
    const uint64_t from = spooled(writer, s, first, 0).at;
    for (size_t i = count; i-- > 0;) {
        const dataset_span text = spooled(writer, s, first + i, 1);
        memmove(block + i * size, block + (text.at - from), text.bytes);
        memset(block + i * size + text.bytes, 0, size - text.bytes);
    }
}

static mot_status each_block(const mot_dataset_writer *writer, const split *s, block_function *use,
                             void *context)
{
    const size_t size = writer->format.bytes, most = MOT_MAX(BLOCK_BYTES / size, 1);
    unsigned char *block = NULL;
    mot_status status = MOT_OK;
    MOT_TRY(mot_allocate(&block, most, size, "a block of samples"));
    for (size_t first = 0; first < s->samples; first += most) {
        const size_t count = MOT_MIN(most, s->samples - first);
        const dataset_span span = spooled(writer, s, first, count);
        if (mot_read_at(s->spool, block, span.bytes, span.at) < span.bytes) {
            if (errno == 0) errno = EIO;
            status = fail_write(writer, "reading back its samples");
            goto done;
        }
        if (s->first != NULL && !writer->lengths) pad(writer, s, first, count, block);
        MOT_TRY(use(context, first, count, block));
    }
done:
    mot_free(block);
    return status;
}

static mot_status add_block(void *context, size_t first, size_t count, const unsigned char *x)
{
    (void)first;
    mot_dataset_sums_add(context, count, x);
    return MOT_OK;
}

static mot_status compute_normalization(mot_dataset_writer *writer)
{
    dataset_sums sums = {0};
    mot_status status = MOT_OK;
    MOT_TRY(mot_dataset_normalization_allocate(&writer->format));
    if (writer->format.normalization.count == 0) goto done;
    MOT_TRY(mot_dataset_sums_begin(&sums, &writer->format));
    for (int pass = 0; pass < sums.passes; ++pass) {
        MOT_TRY(each_block(writer, &writer->splits[0], add_block, &sums));
        mot_dataset_sums_end_pass(&sums, writer->splits[0].samples);
    }
done:
    mot_dataset_sums_free(&sums);
    return status;
}

/* ---- the file ---- */

/* Writing the samples of a split to their places, before HDF5 describes them. */
typedef struct writing {
    const mot_dataset_writer *writer;
    const split *split;
    int file;
    uint64_t at; /* of the split's first sample */
    mot_digest_state *digest, *padded;
    uint64_t *sum;
} writing;

/* A text with its padding, so that a split has the same checksum in either form. */
static void add_padded(mot_digest_state *digest, const void *text, size_t bytes, size_t size)
{
    static const unsigned char zeros[4096];
    mot_digest_add(digest, text, bytes);
    for (size_t left = size - bytes; left > 0; left -= MOT_MIN(left, sizeof zeros))
        mot_digest_add(digest, zeros, MOT_MIN(left, sizeof zeros));
}

/* Samples as the file has them. */
static dataset_span stored(const mot_dataset_writer *writer, const split *s, size_t first, size_t count)
{
    const size_t size = writer->format.bytes;
    return writer->lengths ? spooled(writer, s, first, count) : (dataset_span){first * size, count * size};
}

static mot_status write_block(void *context, size_t first, size_t count, const unsigned char *x)
{
    const writing *w = context;
    const dataset_span all = stored(w->writer, w->split, first, count);
    mot_digest_add(w->digest, x, all.bytes);
    for (size_t i = 0; i < count; ++i) {
        const dataset_span one = stored(w->writer, w->split, first + i, 1);
        w->sum[first + i] = mot_digest_short(x + (one.at - all.at), one.bytes);
        if (w->writer->lengths) add_padded(w->padded, x + (one.at - all.at), one.bytes, w->writer->format.bytes);
    }
    return write_samples_at(w->writer, w->file, x, all.bytes, w->at + all.at);
}

static mot_status write_samples(const mot_dataset_writer *writer, int file, split *s, uint64_t at)
{
    writing w = {.writer = writer, .split = s, .file = file, .at = at};
    mot_status status = mot_allocate(&s->sum, s->samples, sizeof *s->sum, "the samples' checksums");
    if (status != MOT_OK) return status;
    w.sum = s->sum;
    w.digest = mot_digest_begin();
    w.padded = mot_digest_begin();
    status = w.digest != NULL && w.padded != NULL ? each_block(writer, s, write_block, &w)
                                                  : mot_fail(MOT_ERR_MEMORY, "not enough memory for a checksum");
    if (w.digest != NULL) s->digest = mot_digest_end(w.digest);
    if (w.padded != NULL) s->padded = mot_digest_end(w.padded);
    s->at = at;
    return status;
}

/* The samples of all splits, each split from a multiple of MOT_H5_HEAD on, in the file that HDF5 will complete; *end,
 * where they begin, becomes where they end. */
static mot_status write_all_samples(mot_dataset_writer *writer, const char *temporary, uint64_t *end)
{
    const uint64_t page = MOT_H5_HEAD;
    const int file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (file < 0) return fail_write(writer, "opening");
    mot_status status = MOT_OK;
    for (int i = 0; i < DATASET_SPLITS; ++i) {
        split *s = &writer->splits[i];
        if (s->samples == 0) continue;
        MOT_TRY(write_samples(writer, file, s, *end));
        *end = (*end + stored(writer, s, 0, s->samples).bytes + page - 1) / page * page;
    }
done:
    if (close(file) != 0 && status == MOT_OK) status = fail_write(writer, "closing");
    return status;
}

/* Counts classes or groups, and refuses values outside [0, named). */
static mot_status count_values(const mot_dataset_writer *writer, bool group, size_t named, int *count)
{
    const char *what = group ? "group" : "label";
    int32_t most = -1;
    for (int i = 0; i < DATASET_SPLITS; ++i) {
        const split *s = &writer->splits[i];
        const int32_t *values = group ? s->group : split_labels(s);
        for (size_t k = 0; k < s->samples && values != NULL; ++k) {
            if (values[k] < 0 || values[k] >= DATASET_MAX_NAMES || (named > 0 && (size_t)values[k] >= named))
                return mot_fail(MOT_ERR_INPUT, "sample %zu of %s has %s %d, expected [0, %zu)", k,
                                mot_dataset_split_names[i], what, values[k],
                                named > 0 ? named : (size_t)DATASET_MAX_NAMES);
            most = MOT_MAX(most, values[k]);
        }
    }
    *count = named > 0 ? (int)named : most + 1;
    return MOT_OK;
}

static mot_status check(const mot_dataset_writer *writer, const mot_dataset_about *about, int *classes,
                        int *groups)
{
    if (writer->splits[0].samples == 0)
        return mot_fail(MOT_ERR_INPUT, "%s would have no samples to train with", writer->path);
    *classes = writer->numbers > 0 ? 0 : 2;
    mot_status status = MOT_OK;
    if (writer->numbers == 0 && !about->signed_labels) {
        MOT_TRY(count_values(writer, false, about->class_count, classes));
    } else if (writer->numbers == 0) {
        for (int i = 0; i < DATASET_SPLITS; ++i) {
            const int32_t *label = split_labels(&writer->splits[i]);
            for (size_t k = 0; k < writer->splits[i].samples; ++k)
                if (label[k] != 1 && label[k] != -1)
                    return mot_fail(MOT_ERR_INPUT, "sample %zu of %s has label %d, expected -1 or 1", k,
                                    mot_dataset_split_names[i], label[k]);
        }
    }
    MOT_TRY(count_values(writer, true, about->group_count, groups));
done:
    return status;
}

/* Texts keep lengths of their own where padding would be three quarters of x, and a megabyte: one long text would make all of them
 * as long. */
static void choose_lengths(mot_dataset_writer *writer)
{
    enum { WASTE = 1 << 20 };
    uint64_t padded = 0, packed = 0;
    for (int i = 0; i < DATASET_SPLITS; ++i) {
        const split *s = &writer->splits[i];
        if (s->first == NULL) continue;
        padded += s->samples * writer->format.bytes;
        packed += spooled(writer, s, 0, s->samples).bytes + s->samples * sizeof *s->first;
        if (s->first[s->samples] == 0) return; /* HDF5 has no place for an x without a token */
    }
    writer->lengths = padded > 4 * packed && padded - packed > WASTE;
}

static mot_status write_file(mot_dataset_writer *writer, const mot_dataset_about *about)
{
    hid_t file = H5I_INVALID_HID;
    int classes, groups;
    uint64_t end = MOT_H5_HEAD;
    char temporary[MOT_PATH];
    mot_status status = MOT_OK;
    MOT_TRY(mot_file_temporary(temporary, writer->path));
    MOT_TRY(check(writer, about, &classes, &groups));
    MOT_TRY(compute_normalization(writer));
    choose_lengths(writer);
    MOT_TRY(write_all_samples(writer, temporary, &end));
    MOT_TRY(mot_h5_create_file(&file, writer->path, end));
    MOT_TRY(mot_dataset_describe(writer, file, about, classes, groups));
    MOT_TRY(mot_h5_close_file(&file, writer->path, true));
done:
    mot_h5_close_file(&file, writer->path, false);
    if (status != MOT_OK) unlink(temporary);
    return status;
}

mot_status mot_dataset_writer_close(mot_dataset_writer **writer, const mot_dataset_about *about, bool commit)
{
    mot_dataset_writer *w = *writer;
    if (w == NULL) return MOT_OK;
    const mot_status status = commit ? write_file(w, about) : MOT_OK;
    for (int i = 0; i < DATASET_SPLITS; ++i) {
        if (w->splits[i].spool >= 0) close(w->splits[i].spool);
        mot_free(w->splits[i].target);
        mot_free(w->splits[i].group);
        mot_free(w->splits[i].sum);
        mot_free(w->splits[i].first);
    }
    mot_free(w->format.normalization.mean);
    mot_free(w);
    *writer = NULL;
    return status;
}
