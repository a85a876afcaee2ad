#include "mot/kinds.h"

#include <string.h>

int mot_kinds_find(const mot_kinds *kinds, const char *name)
{
    for (int i = 0; kinds->row[i] != NULL; ++i)
        if (strcmp(kinds->row[i]->name, name) == 0) return i;
    return MOT_NO_KIND;
}

mot_status mot_kinds_add(mot_kinds *kinds, const mot_kind *kind)
{
    int rows = 0;
    while (kinds->row[rows] != NULL) ++rows;
    if (rows == MOT_MOST_KINDS)
        return mot_fail(MOT_ERR_INPUT, "no room for the kind '%s' behind %d others", kind->name, rows);
    if (mot_kinds_find(kinds, kind->name) != MOT_NO_KIND)
        return mot_fail(MOT_ERR_INPUT, "there is a kind '%s' already", kind->name);
    kinds->row[rows] = kind;
    return MOT_OK;
}
