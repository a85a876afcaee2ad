/* Texts, a sample a line: label<TAB>group<TAB>text or label<TAB>text, or a table whose columns are told or have the usual
 * names. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "import.h"
#include "mot/memory.h"
#include "table.h"
#include "words.h"

enum { LABEL, GROUP, TEXT, ROLES };
static const char *const options_of[ROLES] = {"label-column", "group-column", "text-column"};

typedef struct texts {
    table table[IMPORT_SPLITS];
    size_t *place[IMPORT_SPLITS];
    size_t column[ROLES]; /* of the training table; `columns` for none */
    size_t length;        /* tokens; 0: not known yet */
    bool bytes;
    vocabulary words;
    char *copy; /* of a text that is cut into words, owned */
    size_t copy_capacity;
    import_set set;
} texts;

typedef struct text_part {
    texts *from;
    int split;
} text_part;

/* ---- header and columns ---- */

/* What a column of this role is usually called, in a header. */
static bool has_usual_name(const char *name, int role)
{
    static const char *const usual[ROLES][16] = {{"label", "labels", "class", "category", "target", "intent",
                                                  "sentiment", "topic", "language", "lang", "y"},
                                                 {"group", "domain", "superclass", "source"},
                                                 {"text", "sentence", "document", "content", "utterance",
                                                  "message", "review", "tweet", "question", "title", "x"}};
    for (size_t i = 0; i < MOT_COUNT(usual[role]) && usual[role][i] != NULL; ++i)
        if (strcasecmp(name, usual[role][i]) == 0) return true;
    return false;
}

/* The column of that role by its usual name in the first row; `columns`: none, or more than one. */
static size_t usual_column(const table *t, int role, char *const *names)
{
    size_t found = t->columns;
    for (size_t c = 0; c < t->columns; ++c) {
        if (!has_usual_name(names[c], role)) continue;
        if (found < t->columns) return t->columns;
        found = c;
    }
    return found;
}

/* Whether the first cell of a column stands nowhere else in it; and whether all others there (the first ones) do. */
static bool is_alone(const table *t, size_t column, bool *others_repeat)
{
    enum { MOST = 1000 };
    const char *first = table_cell(t, 0, column);
    *others_repeat = t->rows > 2;
    for (size_t row = 1; row < t->rows; ++row) {
        const char *cell = table_cell(t, row, column);
        if (strcmp(cell, first) == 0) return false;
        bool again = row >= MOST;
        for (size_t other = 1; other < MOT_MIN(t->rows, (size_t)MOST) && !again; ++other)
            again = other != row && strcmp(table_cell(t, other, column), cell) == 0;
        *others_repeat = *others_repeat && again;
    }
    return true;
}

/* A first row of the usual names is a header, unless its label is one of other lines as well. A label that only the first
 * line has may be either. */
static mot_status find_header(const mot_import_options *options, table *t)
{
    const bool named = usual_column(t, LABEL, t->cell) < t->columns &&
                       usual_column(t, TEXT, t->cell) < t->columns;
    const size_t column = named ? usual_column(t, LABEL, t->cell) : 0;
    bool repeat, header = options->header == MOT_ANSWER_YES;
    if (options->header == MOT_ANSWER_AUTO && t->rows > 1) {
        const bool alone = is_alone(t, column, &repeat);
        header = named && alone;
        if (!named && alone && repeat && t->columns <= ROLES)
            return mot_fail(
                MOT_ERR_INPUT,
                "%s: line %zu: '%.60s' is the label of no other line: does the line name the columns, or is "
                "it a sample? (--header yes, --header no)",
                t->path, t->line[0], table_cell(t, 0, 0));
        if (header) mot_import_note(options, "%s: line 1 names the columns", t->path);
    }
    if (header) mot_table_take_header(t);
    return t->rows > 0 ? MOT_OK : mot_fail(MOT_ERR_INPUT, "%s: no line of text", t->path);
}

static mot_status find_columns(const mot_import_options *options, texts *x)
{
    const table *t = &x->table[0];
    const char *const told[ROLES] = {options->label_column, options->group_column, options->text_column};
    const bool by_name = t->name != NULL && usual_column(t, LABEL, t->name) < t->columns &&
                         usual_column(t, TEXT, t->name) < t->columns;
    const bool any_told = told[LABEL] != NULL || told[TEXT] != NULL || told[GROUP] != NULL;
    mot_status status = MOT_OK;
    for (int role = 0; role < ROLES; ++role) {
        x->column[role] = t->columns;
        if (by_name) x->column[role] = usual_column(t, role, t->name);
        if (told[role] != NULL) MOT_TRY(mot_table_find_column(t, told[role], options_of[role], &x->column[role]));
    }
    if (!by_name && !any_told && (t->columns == 2 || t->columns == 3)) {
        x->column[LABEL] = 0;
        x->column[GROUP] = t->columns == 3 ? 1 : t->columns;
        x->column[TEXT] = t->columns - 1;
    } else if (!by_name && t->columns == 2 && told[GROUP] == NULL) { /* the other one */
        if (told[LABEL] == NULL) x->column[LABEL] = 1 - x->column[TEXT];
        if (told[TEXT] == NULL) x->column[TEXT] = 1 - x->column[LABEL];
    }
    if (x->column[LABEL] == t->columns || x->column[TEXT] == t->columns ||
        x->column[LABEL] == x->column[TEXT])
        status = mot_fail(
            MOT_ERR_INPUT,
            "%s: line %zu: expected label<TAB>group<TAB>text or label<TAB>text, and there are %zu columns: "
            "--label-column and --text-column say which is which",
            t->path, t->line[0], t->columns);
done:
    return status;
}

/* Texts in the place of labels: nearly every line has another one, and those of the other column repeat. */
static mot_status check_roles(const mot_import_options *options, const texts *x)
{
    const table *t = &x->table[0];
    if (options->label_column != NULL || t->rows < 8 || t->columns != 2) return MOT_OK;
    size_t distinct[2] = {0};
    const size_t rows = MOT_MIN(t->rows, (size_t)400);
    for (size_t c = 0; c < 2; ++c)
        for (size_t row = 0; row < rows; ++row) {
            bool before = false;
            for (size_t other = 0; other < row && !before; ++other)
                before = strcmp(table_cell(t, row, c), table_cell(t, other, c)) == 0;
            distinct[c] += !before;
        }
    const size_t label = x->column[LABEL], text = x->column[TEXT];
    if (distinct[label] * 10 < rows * 9 || distinct[text] * 4 > rows) return MOT_OK;
    return mot_fail(
        MOT_ERR_INPUT,
        "%s: column %zu has %zu different labels in %zu lines, and column %zu has %zu: which is the label? "
        "(--label-column %zu, --label-column %zu)",
        t->path, label + 1, distinct[label], rows, text + 1, distinct[text], label + 1, text + 1);
}

/* Whether a line has several cells, one of which has a usual name of texts. */
static bool names_texts(char *line, char separator)
{
    table_scan scan = {
        .at = line, .end = line + strlen(line), .separator = separator, .quotes = true, .next_line = 1};
    table_field field;
    size_t cells = 0;
    bool named = false, last = false;
    for (; !last && mot_table_scan_field(&scan, &field, &last); ++cells) {
        char name[24];
        snprintf(name, sizeof name, "%.*s", (int)MOT_MIN(field.length, sizeof name), field.at);
        named = named || has_usual_name(name, TEXT);
    }
    return cells > 1 && named;
}

/* For a run: a text a line; or a column of a table, which is told, or has a usual name in a header. */
static mot_status read_texts(const mot_import_options *options, texts *x)
{
    const bool table_told = options->text_column != NULL || options->separator != 0 ||
                            options->header == MOT_ANSWER_YES;
    mot_import_options lines = *options;
    table *t = &x->table[0];
    mot_status status = MOT_OK;
    if (!table_told) lines.separator = TABLE_LINES;
    MOT_TRY(mot_table_read(&lines, options->files[0], true, t));
    size_t content = 0; /* the first line with one */
    while (content + 1 < t->rows && table_cell(t, content, 0)[0] == '\0') ++content;
    char *first = table_cell(t, content, 0);
    if (!table_told &&
        (strchr(first, '\t') != NULL ||
         (options->header == MOT_ANSWER_AUTO && (names_texts(first, ',') || names_texts(first, ';'))))) {
        mot_table_free(t);
        MOT_TRY(mot_table_read(options, options->files[0], true, t));
    }
    const size_t usual = t->columns > 1 ? usual_column(t, TEXT, t->cell) : t->columns;
    if (options->header == MOT_ANSWER_YES || (options->header == MOT_ANSWER_AUTO && usual < t->columns)) {
        if (options->header == MOT_ANSWER_AUTO) mot_import_note(options, "%s: line 1 names the columns", t->path);
        mot_table_take_header(t);
    }
    x->column[LABEL] = x->column[GROUP] = t->columns;
    x->column[TEXT] = t->columns == 1 ? 0 : t->name != NULL ? usual : t->columns;
    if (options->text_column != NULL)
        MOT_TRY(mot_table_find_column(t, options->text_column, options_of[TEXT], &x->column[TEXT]));
    if (t->rows == 0 || x->column[TEXT] == t->columns) {
        status = t->rows == 0
                     ? mot_fail(MOT_ERR_INPUT, "%s: no line of text", t->path)
                     : mot_fail(MOT_ERR_INPUT,
                                "%s: line %zu has %zu columns, expected a text a line: which column has the "
                                "texts? (--text-column)",
                                t->path, t->line[0], t->columns);
        goto done;
    }
    MOT_TRY(mot_table_match(options, t, t, &x->place[0]));
done:
    return status;
}

static mot_status read_tables(const mot_import_options *options, texts *x)
{
    mot_status status = MOT_OK;
    if (options->as != NULL) return read_texts(options, x);
    for (int s = 0; s < IMPORT_SPLITS; ++s) {
        if (options->files[s] == NULL) continue;
        MOT_TRY(mot_table_read(options, options->files[s], true, &x->table[s]));
        MOT_TRY(find_header(options, &x->table[s]));
        MOT_TRY(mot_table_match(options, &x->table[0], &x->table[s], &x->place[s]));
    }
    MOT_TRY(find_columns(options, x));
    MOT_TRY(check_roles(options, x));
    if (x->table[0].separator != '\t')
        mot_import_note(options, "%s: columns have %s between them", x->table[0].path,
                        mot_table_separator_name(x->table[0].separator));
done:
    return status;
}

/* ---- samples ---- */

static char *cell_of(const texts *x, int split, size_t row, int role)
{
    return table_cell(&x->table[split], row, x->place[split][x->column[role]]);
}

static mot_status read_bytes(void *context, size_t row, void *out)
{
    const text_part *part = context;
    const texts *x = part->from;
    const char *text = cell_of(x, part->split, row, TEXT);
    memset(out, 0, x->length);
    memcpy(out, text, strnlen(text, x->length));
    return MOT_OK;
}

/* A text is copied before it is cut into words: it may be gone through twice. */
static mot_status read_words(void *context, size_t row, void *out)
{
    const text_part *part = context;
    texts *x = part->from;
    const char *text = cell_of(x, part->split, row, TEXT);
    int32_t *ids = out;
    char *word;
    const mot_status status = mot_reserve(&x->copy, &x->copy_capacity, strlen(text) + 1, 1, "a text");
    if (status != MOT_OK) return status;
    char *at = strcpy(x->copy, text);
    memset(ids, 0, x->length * sizeof *ids);
    for (size_t t = 0; t < x->length && (word = mot_words_next(&at)) != NULL; ++t)
        ids[t] = mot_vocabulary_id(&x->words, word);
    return MOT_OK;
}

static mot_status make_parts(const mot_import_options *options, texts *x, text_part *parts)
{
    mot_status status = MOT_OK;
    for (int s = 0; s < IMPORT_SPLITS; ++s) {
        const table *t = &x->table[s];
        if (t->rows == 0) continue;
        parts[s] = (text_part){x, s};
        import_part *part = &x->set.part[s];
        *part = (import_part){.path = options->files[s],
                              .samples = t->rows,
                              .line = t->line,
                              .context = &parts[s],
                              .sample = x->bytes ? read_bytes : read_words};
        if (options->as != NULL) continue;
        MOT_TRY(mot_allocate(&part->label.text, t->rows, sizeof(char *), "the labels"));
        for (size_t row = 0; row < t->rows; ++row) part->label.text[row] = cell_of(x, s, row, LABEL);
        if (x->column[GROUP] == x->table[0].columns) continue;
        MOT_TRY(mot_allocate(&part->group.text, t->rows, sizeof(char *), "the groups"));
        for (size_t row = 0; row < t->rows; ++row) part->group.text[row] = cell_of(x, s, row, GROUP);
    }
done:
    return status;
}

/* ---- length ---- */

enum { MOST_WORDS = 64, MOST_BYTES = 512 }; /* when no length is given: every token costs each sample of the set */

static mot_status count_tokens(texts *x, int split, size_t row, size_t *count)
{
    const char *text = cell_of(x, split, row, TEXT);
    *count = strlen(text);
    if (x->bytes) return MOT_OK;
    const mot_status status = mot_reserve(&x->copy, &x->copy_capacity, *count + 1, 1, "a text");
    if (status != MOT_OK) return status;
    char *at = strcpy(x->copy, text);
    for (*count = 0; mot_words_next(&at) != NULL;) ++*count;
    return MOT_OK;
}

/* Where none is given, as many tokens as the longest text has, up to a bound. What is cut is said. */
static mot_status find_length(const mot_import_options *options, texts *x)
{
    const size_t most = x->bytes ? MOST_BYTES : MOST_WORDS;
    size_t longest = 1, samples = 0, cut = 0, count;
    mot_status status = MOT_OK;
    for (int s = 0; s < IMPORT_SPLITS; ++s)
        for (size_t row = 0; row < x->table[s].rows; ++row) {
            MOT_TRY(count_tokens(x, s, row, &count));
            longest = MOT_MAX(longest, count);
            cut += count > (x->length > 0 ? x->length : most);
            ++samples;
        }
    if (x->length == 0) x->length = MOT_MIN(longest, most);
    if (cut > 0 && options->as != NULL)
        mot_import_note(
            options,
            "%zu of %zu texts are longer than the %zu %s that the run reads: the rest of them is left out", cut,
            samples, x->length, x->bytes ? "bytes" : "words");
    else if (cut > 0 && longest <= MOT_IMPORT_MOST_TOKENS)
        mot_import_note(options,
                        "%zu of %zu texts are longer than %zu %s and are cut: --length %zu keeps all of them",
                        cut, samples, x->length, x->bytes ? "bytes" : "words", longest);
    else if (cut > 0)
        mot_import_note(options, "%zu of %zu texts are longer than %zu %s and are cut; the longest has %zu, of which at most --length %d stay",
                        cut, samples, x->length, x->bytes ? "bytes" : "words", longest, MOT_IMPORT_MOST_TOKENS);
done:
    return status;
}

/* Of the texts that train. */
static mot_status make_vocabulary(const mot_import_options *options, texts *x)
{
    size_t bytes = 0;
    mot_status status = MOT_OK;
    for (size_t row = 0; row < x->table[0].rows; ++row) bytes += strlen(cell_of(x, 0, row, TEXT)) + 1;
    MOT_TRY(mot_vocabulary_open(&x->words, bytes));
    for (size_t row = 0; row < x->table[0].rows; ++row)
        if (import_trains(&x->set, row)) MOT_TRY(mot_vocabulary_add(&x->words, cell_of(x, 0, row, TEXT)));
    const size_t usual = options->as != NULL ? 1 : 3;
    const size_t least = options->min_count > 0 ? options->min_count : usual;
    MOT_TRY(mot_vocabulary_close(&x->words, least));
    if (x->words.count == 2 && options->as == NULL)
        mot_import_note(options, "no word occurs %zu times in train: all words are unknown (--min-count)", least);
    x->set.format.reading.min_count = least;
    x->set.format.element = MOT_ELEMENT_I32;
    x->set.format.vocabulary = x->words.count;
    x->set.vocabulary_count = x->words.count;
    x->set.vocabulary = (const char *const *)x->words.word;
done:
    return status;
}

mot_status mot_import_text(const mot_import_options *options)
{
    const mot_schema *run = options->as;
    const bool bytes = run != NULL ? run->vocabulary == NULL : options->bytes;
    texts x = {.bytes = bytes, .length = run != NULL ? run->format.tokens : options->length};
    text_part parts[IMPORT_SPLITS];
    mot_status status = MOT_OK;
    MOT_TRY(read_tables(options, &x));
    MOT_TRY(make_parts(options, &x, parts));
    MOT_TRY(find_length(options, &x));
    x.set.format = (mot_sample_format){.kind = MOT_SAMPLE_TEXT, .tokens = x.length, .vocabulary = 256};
    MOT_TRY(mot_import_plan(options, &x.set));
    if (!x.bytes) MOT_TRY(make_vocabulary(options, &x));
    MOT_TRY(mot_import_write(options, &x.set));
done:
    mot_import_set_free(&x.set);
    for (int s = 0; s < IMPORT_SPLITS; ++s) {
        mot_free(x.set.part[s].label.text);
        mot_free(x.set.part[s].group.text);
        mot_free(x.place[s]);
        mot_table_free(&x.table[s]);
    }
    mot_vocabulary_free(&x.words);
    mot_free(x.copy);
    return status;
}
