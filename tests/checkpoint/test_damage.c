/* A damaged checkpoint is refused with a sentence, before HDF5 sees it; it never crashes the reader and never
 * gets in. */
#include "checkpoint_file.h"
#include "checkpoint_state.h"
#include "mot/atomic_file.h"
#include "mot/digest.h"
#include "mot/h5.h"

static mot_comm comm;
static test_state good, state;
static char path[512];
static char *bytes;
static size_t count, tensors_end;

static void set_up(void)
{
    mot_comm_init(&comm, MPI_COMM_SELF);
    snprintf(path, sizeof path, "%s", test_path("damage.h5"));
    test_state_make(&good, &comm, PLACE_ROOT, true);
    test_state_fill(&good, 2, 1);
    mot_ck_ok(mot_checkpoint_write(&comm, &good.state, path));
    mot_ck_ok(mot_file_read(path, 1 << 30, &bytes, &count));
    memcpy(&tensors_end, bytes + count - MOT_H5_MARK + 8, sizeof tensors_end);
    ck_assert_uint_eq(tensors_end, MOT_H5_HEAD * (1 + STATE_UNITS));
    test_state_make(&state, &comm, PLACE_ROOT, true);
}

static void tear_down(void)
{
    unlink(path);
    mot_free(bytes);
    test_state_free(&good);
    test_state_free(&state);
    mot_comm_free(&comm);
}

static void store(const char *content, size_t length)
{
    FILE *const file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(content, 1, length, file), length);
    fclose(file);
}

/* Between units lie bytes that belong to nobody. */
static bool is_padding(size_t at)
{
    if (at < MOT_H5_HEAD || at >= tensors_end) return false;
    const size_t unit = at / MOT_H5_HEAD - 1; /* each is smaller than a page here, and has both moments */
    return at % MOT_H5_HEAD >= mot_unit_bytes(good.unit[unit].table, 2);
}

/* Refused by a sentence that names the file, with the state as it was; or read to the very same state. */
static bool refused_or_harmless(const char *what, size_t where)
{
    test_state before;
    test_state_free(&state);
    test_state_make(&state, &comm, PLACE_ROOT, true);
    test_state_fill(&state, 1, 5);
    test_state_make(&before, &comm, PLACE_ROOT, true);
    test_state_fill(&before, 1, 5);
    const mot_status status = mot_checkpoint_read(&comm, &state.state, path);
    const bool refused = status != MOT_OK;
    if (refused) {
        ck_assert_msg(status == MOT_ERR_INPUT, "%s %zu: status %d: %s", what, where, status,
                      mot_error_message());
        ck_assert_msg(strstr(mot_error_message(), path) != NULL, "%s %zu: %s", what, where,
                      mot_error_message());
        ck_assert_msg(test_same_state(&state, &before), "%s %zu: the state was changed", what, where);
    } else {
        ck_assert_msg(test_same_state(&state, &good), "%s %zu: read as another state", what, where);
    }
    test_state_free(&before);
    return refused;
}

START_TEST(flipped_bits)
{
    size_t refused = 0;
    const size_t stride = getenv("MOT_TEST_EVERY_BYTE") != NULL ? 1 : mot_ck_short() ? 401 : 101;
    for (size_t at = 0; at < count; at += stride) {
        const char was = bytes[at];
        bytes[at] = (char)(was ^ (1 << (at / stride % 8)));
        store(bytes, count);
        bytes[at] = was;
        const bool was_refused = refused_or_harmless("bit flipped in byte", at);
        ck_assert_msg(was_refused != is_padding(at), "bit flipped in byte %zu", at);
        refused += was_refused;
    }
    ck_assert_uint_gt(refused * stride, count / 2);
}
END_TEST

START_TEST(overwritten_bytes)
{
    static const char junk[] = {0, -1, 0x7f, 'x'};
    for (size_t at = 0; at < count; at += mot_ck_short() ? 1201 : 301) {
        const char was = bytes[at];
        bytes[at] = junk[at % sizeof junk];
        store(bytes, count);
        bytes[at] = was;
        refused_or_harmless("overwritten byte", at);
    }
}
END_TEST

START_TEST(cut_short)
{
    for (size_t length = 0; length < count; length += 1 + length / 20) {
        store(bytes, length);
        ck_assert_msg(refused_or_harmless("cut after byte", length), "cut after %zu of %zu", length, count);
    }
    store(bytes, count - 1);
    ck_assert(refused_or_harmless("cut after byte", count - 1));
}
END_TEST

/* ---- damage that HDF5 itself finds nothing wrong with ---- */

/* What another program does to the file, with the mark made again as if it had been written so. */
static hid_t open_again(void)
{
    const hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    ck_assert(file >= 0);
    return file;
}

static hid_t edit(void)
{
    store(bytes, count);
    return open_again();
}

static hid_t edit_former(void)
{
    store(bytes, count);
    test_make_former(&good, path, 2);
    return open_again();
}

static void expect(hid_t file, const char *sentence)
{
    H5Fclose(file);
    ck_assert(refused_or_harmless(sentence, 0)); /* without its mark */
    ck_assert_int_eq(mot_checkpoint_verify(path), MOT_ERR_INPUT);
    mot_ck_ok(mot_h5_edit(&file, path, path));
    mot_ck_ok(mot_h5_seal(&file, path, path));
    ck_assert(refused_or_harmless(sentence, 1));
    ck_assert_msg(strstr(mot_error_message(), sentence) != NULL, "'%s' expected in: %s", sentence,
                  mot_error_message());
}

/* A dataset in place of another one. */
static void put(hid_t file, const char *name, hid_t type, int rank, const hsize_t *shape)
{
    static const char zeros[1 << 16];
    H5Ldelete(file, name, H5P_DEFAULT);
    mot_ck_ok(mot_h5_write(file, name, type, rank, shape, MOT_H5_CONTIGUOUS, zeros));
}

START_TEST(missing_expert)
{
    hid_t file = edit();
    put(file, "experts/updates", H5T_NATIVE_INT64, 1, (hsize_t[]){4});
    expect(file, "/experts/updates has 4 rows, expected those of the experts 0 to 4");
    file = edit();
    put(file, "experts/state", H5T_NATIVE_FLOAT, 2, (hsize_t[]){4, 1024});
    expect(file, "/experts/state has 4 rows, expected one for each of 5 experts");
    file = edit();
    put(file, "experts/xxh3", H5T_NATIVE_UINT8, 3, (hsize_t[]){4, 12, 16});
    expect(file, "/experts/xxh3 does not hold the checksums of 5 experts");
    file = edit_former();
    H5Ldelete(file, "experts/00003", H5P_DEFAULT);
    expect(file, "expert 3 is missing");
}
END_TEST

START_TEST(extra_expert)
{
    hid_t file = edit();
    put(file, "experts/updates", H5T_NATIVE_INT64, 1, (hsize_t[]){6});
    expect(file, "/experts/updates has 6 rows");
    file = edit_former();
    H5Ocopy(file, "experts/00001", file, "experts/00005", H5P_DEFAULT, H5P_DEFAULT);
    expect(file, "6 members");
}
END_TEST

START_TEST(expert_under_two_names)
{
    hid_t file = edit_former();
    H5Ldelete(file, "experts/00003", H5P_DEFAULT);
    H5Lcreate_hard(file, "experts/00001", file, "experts/00003", H5P_DEFAULT, H5P_DEFAULT);
    expect(file, "/experts/00003 holds expert 1");
}
END_TEST

START_TEST(experts_swapped)
{
    hid_t file = edit_former();
    H5Lmove(file, "experts/00003", file, "x", H5P_DEFAULT, H5P_DEFAULT);
    H5Lmove(file, "experts/00001", file, "experts/00003", H5P_DEFAULT, H5P_DEFAULT);
    H5Lmove(file, "x", file, "experts/00001", H5P_DEFAULT, H5P_DEFAULT);
    expect(file, "/experts/00001 holds expert 3");
}
END_TEST

START_TEST(links_elsewhere)
{
    hid_t file = edit_former();
    H5Ldelete(file, "experts/00003", H5P_DEFAULT);
    H5Lcreate_external("/etc/passwd", "/", file, "experts/00003", H5P_DEFAULT, H5P_DEFAULT);
    expect(file, "expert 3 is missing");
    file = edit();
    H5Ldelete(file, "gate/weight", H5P_DEFAULT);
    H5Lcreate_soft("/experts/head/weight", file, "gate/weight", H5P_DEFAULT, H5P_DEFAULT);
    expect(file, "gate/weight is missing");
}
END_TEST

/* A view as mot makes it, but of `source` in `of`, from row `first` on. */
static void put_view(hid_t file, const char *of, const char *source, hsize_t first)
{
    hid_t list = H5Pcreate(H5P_DATASET_CREATE);
    hid_t from = H5Screate_simple(2, (hsize_t[]){6, 1024}, NULL);
    hid_t space = H5Screate_simple(2, (hsize_t[]){5, 9}, NULL);
    H5Sselect_hyperslab(from, H5S_SELECT_SET, (hsize_t[]){first, 54}, NULL, (hsize_t[]){5, 9}, NULL);
    H5Pset_virtual(list, space, of, source, from);
    H5Ldelete(file, "experts/ffn/block0/in_bias", H5P_DEFAULT);
    hid_t dataset = H5Dcreate2(file, "experts/ffn/block0/in_bias", H5T_IEEE_F32LE, space, H5P_DEFAULT, list,
                               H5P_DEFAULT);
    ck_assert(dataset >= 0);
    mot_h5_close(&dataset);
    mot_h5_close(&space);
    mot_h5_close(&from);
    mot_h5_close(&list);
    mot_ck_ok(mot_h5_set_int(file, "experts/ffn/block0/in_bias", "xxh3_column", 1));
}

START_TEST(views_of_something_else)
{
    static const char sentence[] = "in_bias: is not a view of /experts/state as mot makes it";
    hid_t file = edit();
    put_view(file, "/etc/passwd", "/experts/state", 0);
    expect(file, sentence);
    file = edit();
    put_view(file, ".", "/experts/other", 0);
    expect(file, sentence);
    file = edit();
    put_view(file, ".", "/experts/state", 1);
    expect(file, sentence);
    file = edit();
    put(file, "experts/ffn/block0/in_bias", H5T_NATIVE_FLOAT, 2, (hsize_t[]){5, 9});
    expect(file, sentence);
    file = edit(); /* of another tensor: the checksums tell */
    mot_ck_ok(mot_h5_set_int(file, "experts/ffn/block0/in_bias", "xxh3_column", 2));
    expect(file, "/experts/ffn/block0/in_bias of expert 0 has checksum");
    file = edit();
    mot_ck_ok(mot_h5_set_int(file, "experts/ffn/block0/in_bias", "xxh3_column", 12));
    expect(file, "xxh3_column 12, expected one below 12");
    file = edit();
    put(file, "experts/state", H5T_NATIVE_FLOAT, 2, (hsize_t[]){5, 60});
    expect(file, "rows of 9 numbers, which /experts/state does not have");
}
END_TEST

START_TEST(no_last_mark)
{
    hid_t file = edit();
    H5Adelete(file, "complete");
    expect(file, "not complete");
    file = edit();
    mot_ck_ok(mot_h5_set_int(file, ".", "format_version", 99));
    expect(file, "format version 99");
    file = edit();
    mot_ck_ok(mot_h5_set_text(file, ".", "format", "mot-dataset"));
    expect(file, "not a checkpoint");
}
END_TEST

START_TEST(changed_attribute)
{
    hid_t file = edit();
    mot_ck_ok(mot_h5_set_int(file, "progress", "step", -5));
    expect(file, "step -5");
    file = edit();
    mot_ck_ok(mot_h5_set_int(file, "experts", "moments", 3));
    expect(file, "moments 3");
    file = edit();
    mot_ck_ok(mot_h5_write_rows(file, "experts/updates", H5T_NATIVE_INT64, 2, 1, &(int64_t){-1}));
    expect(file, "updates -1");
    file = edit();
    H5Adelete_by_name(file, "tied", "updates", H5P_DEFAULT);
    expect(file, "'updates' is missing");
}
END_TEST

/* Overwrites a tensor of one expert, through its view as other programs do. */
static void change_expert(hid_t file, int expert, const float value[9])
{
    mot_ck_ok(mot_h5_write_rows(file, "experts/ffn/block0/in_bias", H5T_NATIVE_FLOAT, (hsize_t)expert, 1,
                                value));
}

START_TEST(changed_values)
{
    hid_t file = edit();
    const float value[9] = {0};
    size_t changed;
    change_expert(file, 4, value);
    expect(file, "/experts/ffn/block0/in_bias of expert 4 has checksum");
    /* Taken as it is, on purpose. */
    mot_ck_ok(mot_h5_edit(&file, path, path));
    mot_ck_ok(mot_checkpoint_renew(file, path, &changed));
    mot_ck_ok(mot_h5_seal(&file, path, path));
    ck_assert_uint_eq(changed, 1);
    mot_ck_ok(mot_checkpoint_verify(path));
    mot_ck_ok(mot_checkpoint_read(&comm, &state.state, path));
    ck_assert(memcmp(state.experts[4]->value + state.expert.row[1].offset, value, sizeof value) == 0);
}
END_TEST

START_TEST(not_finite)
{
    /* With the right checksum: such a value was never written by us, and is found all the same. */
    hid_t file = edit();
    const float value[9] = {0, 1, 2, 3, INFINITY};
    const mot_digest digest = mot_digest_bytes(value, sizeof value);
    mot_digest all[STATE_EXPERTS][12];
    const hsize_t shape[] = {STATE_EXPERTS, 12, sizeof digest};
    change_expert(file, 4, value);
    mot_ck_ok(mot_h5_read(file, "experts/xxh3", H5T_NATIVE_UINT8, 3, shape, all));
    all[4][1] = digest;
    mot_ck_ok(mot_h5_write_rows(file, "experts/xxh3", H5T_NATIVE_UINT8, 0, STATE_EXPERTS, all));
    expect(file, "/experts/ffn/block0/in_bias of expert 4 is inf at [4]");
}
END_TEST

START_TEST(wrong_shape)
{
    hid_t file = edit();
    put(file, "tied/attention/block0/qkv_weight", H5T_NATIVE_FLOAT, 1, (hsize_t[]){60});
    expect(file, "/tied/attention/block0/qkv_weight has shape [60], the configuration has [3, 4, 5]");
}
END_TEST

START_TEST(other_files)
{
    static const char *const foreign[] = {"", "x", "\211HDF\r\n\032\n", "# configuration\nrun: x\n"};
    for (size_t f = 0; f < MOT_COUNT(foreign); ++f) {
        store(foreign[f], strlen(foreign[f]));
        ck_assert(refused_or_harmless("foreign file", f));
    }
    snprintf(path, sizeof path, "/tmp");
    ck_assert(refused_or_harmless("a folder", 0));
}
END_TEST

static void damage_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, flipped_bits);
    tcase_add_test(tcase, overwritten_bytes);
    tcase_add_test(tcase, cut_short);
    tcase_add_test(tcase, missing_expert);
    tcase_add_test(tcase, extra_expert);
    tcase_add_test(tcase, expert_under_two_names);
    tcase_add_test(tcase, experts_swapped);
    tcase_add_test(tcase, links_elsewhere);
    tcase_add_test(tcase, views_of_something_else);
    tcase_add_test(tcase, no_last_mark);
    tcase_add_test(tcase, changed_attribute);
    tcase_add_test(tcase, changed_values);
    tcase_add_test(tcase, not_finite);
    tcase_add_test(tcase, wrong_shape);
    tcase_add_test(tcase, other_files);
}

MOT_CK_MAIN("damage", damage_tests)
