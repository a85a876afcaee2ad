/* option.h: an option is a row of one table. The row drives the default, the reader of YAML and key=value,
 * the check of bounds, the resolved copy and the help.
 *
 * Every value goes through text: a YAML list becomes "[a,b]" first, so that file, command line and defaults
 * share one typed setter. Integers are never negative. Private to src/config. Not collective. */
#ifndef MOT_OPTION_H
#define MOT_OPTION_H

#include <stdio.h>

#include "mot/config.h"
#include "mot/kinds.h"

typedef enum mot_option_type {
    MOT_OPTION_TEXT,
    MOT_OPTION_CHOICE, /* index of a name in `choices`, or of a row of `kinds`; into an enum, an int or a bool */
    MOT_OPTION_INTEGER, /* into int, size_t, uint64_t or mot_gidx */
    MOT_OPTION_SPAN,    /* "400", "50%" or the row's word, into mot_span */
    MOT_OPTION_REAL,    /* into double */
    MOT_OPTION_BOOLEAN,
    MOT_OPTION_BYTES,     /* "256 MiB", into size_t */
    MOT_OPTION_DURATION,  /* "55m", into double: seconds; at most `high` of them */
    MOT_OPTION_REALS,     /* a number or a list of them, into an array of double */
    MOT_OPTION_TEXTS,     /* a text or a list of them without commas and brackets, as "a, b" */
    MOT_OPTION_PARTS,     /* list of parts, into mot_part_set */
    MOT_OPTION_PLACEMENT, /* "even" or "[[0,1],[2]]" */
    MOT_OPTION_UNTIL,     /* into mot_until */
} mot_option_type;

typedef struct mot_option {
    const char *key;       /* "model.width", "train.rate"; NULL: stands in stages only */
    const char *stage_key; /* its name in a stage, "rate"; NULL: no key of a stage */
    mot_option_type type;
    size_t offset,
        size; /* of the field: in mot_stage_config if there is a stage_key, otherwise in mot_config */
    const char *fallback; /* the default, as text */
    const char *inherits; /* the value "same" (then the default) means the value of this stage_key */
    uint64_t least, most; /* integer, bytes; text: length in bytes; parts: how many, and the parts allowed; texts:
                              how many; reals: how many; of a list that must not be empty the last fills what is left */
    double low, high;     /* real */
    bool below;           /* real: `high` itself is out of bounds */
    const char *word;     /* integer: this word means 0, which is out of bounds as a number; span: MOT_SPAN_AUTO;
                              real: MOT_RATE_AUTO */
    const char *const *choices; /* ends with NULL */
    const mot_kinds *kinds;     /* of a choice without `choices` */
    bool (*is_item)(const char *text); /* texts: whether it is one; NULL: any is */
    const char *items;                 /* texts: what they are */
    mot_key_role role;          /* unless it is given, the key is fixed */
    const char *unit, *help;
} mot_option;

typedef struct mot_option_section {
    const char *name, *help; /* name "": keys without a dot */
} mot_option_section;

enum {
    MOT_OPTION_LIMIT = 192,
    MOT_OPTION_REALS_LIMIT = 64,
    MOT_OPTION_KEY = 128,
    MOT_OPTION_VALUE = 4096,
    MOT_OPTION_NONE = -1,
    MOT_NO_STAGE = -1
};

extern const mot_option mot_options[];
extern const int mot_option_count;
extern const mot_option_section mot_option_sections[];
extern const int mot_option_section_count;

/* The name of a choice; NULL behind the last one. */
const char *mot_option_choice(const mot_option *option, size_t index);

/* ---- find: the row's number, or MOT_OPTION_NONE ---- */
int mot_option_find(const char *key);          /* "model.width" */
int mot_option_find_in_stage(const char *key); /* "rate" */
/* False for keys of the data source that is not chosen: they may not be given, and are not printed. */
bool mot_option_in_effect(const mot_option *option, const mot_config *config);
/* Whether keys begin with "path." (NULL path: none do). */
bool mot_option_is_section(const char *path);

/* ---- what is not known (option_hint.c) ---- */
/* A key or a value as other programs call it (foreign_names.c). */
typedef struct mot_foreign {
    const char *names; /* with blanks between them */
    const char *key;   /* ours: an option or a section; of a value, its choice; NULL: there is none, or a boolean */
    const char *value; /* of a value: ours */
    const char *note;  /* what to know of it, or why there is none */
} mot_foreign;
extern const mot_foreign mot_foreign_keys[], mot_foreign_values[];
extern const int mot_foreign_key_count, mot_foreign_value_count;

/* "closest is 'model.width'", "here it is 'train.rate'", "mot has none: ..." for an unknown key of a stage, or
 * MOT_NO_STAGE: where it stands otherwise, what it is called here, or the closest by edit distance. False where that is a
 * mere guess. */
bool mot_option_hint(const char *key, int stage, char *text, size_t size);
/* Adds "; closest is adamw" to a text, for what is not a value of the option, or nothing. */
void mot_option_value_hint(const mot_option *option, const char *value, char *text, size_t size);

/* ---- values; `base` is the mot_config or the mot_stage_config that holds the field ---- */
/* False when the text is not a value of this option; the field is then untouched. */
bool mot_option_set(const mot_option *option, void *base, const char *text);
/* layers.c: the list model.layers, as YAML that reads back to the same; nothing where there is none. */
void mot_layers_print(const mot_config *config, FILE *stream);
/* layers.c: as mot_config_changes, of that list; false: no memory. */
bool mot_layers_changes(const mot_config *before, const mot_config *now, mot_change_function *say, void *with);
bool mot_layers_list(const mot_config *config, mot_setting_function *say, void *with); /* as mot_config_list; false: no memory */
/* What mot_option_set would have taken: "an integer from 1 to 16384". */
void mot_option_expected(const mot_option *option, char *text, size_t size);
/* The field as YAML that reads back to the same bytes. */
void mot_option_print(const mot_option *option, const void *base, FILE *stream);
/* As in the resolved copy: a gate's value that equals the experts' is "same". */
void mot_option_print_resolved(const mot_option *option, const void *base, FILE *stream);
/* That as a text; false: no memory. */
bool mot_option_resolved(const mot_option *option, const void *base, char *text, size_t size);

/* ---- the grammars behind the types ---- */
bool mot_parse_integer(const char *text,
                       uint64_t *value);               /* "400", "1e3"; not "0x10", "010", "1_000", "-1" */
bool mot_parse_span(const char *text, mot_span *span); /* "400", "50%": above 0 and at most 100 */
bool mot_parse_real(const char *text, double *value); /* finite decimal; not "nan", "inf", "0x1p3", "1e999" */
/* "0.5" or "[0.5, 1.5]": up to `most` numbers. */
bool mot_parse_reals(const char *text, size_t most, double *value, size_t *count);
/* "a" or "[a, b c]", as "a" or "a, b c"; false also where that does not fit. */
bool mot_parse_texts(const char *text, size_t most, bool (*is_item)(const char *text), char *list, size_t size);
bool mot_parse_bytes(const char *text, uint64_t *value);     /* "256 MiB", "4096" */
bool mot_parse_duration(const char *text, double *seconds);  /* "55m", "1.5h", "90" */
bool mot_parse_parts(const char *text, mot_part_set *value); /* "[gate, head]"; no part twice */
bool mot_parse_placement(const char *text, char *canonical, size_t size);
bool mot_parse_until(const char *text, mot_until *until);
/* UTF-8 without control characters and line breaks. */
bool mot_parse_is_text(const char *text);
/* Fewest digits that read back to the same number. */
void mot_print_real(double value, char text[32]);
/* In the largest unit of which it is a whole number: "55m", "90s". */
void mot_print_duration(double seconds, char text[32]);

/* A readable stand-in for foreign text in a sentence: control characters as '?', cut with "..." when long. */
const char *mot_shown(const char *text, char shown[80]);

#endif
