/* summary.json: a flat object, of which numbers and texts are facts, and lists are left out. */
#include <stdlib.h>
#include <string.h>

#include "mot/atomic_file.h"
#include "mot/memory.h"
#include "report_private.h"

enum { MOST_BYTES = 16 << 20 };

const report_fact *mot_report_fact(const report_run *run, const char *key)
{
    for (size_t i = 0; i < run->facts; ++i)
        if (strcmp(run->fact[i].key, key) == 0) return &run->fact[i];
    return NULL;
}

static const char *skip_blanks(const char *at)
{
    return at + strspn(at, " \t\r\n,:");
}

/* Behind a string that begins at `at`; what mot writes has no escapes but those of one character. */
static const char *take_string(report_all *report, const char *at, const char **text)
{
    char *const made = (char *)mot_report_text(&report->pool, "%.*s", (int)strcspn(at + 1, "\n"), at + 1);
    size_t length = 0;
    for (++at; *at != '\0' && *at != '"'; ++at) {
        if (*at == '\\' && at[1] != '\0') ++at;
        if (made[0] != '\0') made[length++] = *at;
    }
    if (made[0] != '\0') made[length] = '\0';
    *text = made;
    return *at == '"' ? at + 1 : at;
}

static const char *skip_list(const char *at)
{
    int depth = 0;
    bool quoted = false;
    for (; *at != '\0'; ++at) {
        if (*at == '"') quoted = !quoted;
        if (quoted && *at == '\\' && at[1] != '\0') ++at;
        if (quoted) continue;
        depth += (*at == '[' || *at == '{') - (*at == ']' || *at == '}');
        if (depth == 0) return at + 1;
    }
    return at;
}

/* The value at `at`; false: a list, or null. */
static bool take_value(report_all *report, const char **at, report_fact *fact)
{
    char *end;
    if (**at == '"') {
        *at = take_string(report, *at, &fact->text);
        return true;
    }
    if (**at == '[' || **at == '{') {
        *at = skip_list(*at);
        return false;
    }
    fact->value = strtod(*at, &end);
    const bool number = end != *at;
    *at = number ? end : *at + strcspn(*at, ",}");
    return number;
}

mot_status mot_report_read_facts(report_all *report, report_run *run)
{
    char path[MOT_PATH], *bytes = NULL;
    size_t count, room = 0;
    report_fact *fact = NULL;
    mot_status status;
    MOT_TRY(mot_path_join(path, sizeof path, run->folder, "summary.json"));
    if (mot_file_read(path, MOST_BYTES, &bytes, &count) != MOT_OK) return MOT_OK; /* a run that has just begun */
    for (const char *at = strchr(bytes, '{') == NULL ? "" : skip_blanks(strchr(bytes, '{') + 1); *at == '"';) {
        report_fact one = {0};
        at = skip_blanks(take_string(report, at, &one.key));
        const bool known = take_value(report, &at, &one);
        at = skip_blanks(at);
        if (!known) continue;
        MOT_TRY(mot_reserve(&fact, &room, run->facts + 1, sizeof *fact, "a report"));
        fact[run->facts++] = one;
    }
    MOT_TRY(mot_report_take(&report->pool, &run->fact, run->facts, sizeof *run->fact));
    if (run->facts > 0) memcpy(run->fact, fact, run->facts * sizeof *fact);
done:
    mot_free(fact);
    mot_free(bytes);
    return status;
}
