/* The executable: finds out what the processor can do and runs the object (object.h) that was compiled for it. Itself
 * it is compiled for every processor, and does nothing else. An object is not another program to execute, so that
 * whoever runs this one, an emulator or a debugger, keeps it, and MPI may be up when ranks agree on a lower level. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mot/object.h"
#include "processor.h"

/* From the lowest. */
static const char *const levels[] = {MOT_LEVELS};
enum { LEVELS = sizeof levels / sizeof levels[0], WRONG = 2, FAILED = 1 };

/* NULL, and says so, where it cannot be loaded. */
static const mot_object *load(int level)
{
    enum { FOLDER = 4096 };
    char folder[FOLDER], path[FOLDER + 256];
    /* Not the loader's $ORIGIN: where a sanitizer stands before dlopen, that is the sanitizer's. */
    const ssize_t length = readlink("/proc/self/exe", folder, sizeof folder - 1);
    folder[length > 0 ? length : 0] = '\0';
    *(strrchr(folder, '/') != NULL ? strrchr(folder, '/') : folder) = '\0';
    snprintf(path, sizeof path, "%s/%s/mot-%s.so", folder, MOT_OBJECTS, levels[level]);
    void *const handle = dlopen(path, RTLD_NOW | RTLD_LOCAL); /* and never closed: libraries hold on to their callers */
    const mot_object *const object = handle != NULL ? dlsym(handle, MOT_OBJECT_SYMBOL) : NULL;
    if (object == NULL) fprintf(stderr, "mot: error: the installation is not complete: %s\n", dlerror());
    return object;
}

/* The highest level up to `level` that the processor can run, -1 without any; *object NULL where one is not there. */
static int highest(int level, mot_features processor, const mot_object **object)
{
    for (; level >= 0; --level) {
        *object = load(level);
        if (*object == NULL || ((*object)->features & ~processor) == 0) break;
    }
    return level;
}

/* Where `text` stands among the levels; the highest, and *mistake, where that cannot be said. */
static int wanted_level(const char *text, char *mistake, size_t size)
{
    if (text[0] == '\0') return LEVELS - 1;
    for (int level = 0; level < LEVELS; ++level)
        if (strcmp(text, levels[level]) == 0) return level;
    int length = snprintf(mistake, size, "MOT_LEVEL is '%.64s'", text);
    if (LEVELS == 1)
        snprintf(mistake + length, size - (size_t)length,
                 ", but this program has one level, %s: cmake -DMOT_NATIVE=OFF builds all", levels[0]);
    for (int level = 0; LEVELS > 1 && level < LEVELS; ++level)
        length += snprintf(mistake + length, size - (size_t)length, "%s%s", level == 0 ? ": expected " : ", ",
                           levels[level]);
    return LEVELS - 1;
}

static int refuse(const mot_object *lowest, mot_features processor)
{
    char names[256];
    processor_names(lowest->features & ~processor, names, sizeof names);
    fprintf(stderr,
            "mot: error: this program was compiled for a processor with %s, which this one lacks: cmake "
            "-DMOT_NATIVE=OFF builds one for all\n",
            names);
    return WRONG;
}

int main(int argc, char **argv)
{
    const mot_features processor = processor_features();
    const char *const asked = getenv("MOT_LEVEL") != NULL ? getenv("MOT_LEVEL") : "";
    const mot_object *object;
    char mistake[256] = "";
    const int wanted = wanted_level(asked, mistake, sizeof mistake);
    int level = highest(wanted, processor, &object);
    if (object != NULL && level < 0) return refuse(object, processor);
    if (object != NULL && level < wanted && asked[0] != '\0' && mistake[0] == '\0')
        snprintf(mistake, sizeof mistake, "MOT_LEVEL is %s, but this processor has %s at most", levels[wanted],
                 levels[level]);
    while (object != NULL) {
        mot_start start = {mistake[0] != '\0' ? mistake : NULL, level, -1};
        const int code = object->run(&start, argc, argv);
        if (start.next < 0) return code;
        level = start.next;
        object = load(level);
    }
    return FAILED;
}
