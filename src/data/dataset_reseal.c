/* The checksums of samples, of a data set that was changed on purpose. */
#include <stdio.h>

#include "dataset_private.h"
#include "mot/digest.h"
#include "mot/h5.h"
#include "mot/memory.h"

hid_t mot_dataset_sum_type(hid_t file, const char *name)
{
    hid_t dataset, type = H5I_INVALID_HID;
    if (mot_h5_open_dataset(file, name, &dataset) == MOT_OK) type = H5Dget_type(dataset);
    const bool is_unsigned = type >= 0 && H5Tget_class(type) == H5T_INTEGER &&
                             H5Tget_sign(type) == H5T_SGN_NONE;
    mot_h5_close(&type);
    mot_h5_close(&dataset);
    return is_unsigned ? H5T_NATIVE_UINT64 : H5T_NATIVE_INT64;
}

/* Where there is another number of them, the file is damaged, and none are made up. */
static mot_status write_sums(hid_t file, const char *name, hsize_t samples, const uint64_t *sum)
{
    int rank;
    hsize_t shape[MOT_H5_MAX_RANK];
    mot_status status;
    MOT_TRY(mot_h5_shape(file, name, &rank, shape));
    if (rank != 1 || shape[0] != samples)
        return mot_fail(MOT_ERR_INPUT, "/%s has not as many checksums as there are samples: it is damaged, not changed on purpose", name);
    MOT_TRY(mot_h5_write_rows(file, name, mot_dataset_sum_type(file, name), 0, samples, sum));
done:
    return status;
}

/* Of texts of their own lengths. */
static mot_status renew_texts(hid_t file, const char *x, const char *first, const char *sums)
{
    mot_status status = MOT_OK;
    hid_t dataset = H5I_INVALID_HID, type = H5I_INVALID_HID;
    unsigned char *text = NULL;
    size_t capacity = 0;
    uint64_t *place = NULL, *sum = NULL;
    int rank;
    hsize_t shape[MOT_H5_MAX_RANK], tokens[MOT_H5_MAX_RANK];
    MOT_TRY(mot_h5_shape(file, x, &rank, tokens));
    MOT_TRY(mot_h5_shape(file, first, &rank, shape));
    MOT_TRY(mot_h5_open_dataset(file, x, &dataset));
    type = H5Dget_type(dataset);
    const size_t each = H5Tget_size(type);
    MOT_TRY(mot_allocate(&place, (size_t)shape[0], sizeof *place, "the places of texts"));
    MOT_TRY(mot_allocate(&sum, (size_t)shape[0], sizeof *sum, "the samples' checksums"));
    MOT_TRY(mot_h5_read(file, first, H5T_NATIVE_INT64, 1, shape, place));
    for (hsize_t i = 0; i + 1 < shape[0]; ++i) {
        if (place[i + 1] < place[i] || place[i + 1] > tokens[0]) {
            status = mot_fail(MOT_ERR_INPUT, "%s: the tokens of sample %llu do not lie in x", first, (unsigned long long)i);
            goto done;
        }
        const size_t count = (size_t)(place[i + 1] - place[i]);
        MOT_TRY(mot_reserve(&text, &capacity, count + 1, each, "a text"));
        if (count > 0) MOT_TRY(mot_h5_read_rows_of(dataset, type, place[i], count, text));
        sum[i] = mot_digest_short(text, count * each);
    }
    MOT_TRY(write_sums(file, sums, shape[0] - 1, sum));
done:
    mot_free(sum);
    mot_free(place);
    mot_free(text);
    mot_h5_close(&type);
    mot_h5_close(&dataset);
    return status;
}

static mot_status renew_split(hid_t file, const char *x, const char *sums)
{
    mot_status status = MOT_OK;
    hid_t dataset = H5I_INVALID_HID, type = H5I_INVALID_HID;
    unsigned char *sample = NULL;
    uint64_t *sum = NULL;
    int rank;
    hsize_t shape[MOT_H5_MAX_RANK];
    MOT_TRY(mot_h5_shape(file, x, &rank, shape));
    MOT_TRY(mot_h5_open_dataset(file, x, &dataset));
    type = H5Dget_type(dataset);
    size_t size = H5Tget_size(type);
    for (int d = 1; d < rank; ++d)
        if (__builtin_mul_overflow(size, (size_t)shape[d], &size)) size = SIZE_MAX / 2;
    MOT_TRY(mot_allocate(&sample, 1, size, "a sample"));
    MOT_TRY(mot_allocate(&sum, (size_t)shape[0], sizeof *sum, "the samples' checksums"));
    for (hsize_t i = 0; i < shape[0]; ++i) {
        MOT_TRY(mot_h5_read_rows_of(dataset, type, i, 1, sample));
        sum[i] = mot_digest_short(sample, size);
    }
    MOT_TRY(write_sums(file, sums, shape[0], sum));

done:
    mot_free(sum);
    mot_free(sample);
    mot_h5_close(&type);
    mot_h5_close(&dataset);
    return status;
}

mot_status mot_dataset_renew_sums(hid_t file)
{
    mot_status status = MOT_OK;
    for (int s = 0; s < DATASET_SPLITS && status == MOT_OK; ++s) {
        char x[32], first[32], sums[32];
        snprintf(x, sizeof x, "%s/x", mot_dataset_split_names[s]);
        snprintf(sums, sizeof sums, "%s/%s", mot_dataset_split_names[s], DATASET_SUMS);
        snprintf(first, sizeof first, "%s/" DATASET_FIRST, mot_dataset_split_names[s]);
        if (!mot_h5_exists(file, x) || !mot_h5_exists(file, sums)) continue;
        status = mot_h5_exists(file, first) ? renew_texts(file, x, first, sums) : renew_split(file, x, sums);
    }
    return status;
}
