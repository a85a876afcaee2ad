/* Values by their names: those that were written, of files of both versions; what nobody has found is named; and what is not sound is
 * not read. */
#include "checkpoint_state.h"
#include "mot/values.h"

static mot_comm comm;

/* loop index: 1: of version 2 */
static const char *make_file(test_state *written, int former)
{
    const char *path = test_path("values.h5");
    mot_comm_init(&comm, MPI_COMM_WORLD);
    test_state_make(written, &comm, PLACE_ROOT, true);
    test_state_fill(written, 2, 1);
    mot_ck_ok(mot_checkpoint_write(&comm, &written->state, path));
    if (former) test_make_former(written, path, 2);
    return path;
}

static void end(test_state *written, const char *path)
{
    unlink(path);
    test_state_free(written);
    mot_comm_free(&comm);
}

/* Tensor r of each unit of a group is what was written. */
static void check_group(mot_values *values, const char *group, const mot_table *table, const mot_params *of, size_t units)
{
    for (size_t r = 0; r < table->rows; ++r) {
        const mot_tensor *tensor = &table->row[r];
        mot_real value[64];
        mot_values_found found;
        mot_ck_ok(mot_values_find(values, group, tensor, &found));
        ck_assert_uint_eq(found.units, units);
        ck_assert_int_eq(found.rank, tensor->rank);
        for (int d = 0; d < tensor->rank; ++d) ck_assert_uint_eq(found.shape[d], tensor->shape[d]);
        for (size_t u = 0; u < units; ++u) {
            mot_ck_ok(mot_values_read(values, &found, u, tensor->count, value));
            ck_assert_mem_eq(value, of[u].value + tensor->offset, tensor->count * sizeof *value);
        }
    }
}

START_TEST(values_are_those_that_were_written)
{
    test_state written;
    const char *path = make_file(&written, _i);
    mot_values *values;
    mot_values_found found;
    mot_table other = {0};
    mot_real bias[STATE_EXPERTS];
    mot_table_add(&other, "block1/in_weight", MOT_PART_FFN, 1, (size_t[]){9}, 0, 0, true);
    mot_ck_ok(mot_values_open(&values, path));
    ck_assert_uint_eq(mot_values_units(values, "experts"), STATE_EXPERTS);
    ck_assert_uint_eq(mot_values_units(values, "gate"), 1);
    ck_assert_uint_eq(mot_values_units(values, "progress"), 0);
    mot_ck_ok(mot_values_find(values, "experts", &other.row[0], &found));
    ck_assert_uint_eq(found.units, 0);
    ck_assert_str_eq(mot_values_left(values, 1u << MOT_PART_HEAD), "experts/head/weight");
    check_group(values, "experts", &written.expert, written.expert_params, STATE_EXPERTS);
    ck_assert_ptr_null(mot_values_left(values, 1u << MOT_PART_HEAD | 1u << MOT_PART_FFN | 1u << MOT_PART_EMBED));
    ck_assert_str_eq(mot_values_left(values, ~0u), "gate/weight");
    check_group(values, "gate", &written.gate, &written.gate_params, 1);
    ck_assert_str_eq(mot_values_left(values, ~0u), "tied/attention/block0/qkv_weight");
    mot_values_leave(values, "tied");
    ck_assert_ptr_null(mot_values_left(values, ~0u));
    check_group(values, "tied", &written.tied, &written.tied_params, 1);
    ck_assert_ptr_null(mot_values_left(values, ~0u));
    mot_ck_ok(mot_values_bias(values, 0, STATE_EXPERTS, bias));
    ck_assert_mem_eq(bias, written.bias, sizeof bias);
    mot_ck_ok(mot_values_bias(values, 2, 3, bias));
    ck_assert_mem_eq(bias, written.bias + 2, 3 * sizeof *bias);
    ck_assert_int_eq(mot_values_bias(values, 3, 3, bias), MOT_ERR_INPUT);
    mot_values_close(&values);
    end(&written, path);
}
END_TEST

/* loop index: version, as before. The last byte of a tensor of the last expert. */
START_TEST(a_damaged_tensor_is_named)
{
    test_state written;
    const char *path = make_file(&written, _i);
    const mot_tensor *tensor = &written.expert.row[3];
    const mot_real *value = written.expert_params[STATE_EXPERTS - 1].value + tensor->offset;
    const size_t bytes = tensor->count * sizeof *value;
    mot_values *values;
    mot_values_found found;
    mot_real read[64];
    FILE *file = fopen(path, "r+b");
    static char all[1 << 18];
    const size_t size = fread(all, 1, sizeof all, file);
    ck_assert_uint_lt(size, sizeof all);
    char *place = memmem(all, size, value, bytes);
    ck_assert_ptr_nonnull(place);
    fseek(file, place - all + (long)bytes - 2, SEEK_SET);
    fputc(place[bytes - 2] ^ 1, file);
    fclose(file);
    const mot_status status = mot_values_open(&values, path);
    if (_i == 0) { /* tensors of version 2 lie in what the mark covers */
        mot_ck_ok(status);
        mot_ck_ok(mot_values_find(values, "experts", tensor, &found));
        mot_ck_ok(mot_values_read(values, &found, 0, tensor->count, read));
        ck_assert_int_eq(mot_values_read(values, &found, STATE_EXPERTS - 1, tensor->count, read), MOT_ERR_INPUT);
        ck_assert_msg(strstr(mot_error_message(), "experts/head/weight of expert 4") != NULL, "%s", mot_error_message());
    } else {
        ck_assert_int_eq(status, MOT_ERR_INPUT);
        ck_assert_ptr_null(values);
    }
    mot_values_close(&values);
    end(&written, path);
}
END_TEST

static void values_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, values_are_those_that_were_written, 0, 2);
    tcase_add_loop_test(tcase, a_damaged_tensor_is_named, 0, 2);
}

MOT_CK_MAIN("values", values_tests)
