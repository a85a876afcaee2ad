/* Tables of numbers, a sample a line, with the label in one column, or numbers to be predicted in one or several: a vector of one token, or with a shape a picture whose
 * values are whole numbers in 0..255. */
#include <math.h>
#include <string.h>
#include <strings.h>

#include "import.h"
#include "mot/memory.h"
#include "number.h"
#include "table_numbers.h"

typedef struct csv {
    table table[IMPORT_SPLITS];
    size_t *place[IMPORT_SPLITS]; /* of the training table's columns in each */
    size_t label, group;          /* columns of the training table; `columns` where there is none */
    bool *ignored;                /* [columns] */
    table_numbers numbers;        /* the columns of samples; behind them in its list those of targets */
    size_t targets;               /* that are numbers; 0: there is a label */
    char **names; /* of the columns of numbers; NULL: no header */
    import_set set;
} csv;

/* A split's samples. */
typedef struct csv_part {
    const csv *from;
    int split;
} csv_part;

/* ---- columns ---- */

static bool has_usual_name(const table *t, size_t column)
{
    static const char *const usual[] = {"label", "labels", "class", "classes", "target", "y"};
    for (size_t i = 0; i < MOT_COUNT(usual); ++i)
        if (strcasecmp(t->name[column], usual[i]) == 0) return true;
    return false;
}

/* The last column, unless another is called what labels are called and it is not. */
static mot_status check_default_label(const table *t)
{
    if (t->name == NULL || has_usual_name(t, t->columns - 1)) return MOT_OK;
    for (size_t c = 0; c + 1 < t->columns; ++c)
        if (has_usual_name(t, c))
            return mot_fail(MOT_ERR_INPUT,
                            "%s: column %zu is called '%s', and the last is '%.60s': which is the label? "
                            "(--label-column %s, --label-column last)",
                            t->path, c + 1, t->name[c], t->name[t->columns - 1], t->name[c]);
    return MOT_OK;
}

static mot_status mark_ignored(const mot_import_options *options, csv *c)
{
    const table *t = &c->table[0];
    char **list = NULL;
    size_t count = 0, column;
    mot_status status = MOT_OK;
    MOT_TRY(mot_allocate(&c->ignored, t->columns, sizeof(bool), "a table's columns"));
    c->ignored[0] = t->row_names;
    if (options->ignore_columns == NULL) goto done;
    MOT_TRY(mot_import_split_list(options->ignore_columns, TABLE_MAX_COLUMNS, "--ignore-columns", &count, &list));
    for (size_t i = 0; i < count; ++i) {
        MOT_TRY(mot_table_find_column(t, list[i], "ignore-columns", &column));
        c->ignored[column] = true;
    }
done:
    mot_free(list);
    return status;
}

/* For a run that knows its columns by name: those that it does not know are left out. */
static void leave_unknown(const mot_import_options *options, csv *c)
{
    const table *t = &c->table[0];
    const mot_schema *run = options->as;
    size_t others = 0, first = 0;
    if (t->name == NULL || run->column_names == NULL || run->format.kind != MOT_SAMPLE_VECTOR) return;
    for (size_t k = 0; k < t->columns; ++k) {
        bool known = false;
        for (size_t r = 0; r < run->format.features && !known; ++r)
            known = strcmp(run->column_names[r], t->name[k]) == 0;
        if (known || c->ignored[k]) continue;
        if (others++ == 0) first = k;
        c->ignored[k] = true;
    }
    if (others > 0)
        mot_import_note(options, "%s: %s%s: left out, since the run did not learn from %s", t->path,
                        mot_table_column(t, first).text, others > 1 ? " and others" : "",
                        others > 1 ? "them" : "it");
}

/* Numbers alone, as many as the run's. */
static mot_status find_run_columns(const mot_import_options *options, csv *c)
{
    const table *t = &c->table[0];
    const mot_sample_format *run = &options->as->format;
    const bool by_name = t->name != NULL && options->as->column_names != NULL;
    mot_status status = MOT_OK;
    c->label = c->group = t->columns;
    leave_unknown(options, c);
    MOT_TRY(mot_allocate(&c->numbers.column, t->columns, sizeof(size_t), "a table's columns"));
    for (size_t k = 0; k < t->columns; ++k)
        if (!c->ignored[k]) c->numbers.column[c->numbers.count++] = k;
    if (run->kind != MOT_SAMPLE_VECTOR) goto done;
    if (by_name && c->numbers.count == 0)
        status = mot_fail(MOT_ERR_INPUT,
                          "%s: no column has the name of one that the run learned from, such as '%.60s'",
                          t->path, options->as->column_names[0]);
    else if (run->tokens > 1)
        status = mot_fail(
            MOT_ERR_INPUT,
            "%s: lines of numbers; the run learned %zu tokens of %zu numbers a sample: give an array "
            "(--npy, --hdf5)",
            t->path, run->tokens, run->features);
    else if (!by_name && c->numbers.count != run->features)
        status = mot_fail(
            MOT_ERR_INPUT,
            "%s: %zu columns, and the run learned %zu: which are they? (--ignore-columns leaves others "
            "out%s)",
            t->path, c->numbers.count, run->features,
            t->name == NULL && options->as->column_names != NULL
                ? "; the names of the columns in line 1 would do it"
                : "");
done:
    return status;
}

/* The columns of targets, in the order of the option. */
static mot_status find_targets(const mot_import_options *options, csv *c, size_t *column, bool *taken)
{
    const table *t = &c->table[0];
    char **list = NULL;
    mot_status status = MOT_OK;
    if (options->target_columns == NULL) return MOT_OK;
    MOT_TRY(mot_import_split_list(options->target_columns, t->columns, "--target", &c->targets, &list));
    for (size_t i = 0; i < c->targets; ++i) {
        MOT_TRY(mot_table_find_column(t, list[i], "target", &column[i]));
        if (taken[column[i]] || column[i] == c->group) {
            status = mot_fail(MOT_ERR_INPUT, "%s: --target %s: %s is given twice, or left out", t->path,
                              options->target_columns, mot_table_column(t, column[i]).text);
            goto done;
        }
        taken[column[i]] = true;
    }
done:
    mot_free(list);
    return status;
}

/* All other numbers, and behind them the targets. */
static mot_status find_target_columns(const mot_import_options *options, csv *c)
{
    const table *t = &c->table[0];
    size_t *target = NULL;
    bool *taken = NULL;
    mot_status status = MOT_OK;
    MOT_TRY(mot_allocate(&target, t->columns, sizeof *target, "a table's columns"));
    MOT_TRY(mot_allocate(&taken, t->columns, sizeof *taken, "a table's columns"));
    memcpy(taken, c->ignored, t->columns * sizeof *taken);
    MOT_TRY(find_targets(options, c, target, taken));
    for (size_t k = 0; k < t->columns; ++k)
        if (!taken[k] && k != c->group) c->numbers.column[c->numbers.count++] = k;
    memcpy(c->numbers.column + c->numbers.count, target, c->targets * sizeof *target);
    if (c->numbers.count == 0)
        status = mot_fail(MOT_ERR_INPUT, "%s: %zu columns, expected numbers beside the %zu of --target", t->path,
                          t->columns, c->targets);
done:
    mot_free(taken);
    mot_free(target);
    return status;
}

static mot_status find_columns(const mot_import_options *options, csv *c)
{
    const table *t = &c->table[0];
    mot_status status = MOT_OK;
    MOT_TRY(mark_ignored(options, c));
    if (options->as != NULL) return find_run_columns(options, c);
    c->label = c->group = t->columns;
    if (options->group_column != NULL)
        MOT_TRY(mot_table_find_column(t, options->group_column, "group-column", &c->group));
    MOT_TRY(mot_allocate(&c->numbers.column, t->columns, sizeof(size_t), "a table's columns"));
    if (options->target_columns != NULL) return find_target_columns(options, c);
    if (options->label_column == NULL) MOT_TRY(check_default_label(t));
    MOT_TRY(mot_table_find_column(t, options->label_column != NULL ? options->label_column : "last",
                                  "label-column", &c->label));
    for (size_t k = 0; k < t->columns; ++k)
        if (k != c->label && k != c->group && !c->ignored[k]) c->numbers.column[c->numbers.count++] = k;
    if (c->numbers.count == 0 || c->ignored[c->label] || c->group == c->label)
        status = mot_fail(MOT_ERR_INPUT,
                          "%s: %zu columns, expected a label in column %zu and numbers beside it", t->path,
                          t->columns, c->label + 1);
done:
    return status;
}

/* ---- samples ---- */

static double value_of(const csv *c, int split, size_t row, size_t k)
{
    double value = 0;
    mot_number_parse(table_cell(&c->table[split], row, c->place[split][c->numbers.column[k]]), c->numbers.decimal,
                     &value);
    return value;
}

/* `count` numbers of a row, from the k'th on. */
static mot_status read_numbers(const csv *c, int split, size_t row, size_t k, size_t count, float *to)
{
    const table *t = &c->table[split];
    for (size_t i = 0; i < count; ++i) {
        to[i] = (float)value_of(c, split, row, k + i);
        if (isfinite(to[i])) continue;
        const size_t column = c->place[split][c->numbers.column[k + i]];
        return mot_fail(MOT_ERR_INPUT, "%s: line %zu, %s: '%.40s' is beyond what a float can hold", t->path, t->line[row],
                        mot_table_column(t, column).text, table_cell(t, row, column));
    }
    return MOT_OK;
}

static mot_status read_vector(void *context, size_t row, void *x)
{
    const csv_part *part = context;
    return read_numbers(part->from, part->split, row, 0, part->from->numbers.count, x);
}

static mot_status read_picture(void *context, size_t row, void *x)
{
    const csv_part *part = context;
    const csv *c = part->from;
    const table *t = &c->table[part->split];
    unsigned char *pixel = x;
    for (size_t k = 0; k < c->numbers.count; ++k) {
        const double value = value_of(c, part->split, row, k);
        if (value != floor(value) || value < 0 || value > 255)
            return mot_fail(MOT_ERR_INPUT, "%s: line %zu, %s: pixel %g, expected a whole number in 0..255",
                            t->path, t->line[row],
                            mot_table_column(t, c->place[part->split][c->numbers.column[k]]).text, value);
        pixel[k] = (unsigned char)value;
    }
    return MOT_OK;
}

static mot_status read_values(const csv *c, int split, size_t column, import_values *out)
{
    const table *t = &c->table[split];
    const mot_status status = mot_allocate(&out->text, t->rows, sizeof(char *), "the labels");
    if (status != MOT_OK) return status;
    out->decimal = c->numbers.decimal;
    for (size_t row = 0; row < t->rows; ++row) out->text[row] = table_cell(t, row, c->place[split][column]);
    return MOT_OK;
}

static mot_status read_targets(const csv *c, int split, float **out)
{
    const table *t = &c->table[split];
    const size_t first = c->numbers.count, targets = c->targets;
    mot_status status = mot_allocate(out, t->rows * targets, sizeof(float), "the targets");
    for (size_t row = 0; row < t->rows && status == MOT_OK; ++row)
        status = read_numbers(c, split, row, first, targets, *out + row * targets);
    return status;
}

/* ---- the importer ---- */

static mot_status read_tables(const mot_import_options *options, csv *c)
{
    mot_status status = MOT_OK;
    for (int s = 0; s < IMPORT_SPLITS; ++s) {
        table *t = &c->table[s];
        if (options->files[s] == NULL) continue;
        MOT_TRY(mot_table_read(options, options->files[s], false, t));
        MOT_TRY(mot_table_find_header(options, t));
        if (s == 0)
            mot_import_note(options, "%s: %zu columns with %s between them", t->path, t->columns,
                            mot_table_separator_name(t->separator));
        MOT_TRY(mot_table_match(options, &c->table[0], t, &c->place[s]));
    }
done:
    return status;
}

static mot_status find_format(const mot_import_options *options, csv *c)
{
    const mot_sample_format *run = options->as != NULL ? &options->as->format : NULL;
    const size_t of_run[] = {run != NULL ? run->channels : 0, run != NULL ? run->height : 0,
                             run != NULL ? run->width : 0};
    const size_t *shape = run != NULL ? of_run : options->shape, pixels = shape[0] * shape[1] * shape[2],
                 count = c->numbers.count;
    c->set.format = (mot_sample_format){
        .kind = MOT_SAMPLE_VECTOR, .element = MOT_ELEMENT_F32, .tokens = 1, .features = count};
    if (pixels == 0) return MOT_OK;
    if (pixels != count)
        return mot_fail(MOT_ERR_INPUT, "%s: %zu numbers a line do not fill the shape %zu x %zu x %zu",
                        c->table[0].path, count, shape[0], shape[1], shape[2]);
    c->set.format = (mot_sample_format){
        .kind = MOT_SAMPLE_PICTURE, .channels = shape[0], .height = shape[1], .width = shape[2]};
    return MOT_OK;
}

/* A column with a name that only counts the lines is rarely meant. */
static void note_counters(const mot_import_options *options, const csv *c)
{
    const table *t = &c->table[0];
    for (size_t k = 0; t->rows > 2 && k < c->numbers.count; ++k) {
        bool counts = true;
        const double first = value_of(c, 0, 0, k);
        for (size_t row = 0; counts && row < t->rows; ++row)
            counts = value_of(c, 0, row, k) == first + (double)row;
        if (counts && first >= 0 && first <= 1)
            mot_import_note(options, "%s: %s counts the lines: --ignore-columns %zu leaves it out", t->path,
                            mot_table_column(t, c->numbers.column[k]).text, c->numbers.column[k] + 1);
    }
}

static mot_status set_names(csv *c)
{
    const table *t = &c->table[0];
    const size_t count = c->numbers.count + c->targets;
    if (t->name == NULL) return MOT_OK;
    const mot_status status = mot_allocate(&c->names, count, sizeof(char *), "names of columns");
    if (status != MOT_OK) return status;
    for (size_t k = 0; k < count; ++k) c->names[k] = t->name[c->numbers.column[k]];
    if (c->set.format.kind == MOT_SAMPLE_VECTOR) c->set.column_names = (const char *const *)c->names;
    if (c->targets > 0) c->set.target_names = (const char *const *)c->names + c->numbers.count;
    return status;
}

static void free_csv(csv *c)
{
    mot_import_set_free(&c->set);
    for (int s = 0; s < IMPORT_SPLITS; ++s) {
        mot_free(c->set.part[s].label.text);
        mot_free(c->set.part[s].group.text);
        mot_free(c->place[s]);
        mot_table_free(&c->table[s]);
    }
    mot_free(c->names);
    mot_free(c->numbers.column);
    mot_free(c->ignored);
}

mot_status mot_import_csv(const mot_import_options *options)
{
    csv c = {.set = {.classes = 0}};
    csv_part parts[IMPORT_SPLITS];
    mot_status status = MOT_OK;
    MOT_TRY(read_tables(options, &c));
    MOT_TRY(find_columns(options, &c));
    MOT_TRY(find_format(options, &c));
    c.set.numbers = c.targets;
    c.numbers.targets = c.targets;
    MOT_TRY(mot_table_numbers_check(options, c.table, c.place, &c.numbers));
    if (options->as == NULL) note_counters(options, &c);
    MOT_TRY(set_names(&c));
    for (int s = 0; s < IMPORT_SPLITS; ++s) {
        const table *t = &c.table[s];
        if (t->rows == 0) continue;
        parts[s] = (csv_part){&c, s};
        c.set.part[s] = (import_part){.path = t->path,
                                      .samples = t->rows,
                                      .line = t->line,
                                      .context = &parts[s],
                                      .sample = c.set.format.kind == MOT_SAMPLE_PICTURE ? read_picture
                                                                                        : read_vector};
        if (c.label < c.table[0].columns) MOT_TRY(read_values(&c, s, c.label, &c.set.part[s].label));
        if (c.group < c.table[0].columns) MOT_TRY(read_values(&c, s, c.group, &c.set.part[s].group));
        if (c.targets > 0) MOT_TRY(read_targets(&c, s, &c.set.part[s].number));
    }
    MOT_TRY(mot_import_plan(options, &c.set));
    MOT_TRY(mot_import_write(options, &c.set));
done:
    free_csv(&c);
    return status;
}
