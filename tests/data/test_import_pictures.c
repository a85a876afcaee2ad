/* Pictures in folders, and arrays in the HDF5 files of others. */
#include <stdio.h>

#include <jpeglib.h>
#include <png.h>
#include <sys/stat.h>

#include "import_support.h"

static void open_train(mot_dataset *set, const char *path)
{
    mot_ck_ok(mot_dataset_open(set, path, "train", 1 << 20));
}

static void write_png(const char *path, unsigned width, unsigned height, int format,
                      const unsigned char *pixel)
{
    png_image image = {
        .version = PNG_IMAGE_VERSION, .width = width, .height = height, .format = (png_uint_32)format};
    ck_assert(png_image_write_to_file(&image, path, 0, pixel, 0, NULL));
}

static void write_jpeg(const char *path, unsigned side, unsigned char grey)
{
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    unsigned char row[64];
    JSAMPROW rows[1] = {row};
    FILE *file = fopen(path, "wb");
    memset(row, grey, sizeof row);
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg_stdio_dest(&jpeg, file);
    jpeg.image_width = jpeg.image_height = side;
    jpeg.input_components = 1;
    jpeg.in_color_space = JCS_GRAYSCALE;
    jpeg_set_defaults(&jpeg);
    jpeg_start_compress(&jpeg, TRUE);
    for (unsigned i = 0; i < side; ++i) jpeg_write_scanlines(&jpeg, rows, 1);
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    fclose(file);
}

static const char *below(const char *folder, const char *name)
{
    static char paths[16][1200];
    static int next;
    char *path = paths[next++ % 16];
    snprintf(path, sizeof paths[0], "%s/%s", scratch_path(folder), name);
    return path;
}

static void refuse_images(mot_import_options o, const char *said)
{
    ck_assert_int_eq(mot_import_images(&o), MOT_ERR_INPUT);
    ck_assert_msg(strstr(mot_error_message(), said) != NULL, "expected '%s', said: %s", said,
                  mot_error_message());
}

START_TEST(folder_of_pictures)
{
    const unsigned char grey[4] = {10, 20, 30, 40}, red[12] = {250, 0, 0, 250, 0, 0, 250, 0, 0, 250, 0, 0},
                        glass[16] = {9, 9, 9, 255, 8, 8, 8, 0, 7, 7, 7, 255, 6, 6, 6, 255};
    mkdir(scratch_path("p"), 0777);
    mkdir(below("p", "cat"), 0777);
    mkdir(below("p", "dog"), 0777);
    write_png(below("p", "cat/1.png"), 2, 2, PNG_FORMAT_GRAY, grey);
    write_jpeg(below("p", "dog/2.JPG"), 2, 99);
    mot_import_options o = {.out = scratch_path("out.h5"), .files = {scratch_path("p")}};
    mot_dataset set;
    unsigned char sample[27];
    mot_ck_ok(mot_import_images(&o));
    open_train(&set, o.out);
    ck_assert(set.samples == 2 && set.format.channels == 1 && set.format.height == 2);
    ck_assert_str_eq(set.class_names[1], "dog");
    mot_ck_ok(mot_dataset_read(&set, 0, sample));
    ck_assert_mem_eq(sample, grey, 4);
    mot_ck_ok(mot_dataset_read(&set, 1, sample));
    ck_assert(sample[0] == 99 && mot_dataset_class(&set, 1) == 1);
    mot_dataset_close(&set);

    write_png(below("p", "cat/3.png"), 2, 2, PNG_FORMAT_RGB, red);
    refuse_images(o, "2 pictures are grey and 1 in colour: shall all be one or the other? (--color grey");
    o.color = MOT_COLOR_GREY;
    mot_ck_ok(mot_import_images(&o));
    open_train(&set, o.out);
    mot_ck_ok(mot_dataset_read(&set, 1, sample));
    ck_assert(sample[0] == 75); /* 0.299 of 250 */
    mot_dataset_close(&set);
    o.color = MOT_COLOR_RGB;
    mot_ck_ok(mot_import_images(&o));
    open_train(&set, o.out);
    mot_ck_ok(mot_dataset_read(&set, 1, sample));
    ck_assert(sample[0] == 250 && sample[3] == 250 && sample[4] == 0);
    mot_dataset_close(&set);

    write_png(below("p", "dog/4.png"), 2, 2, PNG_FORMAT_RGBA, glass);
    refuse_images(o, "4.png: parts of it are transparent: what lies behind them? (--background white");
    o.background = "white";
    mot_ck_ok(mot_import_images(&o));
    open_train(&set, o.out);
    mot_ck_ok(mot_dataset_read(&set, 3, sample));
    ck_assert(sample[0] == 9 && sample[1] == 255 && sample[2] == 7);
    mot_dataset_close(&set);

    write_jpeg(below("p", "dog/5.jpg"), 6, 50);
    refuse_images(o, "5.jpg: a picture of 6 x 6, those before are 2 x 2: --size HxW");
    o.height = o.width = 3;
    mot_ck_ok(mot_import_images(&o));
    open_train(&set, o.out);
    ck_assert(set.format.height == 3 && set.format.bytes == 27);
    mot_ck_ok(mot_dataset_read(&set, 4, sample));
    for (int i = 0; i < 27; ++i) ck_assert_uint_eq(sample[i], 50);
    mot_ck_ok(mot_dataset_read(&set, 0, sample));
    ck_assert(sample[0] == 10 && sample[2] == 20 && sample[4] == 25 && sample[8] == 40);
    mot_dataset_close(&set);

    struct stat about;
    scratch_write(below("p", "dog/6.png"), "no picture", 10);
    refuse_images(o, "6.png: neither a PNG nor a JPEG");
    stat(below("p", "cat/1.png"), &about);
    ck_assert_int_eq(truncate(below("p", "cat/1.png"), about.st_size - 20), 0);
    mot_import_notes notes = {.count = 0};
    o.notes = &notes;
    o.skip_unreadable = true;
    mot_ck_ok(mot_import_images(&o));
    ck_assert(notes.count == 3 && strstr(notes.text[0], "1.png: a damaged PNG picture") != NULL);
    ck_assert_ptr_nonnull(strstr(notes.text[1], "6.png"));
    open_train(&set, o.out);
    ck_assert_int_eq(set.samples, 4);
    mot_dataset_close(&set);
    refuse_images((mot_import_options){.out = o.out, .files = {below("p", "cat")}},
                  "expected a folder a class");
    refuse_images((mot_import_options){.out = o.out, .files = {below("p", "absent")}},
                  "cannot read the folder");
}
END_TEST

START_TEST(folders_of_splits)
{
    const unsigned char grey[4] = {1, 2, 3, 4};
    static const char *const folders[] = {"",     "train",  "train/a", "train/b", "train/b/more",
                                          "Test", "Test/a", "Test/b"};
    for (size_t i = 0; i < MOT_COUNT(folders); ++i) mkdir(below("q", folders[i]), 0777);
    static const char *const files[] = {"train/a/1.png", "train/b/more/2.png", "Test/a/3.png",
                                        "Test/b/4.png"};
    for (size_t i = 0; i < MOT_COUNT(files); ++i)
        write_png(below("q", files[i]), 2, 2, PNG_FORMAT_GRAY, grey);
    const mot_import_options o = {.out = scratch_path("out.h5"), .files = {scratch_path("q")}};
    mot_dataset set;
    mot_ck_ok(mot_import_images(&o));
    mot_ck_ok(mot_dataset_open(&set, o.out, "test", 1 << 20));
    ck_assert(set.samples == 2 && set.classes == 2 && mot_dataset_class(&set, 1) == 1);
    mot_dataset_close(&set);
}
END_TEST

/* ---- HDF5 ---- */

START_TEST(hdf5)
{
    const char *path = scratch_path("other.h5");
    const hsize_t shape[2] = {3, 2}, samples = 3;
    static const char *const words[] = {"cat", "dog", "cat"};
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT),
          space = H5Screate_simple(1, &samples, NULL);
    mot_ck_ok(mot_h5_write(file, "a/x", H5T_NATIVE_DOUBLE, 2, shape, MOT_H5_COMPRESSED,
                           (double[]){1, 2, 3, 4, 5, 6}));
    mot_ck_ok(
        mot_h5_write(file, "a/y", H5T_NATIVE_INT64, 1, &samples, MOT_H5_CONTIGUOUS, (int64_t[]){1, 0, 1}));
    mot_ck_ok(mot_h5_write_texts(file, "fixed", 3, words));
    hid_t colours = H5Tenum_create(H5T_STD_I16BE); /* 0, 1, 2, the first byte the higher one */
    H5Tenum_insert(colours, "blue", (unsigned char[]){0, 0});
    H5Tenum_insert(colours, "green", (unsigned char[]){0, 1});
    H5Tenum_insert(colours, "red", (unsigned char[]){0, 2});
    hid_t named = H5Dcreate(file, "colour", colours, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    ck_assert(H5Dwrite(named, colours, H5S_ALL, H5S_ALL, H5P_DEFAULT, "\0\1\0\0\0\2") >= 0);
    mot_h5_close(&named);
    mot_h5_close(&colours);
    hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, H5T_VARIABLE);
    hid_t dataset = H5Dcreate(file, "variable", type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    ck_assert(H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, words) >= 0);
    mot_h5_close(&dataset);
    mot_h5_close(&type);
    mot_h5_close(&space);
    H5Fclose(file);
    static const char *const y[] = {"Y=/a/y", "Y=/fixed", "y=/variable"};
    mot_import_options o = {
        .out = scratch_path("out.h5"), .files = {path}, .argument_count = 2, .argument = {"X=/a/x"}};
    mot_dataset set;
    float number[2];
    for (int k = 0; k < 3; ++k) {
        o.argument[1] = y[k];
        mot_ck_ok(mot_import_hdf5(&o));
        open_train(&set, o.out);
        ck_assert(set.samples == 3 && set.classes == 2 && mot_dataset_class(&set, 0) == (k == 0) &&
                  mot_dataset_class(&set, 1) == (k != 0));
        ck_assert_str_eq(set.class_names[0], k == 0 ? "0" : "cat");
        mot_ck_ok(mot_dataset_read(&set, 2, number));
        ck_assert(number[0] == 5 && number[1] == 6);
        mot_dataset_close(&set);
    }
    o.argument[1] = "Y=/colour";
    mot_ck_ok(mot_import_hdf5(&o));
    open_train(&set, o.out);
    ck_assert(set.classes == 3 && mot_dataset_class(&set, 0) == 1 && mot_dataset_class(&set, 1) == 0 &&
              mot_dataset_class(&set, 2) == 2);
    mot_dataset_close(&set);
    o.argument[1] = "Y=/fixed";
    o.argument_count = 4;
    o.argument[2] = "TEST_X=/a/x";
    o.argument[3] = "TEST_Y=/fixed";
    mot_ck_ok(mot_import_hdf5(&o));
    static const struct {
        const char *argument, *said;
    } bad[] = {{"Y=/absent", "absent"},
               {"Z=/a/y", "expected X=/PATH"},
               {"GROUP=/a/y", "which dataset holds the labels?"}};
    o.argument_count = 2;
    for (size_t k = 0; k < MOT_COUNT(bad); ++k) {
        o.argument[1] = bad[k].argument;
        ck_assert_int_eq(mot_import_hdf5(&o), MOT_ERR_INPUT);
        ck_assert_msg(strstr(mot_error_message(), bad[k].said) != NULL, "%s", mot_error_message());
    }
    scratch_clear();
}
END_TEST

static void import_pictures_tests(TCase *tcase)
{
    tcase_add_test(tcase, folder_of_pictures);
    tcase_add_test(tcase, folders_of_splits);
    tcase_add_test(tcase, hdf5);
    tcase_add_unchecked_fixture(tcase, NULL, scratch_remove);
}

MOT_CK_MAIN("import_pictures", import_pictures_tests)
