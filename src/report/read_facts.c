/* summary.json: a flat object, of which numbers and texts are facts, and lists are left out. */
#include <math.h>
#include <string.h>

#include "mot/memory.h"
#include "mot/record.h"
#include "report_private.h"

const report_fact *mot_report_fact(const report_run *run, const char *key)
{
    for (size_t i = 0; i < run->facts; ++i)
        if (strcmp(run->fact[i].key, key) == 0) return &run->fact[i];
    return NULL;
}

typedef struct reading {
    report_all *report;
    report_fact *fact; /* owned */
    size_t count, room;
} reading;

/* What mot writes has no escapes but those of one character. */
static const char *take_text(report_all *report, const char *from, size_t count)
{
    char *const made = (char *)mot_report_text(&report->pool, "%.*s", (int)count, from);
    size_t length = 0;
    for (const char *at = made; *at != '\0'; ++at) {
        if (*at == '\\' && at[1] != '\0') ++at;
        made[length++] = *at;
    }
    if (length > 0) made[length] = '\0';
    return made;
}

static mot_status take_fact(void *with, const mot_json_member *member)
{
    reading *all = with;
    const report_fact fact = {take_text(all->report, member->key, member->key_length),
                              member->text != NULL ? take_text(all->report, member->text, member->text_length) : NULL, member->number};
    mot_status status = MOT_OK;
    if (member->text == NULL && isnan(member->number)) return MOT_OK;
    MOT_TRY(mot_reserve(&all->fact, &all->room, all->count + 1, sizeof *all->fact, "a report"));
    all->fact[all->count++] = fact;
done:
    return status;
}

mot_status mot_report_read_facts(report_all *report, report_run *run)
{
    reading all = {.report = report};
    char *text = NULL;
    bool done;
    mot_status status;
    MOT_TRY(mot_summary_read(run->folder, &text, &done));
    if (text == NULL) return MOT_OK; /* a run that has just begun */
    MOT_TRY(mot_json_members(text, take_fact, &all));
    MOT_TRY(mot_report_take(&report->pool, &run->fact, all.count, sizeof *run->fact));
    if (all.count > 0) memcpy(run->fact, all.fact, all.count * sizeof *all.fact);
    run->facts = all.count;
done:
    mot_free(all.fact);
    mot_free(text);
    return status;
}
