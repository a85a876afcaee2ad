/* Tables as programs and people write them: each is read as it was meant, or refused with the option that decides. */
#include <math.h>

#include "import_support.h"

typedef struct table_case {
    const char *name, *train, *test;
    mot_import_options options;
    const char *said; /* part of the sentence of a refusal; NULL: it is read, as */
    mot_gidx samples; /* in train */
    int classes;
    size_t features;
    float first, last;          /* number of the first and the last sample */
    const char *class_of_first; /* name of its class */
} table_case;

#define ABC "0.5,4,x\n5.5,6,y\n"

#define REFUSED 0, 0, 0, 0, 0, NULL
/* clang-format off */
static const table_case cases[] = {
    /* separators and decimal marks */
    {"semicolons, commas in numbers", "0,5;1,25;0\n1,5;2,25;1\n", NULL, {0}, NULL, 2, 2, 2, 0.5f, 2.25f, "0"},
    {"tabs, commas in numbers", "0,5\t1,25\t0\n1,5\t2,25\t1\n", NULL, {0}, NULL, 2, 2, 2, 0.5f, 2.25f, "0"},
    {"blanks, commas in numbers", "  0,5   1,25 0  \n1,5 2,25   1\n", NULL, {0}, NULL, 2, 2, 2, 0.5f, 2.25f, "0"},
    {"quoted commas", "\"0,5\",\"1,25\",\"0\"\n\"1,5\",\"2,25\",\"1\"\n", NULL, {0}, NULL, 2, 2, 2, 0.5f, 2.25f, "0"},
    {"bars", "a|b|kind\n1|2.5|x\n3|4|y\n", NULL, {0}, NULL, 2, 2, 2, 1, 4, "x"},
    {"commas and blanks", "1, 2, 0\n3, 4, 1\n", NULL, {0}, NULL, 2, 2, 2, 1, 4, "0"},
    {"both marks", "0,5;1.25;0\n1;2;1\n", NULL, {0}, "is the decimal mark a comma or a point? (--decimal comma", REFUSED},
    {"both marks in two files", "0,5;1;0\n1;2;1\n", "1.5;2;0\n", {0}, "is the decimal mark", REFUSED},
    {"thousands?", "1,234;5;0\n2,500;6;1\n", NULL, {0}, "may be a decimal comma or thousands: --decimal comma", REFUSED},
    {"thousands told", "1,234;5;0\n2,500;6;1\n", NULL, {.decimal = ','}, NULL, 2, 2, 2, 1.234f, 6, "0"},
    {"thousands and a mark", "2,5;6;1\n1.234,5;5;0\n", NULL, {0}, "is the decimal mark", REFUSED},
    {"Excel's first line", "sep=;\r\n1;2;0\r\n3;4;1\r\n", NULL, {0}, NULL, 2, 2, 2, 1, 4, "0"},
    {"a separator that is told", "1;2,0\n3;4,1\n", NULL, {.separator = ','}, "'1;2' is not a number", REFUSED},
    {"powers", "1e-3,2E+2,0\n+3,-.5,1\n", NULL, {0}, NULL, 2, 2, 2, 1e-3f, -0.5f, "0"},
    {"truth values", "TRUE,2,0\nFalse,4,1\n", NULL, {0}, NULL, 2, 2, 2, 1, 4, "0"},
    {"hexadecimal", "1,2,0\n0x10,4,1\n", NULL, {0}, "line 2, column 1: '0x10' is not a number", REFUSED},
    {"a percent sign", "1%,2,0\n3%,4,1\n", NULL, {0}, "'1%' is not a number", REFUSED},
    /* what stands at the ends */
    {"a byte order mark", "\xef\xbb\xbf" "1,2,0\n3,4,1\n", NULL, {0}, NULL, 2, 2, 2, 1, 4, "0"},
    {"a mark, and a header", "\xef\xbb\xbf" "kind,a,b\nx,1,2\ny,3,4\n", NULL, {.label_column = "kind"}, NULL, 2, 2, 2, 1, 4, "x"},
    {"carriage returns", "1,2,0\r\n3,4,1\r\n\r\n", NULL, {0}, NULL, 2, 2, 2, 1, 4, "0"},
    {"carriage returns alone", "1,2,0\r3,4,1\r", NULL, {0}, NULL, 2, 2, 2, 1, 4, "0"},
    {"no end of the last line", "1,2,0\n3,4,1", NULL, {0}, NULL, 2, 2, 2, 1, 4, "0"},
    {"separators at the ends", "1,2,0,\n3,4,1,\n", NULL, {0}, NULL, 2, 2, 2, 1, 4, "0"},
    {"separators at the ends of all but the header", "a,b,c\n1,2,0,\n3,4,1,\n", NULL, {0}, NULL, 2, 2, 2, 1, 4, "0"},
    {"lines of separators", "a;b;c\n1;2;0\n3;4;1\n;;\n;;\n", NULL, {0}, NULL, 2, 2, 2, 1, 4, "0"},
    {"blanks at the ends", " 1 ,\t2 , x \n 3, 4,\"x\"\n 5,6,y\xc2\xa0\n", NULL, {0}, NULL, 3, 2, 2, 1, 6, "x"},
    {"comments", "# made by hand\n# on a day\n1,2,0\n3,4,1\n", NULL, {0}, NULL, 2, 2, 2, 1, 4, "0"},
    {"names in a comment", "# a b kind\n1 2 0\n3 4 1\n", NULL, {.label_column = "a"}, NULL, 2, 2, 2, 2, 1, "1"},
    /* headers */
    {"numbers of columns", "0,1,2\n0.5,4,1\n5.5,6,0\n", NULL, {0}, "line 1: its numbers count the columns: does it name", REFUSED},
    {"numbers of columns are names", "0,1,2\n0.5,4,1\n5.5,6,0\n", NULL, {.header = MOT_ANSWER_YES}, NULL, 2, 2, 2, 0.5f, 6, "1"},
    {"numbers of columns are a sample", "0,1,2\n0.5,4,1\n5.5,6,0\n", NULL, {.header = MOT_ANSWER_NO}, NULL, 3, 3, 2, 0, 6, "2"},
    {"numbers and a name", "0,1,label\n" ABC, NULL, {0}, "beside a name that no other line has", REFUSED},
    {"a name above numbers", "2019,2020,label\n1,2,0\n3,4,1\n", NULL, {0}, "column 3 is 'label' here and numbers below", REFUSED},
    {"an unknown value first", "?,2,0\n3,4,1\n", NULL, {0}, "line 1, column 1: '?' is not a number: a value that is missing", REFUSED},
    {"an empty value first", "1,,0\n3,4,1\n", NULL, {0}, "line 1, column 2: ''", REFUSED},
    {"pandas with its index", ",a,b,kind\n0,1,2,x\n1,3,4,y\n2,5,6,x\n", NULL, {0}, NULL, 3, 2, 2, 1, 6, "x"},
    {"R with its row names", "\"\",\"a\",\"kind\"\n\"1\",1,\"x\"\n\"2\",3,\"y\"\n", NULL, {0}, NULL, 2, 2, 1, 1, 3, "x"},
    {"write.table of R", "\"a\" \"b\" \"kind\"\n\"1\" 1 2 \"x\"\n\"2\" 3 4 \"y\"\n", NULL, {0}, NULL, 2, 2, 2, 1, 4, "x"},
    {"a column without a name", ",a,kind\n7,1,x\n3,3,y\n", NULL, {0}, "column 1 has no name: does it number the lines", REFUSED},
    {"and left out", ",a,kind\n7,1,x\n3,3,y\n", NULL, {.ignore_columns = "1"}, NULL, 2, 2, 1, 1, 3, "x"},
    {"no header, texts as labels", ABC, NULL, {0}, NULL, 2, 2, 2, 0.5f, 6, "x"},
    {"told there is one", ABC "7,8,z\n", NULL, {.header = MOT_ANSWER_YES}, NULL, 2, 2, 2, 5.5f, 8, "y"},
    /* columns */
    {"the label first", "kind,a,b\n0,1,2\n1,3,4\n", NULL, {.label_column = "kind"}, NULL, 2, 2, 2, 1, 4, "0"},
    {"the label first, and called so", "label,a,b\n0,1,2\n1,3,4\n", NULL, {0}, "which is the label? (--label-column label", REFUSED},
    {"no such column", "a,b\n1,2\n3,4\n", NULL, {.label_column = "kind"}, "no such column; the 2 columns are a, b", REFUSED},
    {"a number that is a name", "2,b,c\n1,2,0\n3,4,1\n", NULL, {.label_column = "2", .header = MOT_ANSWER_YES}, "is it the name or the number?", REFUSED},
    {"the name", "2,b,c\n0,2,7\n1,4,8\n", NULL, {.label_column = "name=2", .header = MOT_ANSWER_YES}, NULL, 2, 2, 2, 2, 8, "0"},
    {"a group, and one left out", "id,a,where,kind\n9,1,u,x\n8,3,v,y\n", NULL, {.group_column = "where", .ignore_columns = "id"}, NULL, 2, 2, 1, 1, 3, "x"},
    {"other order", "a,b,label\n1,20,0\n2,30,1\n", "b,a,label\n20,1,0\n", {0}, "(--columns name, --columns place)", REFUSED},
    {"other order by name", "a,b,label\n1,20,0\n2,30,1\n", "b,a,label\n20,1,0\n", {.by_name = MOT_ANSWER_YES}, NULL, 2, 2, 2, 1, 30, "0"},
    {"another column", "a,b,label\n1,20,0\n2,30,1\n", "a,c,label\n1,20,0\n", {.by_name = MOT_ANSWER_YES}, "has no column 'b'", REFUSED},
    {"more columns", "a,b,label\n1,20,0\n2,30,1\n", "a,b,c,label\n1,20,0,1\n", {0}, "has 4 columns", REFUSED},
    {"coordinates", "x,y,class\n1,2,0\n3,4,1\n", NULL, {0}, NULL, 2, 2, 2, 1, 4, "0"},
    {"JSON", "{\"a\": 1}\n", NULL, {0}, "JSON, which is not read", REFUSED},
    /* labels */
    {"from 1", "1,2,1\n3,4,2\n5,6,3\n", NULL, {0}, NULL, 3, 3, 2, 1, 6, "1"},
    {"from 1, with names", "1,2,1\n3,4,2\n5,6,3\n", NULL, {.class_names = "u,v,w"}, NULL, 3, 3, 2, 1, 6, "u"},
    {"from 1, with names from 0", "1,2,1\n3,4,2\n5,6,3\n", NULL, {.class_names = "none,u,v,w"}, NULL, 3, 4, 2, 1, 6, "u"},
    {"which name?", "1,2,1\n3,4,2\n", NULL, {.class_names = "u,v,w,z"}, "(--first-label 0, --first-label 1)", REFUSED},
    {"the first is 1", "1,2,1\n3,4,2\n", NULL, {.class_names = "u,v,w,z", .first_label = "1"}, NULL, 2, 4, 2, 1, 4, "u"},
    {"signs", "1,2,-1\n3,4,1\n5,6,+1\n", NULL, {0}, NULL, 3, 2, 2, 1, 6, "-1"},
    {"gaps", "1,2,10\n3,4,2\n5,6,30\n", NULL, {0}, NULL, 3, 3, 2, 1, 6, "10"},
    {"whole numbers with a point", "1,2,0.0\n3,4,1.0\n", NULL, {0}, NULL, 2, 2, 2, 1, 4, "0"},
    {"digits that are names", "1,2,007\n3,4,012\n", NULL, {0}, NULL, 2, 2, 2, 1, 4, "007"},
    {"truth values", "1,2,true\n3,4,false\n", NULL, {0}, NULL, 2, 2, 2, 1, 4, "true"},
    {"a missing one", "1,2,0\n3,4,NA\n5,6,1\n", NULL, {0}, "line 2: the label is missing ('NA')", REFUSED},
    {"numbers to be predicted", "1,2,0.25\n3,4,1.5\n", NULL, {0}, "a label is a class; numbers to be predicted (regression) are --target COLUMN", REFUSED},
    {"with a decimal comma too", "1;2;0,25\n3;4,5;1,5\n", NULL, {0}, "(regression)", REFUSED},
    {"a target that is none", "a,b,y\n1,2,x\n", NULL, {.target_columns = "y"}, "line 2, column 3 ('y'): 'x' is not a number", REFUSED},
    {"a target that is missing", "a,b,y\n1,2,3\n1,2,NA\n", NULL, {.target_columns = "y"}, "line 3, column 3 ('y'): 'NA' is not a number", REFUSED},
    {"a target beyond floats", "a,b,y\n1,2,3\n1,2,1e39\n", NULL, {.target_columns = "y"}, "line 3, column 3 ('y'): '1e39' is beyond", REFUSED},
    {"no such target", "a,b,y\n1,2,3\n", NULL, {.target_columns = "y,z"}, "--target z: no such column", REFUSED},
    {"a target twice", "a,b,y\n1,2,3\n", NULL, {.target_columns = "y,3"}, "column 3 ('y') is given twice", REFUSED},
    {"targets alone", "a,b\n1,2\n", NULL, {.target_columns = "a,b"}, "expected numbers beside the 2 of --target", REFUSED},
    {"a target and a label", "a,b,y\n1,2,3\n", NULL, {.target_columns = "y", .label_column = "b"}, "--label-column is of labels, and --target says", REFUSED},
    {"a target and names", "a,b,y\n1,2,3\n", NULL, {.target_columns = "y", .class_names = "u,v"}, "--class-names is of labels", REFUSED},
    {"texts with names", "1,2,v\n3,4,u\n", NULL, {.class_names = "u,v"}, NULL, 2, 2, 2, 1, 4, "v"},
    {"not among the names", "1,2,v\n3,4,z\n", NULL, {.class_names = "u,v"}, "line 2: the label 'z' does not occur in u,v", REFUSED},
    {"two names alike", "1,2,0\n3,4,1\n", NULL, {.class_names = "u,u"}, "two of the class names are 'u'", REFUSED},
    {"a class that train lacks", "1,2,0\n3,4,1\n", "1,2,2\n", {0}, "line 1: the label '2' does not occur in", REFUSED},
};
/* clang-format on */

static void check_read(const table_case *c, const char *path)
{
    mot_dataset set;
    float number[8];
    mot_ck_ok(mot_dataset_open(&set, path, "train", 1 << 16));
    ck_assert_msg(set.samples == c->samples && set.classes == c->classes &&
                      set.format.features == c->features,
                  "%s: %d samples, %d classes, %zu features", c->name, (int)set.samples, set.classes,
                  set.format.features);
    mot_ck_ok(mot_dataset_read(&set, 0, number));
    ck_assert_msg(number[0] == c->first, "%s: first number %g", c->name, number[0]);
    mot_ck_ok(mot_dataset_read(&set, set.samples - 1, number));
    ck_assert_msg(number[c->features - 1] == c->last, "%s: last number %g", c->name, number[c->features - 1]);
    ck_assert_msg(strcmp(set.class_names[mot_dataset_class(&set, 0)], c->class_of_first) == 0, "%s: class %s",
                  c->name, set.class_names[mot_dataset_class(&set, 0)]);
    mot_dataset_close(&set);
}

START_TEST(tables)
{
    const table_case *c = &cases[_i];
    mot_import_options o = c->options;
    o.out = scratch_path("out.h5");
    o.files[0] = save_text("train.csv", c->train);
    if (c->test != NULL) o.files[2] = save_text("test.csv", c->test);
    const mot_status status = mot_import_csv(&o);
    if (c->said != NULL) {
        ck_assert_msg(status == MOT_ERR_INPUT, "%s: expected '%s', got %d", c->name, c->said, status);
        ck_assert_msg(strstr(mot_error_message(), c->said) != NULL, "%s: expected '%s', said: %s", c->name,
                      c->said, mot_error_message());
        ck_assert_int_ne(access(o.out, F_OK), 0);
    } else {
        ck_assert_msg(status == MOT_OK, "%s: %s", c->name, mot_error_message());
        check_read(c, o.out);
    }
    scratch_clear();
}
END_TEST

/* By name: the numbers of the other file are those of the training table's columns. */
START_TEST(columns_by_name)
{
    mot_import_options o = {.out = scratch_path("out.h5"), .by_name = MOT_ANSWER_YES};
    o.files[0] = save_text("train.csv", "a,b,label\n1,20,0\n2,30,1\n");
    o.files[2] = save_text("test.csv", "label,b,a\n1,30,2\n");
    mot_dataset set;
    float number[2];
    mot_ck_ok(mot_import_csv(&o));
    mot_ck_ok(mot_dataset_open(&set, o.out, "test", 1 << 16));
    mot_ck_ok(mot_dataset_read(&set, 0, number));
    ck_assert(number[0] == 2 && number[1] == 30 && mot_dataset_class(&set, 0) == 1);
    ck_assert_str_eq(set.column_names[1], "b");
    mot_dataset_close(&set);
    scratch_clear();
}
END_TEST

/* Numbers to be predicted, in the order of the option, and by name in another file; the rest are samples. */
START_TEST(targets_are_numbers)
{
    mot_import_options o = {.out = scratch_path("out.h5"), .target_columns = "z,x", .group_column = "kind",
                            .by_name = MOT_ANSWER_YES, .val_fraction = 0.5};
    const float train[2][2] = {{3.5f, 1}, {-2, 1.25f}}, test[2] = {9, 8};
    mot_dataset set;
    o.files[0] = save_text("train.csv", "x;a;kind;z\n1;20;u;3,5\n1,25;30;v;-2\n1;20;u;3,5\n1,25;30;v;-2\n");
    o.files[2] = save_text("test.csv", "kind;z;x;a\nu;9;8;7\n");
    mot_ck_ok(mot_import_csv(&o));
    for (int s = 0; s < 3; ++s) {
        mot_ck_ok(mot_dataset_open(&set, o.out, (const char *[]){"train", "val", "test"}[s], 1 << 16));
        ck_assert(set.samples == (s < 2 ? 2 : 1) && set.classes == 0 && set.groups == 2);
        ck_assert(set.format.features == 1 && set.target_bytes == 2 * sizeof(float));
        for (mot_gidx i = 0; i < set.samples; ++i) {
            float x, y[2];
            int32_t group;
            mot_ck_ok(mot_dataset_sample(&set, i, &x, y, &group));
            ck_assert(x == (s == 2 ? 7 : group == 0 ? 20 : 30));
            ck_assert_mem_eq(y, s == 2 ? test : train[group], sizeof y);
        }
        mot_dataset_close(&set);
    }
    scratch_clear();
}
END_TEST

/* What was taken without being told is said. */
START_TEST(what_was_taken)
{
    mot_import_notes notes = {.count = 0};
    mot_import_options o = {.out = scratch_path("out.h5"), .notes = &notes};
    o.files[0] = save_text("train.csv", "Id;a;label\n1;0,5;1\n2;1,5;2\n3;2,5;1\n");
    mot_ck_ok(mot_import_csv(&o));
    static const char *const expected[] = {"line 1 names the columns", "semicolons between them",
                                           "a decimal comma", "column 1 ('Id') counts the lines",
                                           "labels run from 1 to 2"};
    for (size_t i = 0; i < MOT_COUNT(expected); ++i) {
        bool found = false;
        for (size_t k = 0; k < notes.count; ++k) found = found || strstr(notes.text[k], expected[i]) != NULL;
        ck_assert_msg(found, "no note has '%s'", expected[i]);
    }
    scratch_clear();
}
END_TEST

/* ---- texts ---- */

#define REFUSED_TEXT 0, 0, 0, NULL, NULL
/* clang-format off */
static const struct {
    const char *name, *train;
    mot_import_options options;
    const char *said;
    mot_gidx samples;
    int classes, groups;
    const char *class_of_first;
    const char *word; /* the one with id 2, the first of the vocabulary */
} texts[] = {
    {"a header", "label\ttext\npos\tgood one\nneg\tbad one\npos\tfine one\n", {0}, NULL, 3, 2, 0, "pos", "bad"},
    {"a header, the text first", "text\tlabel\ngood one\tpos\nbad one\tneg\n", {0}, NULL, 2, 2, 0, "pos", "bad"},
    {"a header in a table", "label,text\npos,\"good, one\"\nneg,\"a \"\"bad\"\"\none\"\n", {0}, NULL, 2, 2, 0, "pos", "\"bad\""},
    {"a header in another language", "Klasse\tWorte\npos\ta\nneg\tb\npos\tc\nneg\td\n", {0}, "'Klasse' is the label of no other line", REFUSED_TEXT},
    {"told", "Klasse\tWorte\npos\ta\nneg\tb\npos\tc\nneg\td\n", {.header = MOT_ANSWER_YES}, NULL, 4, 2, 0, "pos", "a"},
    {"a label that is called label", "label\ttext\nlabel\tgood one\nneg\tbad one\n", {0}, NULL, 3, 2, 0, "label", "bad"},
    {"a byte order mark", "\xef\xbb\xbfpos\tgood one\nneg\tbad one\npos\tfine\n", {0}, NULL, 3, 2, 0, "pos", "bad"},
    {"blanks around labels", "pos\tgood one\nneg\tbad one\npos \tfine\n pos\ta\n", {0}, NULL, 4, 2, 0, "pos", "a"},
    {"quotes that are text", "pos\t\"good\" one\nneg\tbad\n", {0}, NULL, 2, 2, 0, "pos", "\"good\""},
    {"quotes around texts", "pos\t\"zoo \"\"one\"\"\"\nneg\tbad\n", {0}, NULL, 2, 2, 0, "pos", "\"one\""},
    {"groups", "pos\tg\tgood one\nneg\th\tbad one\n", {0}, NULL, 2, 2, 2, "pos", "bad"},
    {"columns that are told", "1\ta\tx\tgood\n2\tb\ty\tbad\n", {.label_column = "3", .text_column = "4"}, NULL, 2, 2, 0, "x", "bad"},
    {"which is the label?", "a b\tx\nc d\tx\ne f\ty\ng h\ty\ni j\tx\nk l\ty\nm n\tx\no p\ty\n", {0}, "which is the label?", REFUSED_TEXT},
    {"four columns", "a\tb\tc\td\n", {0}, "--label-column and --text-column say which is which", REFUSED_TEXT},
    {"UTF-16", "\xff\xfe" "a", {0}, "a text in UTF-16", REFUSED_TEXT},
    {"Latin-1", "pos\tgr\xfcn\n", {0}, "line 1: not a text in UTF-8", REFUSED_TEXT},
};
/* clang-format on */

START_TEST(lines_of_text)
{
    mot_import_options o = texts[_i].options;
    o.out = scratch_path("out.h5");
    o.min_count = 1;
    o.files[0] = save_text("train.tsv", texts[_i].train);
    const mot_status status = mot_import_text(&o);
    if (texts[_i].said != NULL) {
        ck_assert_msg(status == MOT_ERR_INPUT && strstr(mot_error_message(), texts[_i].said) != NULL,
                      "%s: %d: %s", texts[_i].name, status, mot_error_message());
        scratch_clear();
        return;
    }
    mot_dataset set;
    size_t words;
    char **word;
    hid_t file;
    ck_assert_msg(status == MOT_OK, "%s: %s", texts[_i].name, mot_error_message());
    mot_ck_ok(mot_dataset_open(&set, o.out, "train", 1 << 16));
    ck_assert_msg(set.samples == texts[_i].samples && set.classes == texts[_i].classes &&
                      set.groups == texts[_i].groups,
                  "%s: %d samples, %d classes, %d groups", texts[_i].name, (int)set.samples, set.classes,
                  set.groups);
    ck_assert_str_eq(set.class_names[mot_dataset_class(&set, 0)], texts[_i].class_of_first);
    mot_dataset_close(&set);
    mot_ck_ok(mot_h5_open(&file, o.out, false));
    mot_ck_ok(mot_h5_read_texts(file, "vocabulary", 100, &words, &word));
    ck_assert_str_eq(word[2], texts[_i].word);
    mot_free(word);
    mot_h5_close(&file);
    scratch_clear();
}
END_TEST

static void import_tables_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, tables, 0, MOT_COUNT(cases));
    tcase_add_test(tcase, columns_by_name);
    tcase_add_test(tcase, targets_are_numbers);
    tcase_add_test(tcase, what_was_taken);
    tcase_add_loop_test(tcase, lines_of_text, 0, MOT_COUNT(texts));
    tcase_add_unchecked_fixture(tcase, NULL, scratch_remove);
}

MOT_CK_MAIN("import_tables", import_tables_tests)
