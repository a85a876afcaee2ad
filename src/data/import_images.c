/* A folder of pictures, a folder a class. */
#include <string.h>

#include "dataset_private.h"
#include "image_folder.h"
#include "import.h"
#include "mot/memory.h"
#include "picture.h"

/* A picture in its final size, as planes. */
typedef struct image {
    unsigned char *plane; /* owned; NULL: it could not be read */
    size_t channels;
} image;

typedef struct images {
    image_list list;
    image *image; /* [list.count] */
    size_t height, width, channels;
    char **class_of[IMPORT_SPLITS]; /* of the readable ones, in their order; owned */
    image **part[IMPORT_SPLITS];    /* likewise */
    size_t count[IMPORT_SPLITS], unreadable;
    size_t resampled, recoloured; /* for a run: how many were made to be as its own */
    const char *first_resampled;
    import_set set;
} images;

typedef struct image_part {
    const images *from;
    image **image;
} image_part;

/* For a run: a picture is read when it is its turn. */
typedef struct image_stream {
    image_part part;
    images *into;
    const mot_import_options *options;
} image_stream;

/* ---- reading ---- */

static mot_status fit_size(const mot_import_options *options, images *x, const char *path, const picture *p)
{
    if (options->height > 0) {
        x->height = options->height;
        x->width = options->width;
    } else if (x->height == 0) {
        x->height = p->height;
        x->width = p->width;
    } else if (p->height != x->height || p->width != x->width) {
        return mot_fail(MOT_ERR_INPUT,
                        "%s: a picture of %zu x %zu, those before are %zu x %zu: --size HxW makes them alike",
                        path, p->height, p->width, x->height, x->width);
    }
    if (x->height * x->width > dataset_max_sample / 3)
        return mot_fail(MOT_ERR_INPUT, "%s: a picture of %zu x %zu is too large: --size HxW makes it smaller",
                        path, x->height, x->width);
    return MOT_OK;
}

static mot_status read_image(const mot_import_options *options, images *x, size_t index)
{
    const char *path = x->list.file[index].path;
    const int background = options->background == NULL                 ? -1
                           : strcmp(options->background, "white") == 0 ? 255
                                                                       : 0;
    image *to = &x->image[index];
    picture p = {0};
    mot_status status = mot_picture_read(path, &p);
    if (status == MOT_ERR_INPUT && options->skip_unreadable) {
        mot_import_note(options, "left out: %s", mot_error_message());
        ++x->unreadable;
        return MOT_OK;
    }
    if (status != MOT_OK) return status;
    if (!mot_picture_flatten(&p, background)) {
        status = mot_fail(MOT_ERR_INPUT,
                          "%s: parts of it are transparent: what lies behind them? (--background white, "
                          "--background black)",
                          path);
        goto done;
    }
    MOT_TRY(fit_size(options, x, path, &p));
    if ((p.height != x->height || p.width != x->width) && x->resampled++ == 0) x->first_resampled = path;
    MOT_TRY(mot_allocate(&to->plane, x->height * x->width, p.channels, "a picture"));
    MOT_TRY(mot_picture_resample(&p, x->height, x->width, to->plane));
    to->channels = p.channels;
done:
    mot_picture_free(&p);
    return status;
}

static mot_status read_images(const mot_import_options *options, images *x)
{
    mot_status status = MOT_OK;
    MOT_TRY(mot_allocate(&x->image, x->list.count, sizeof *x->image, "pictures"));
    for (size_t i = 0; i < x->list.count; ++i) MOT_TRY(read_image(options, x, i));
    if (x->list.others > 0)
        mot_import_note(
            options,
            "%zu files are no PNG or JPEG by their names or in no folder of a class, and are left out (%s)",
            x->list.others, x->list.other);
    if (x->unreadable > 0) mot_import_note(options, "%zu pictures could not be read", x->unreadable);
done:
    return status;
}

/* One channel where all are grey, three where all are in colour, or as told. */
static mot_status find_channels(const mot_import_options *options, images *x)
{
    size_t grey = 0, colour = 0;
    for (size_t i = 0; i < x->list.count; ++i) {
        grey += x->image[i].channels == 1;
        colour += x->image[i].channels == 3;
    }
    x->channels = options->color == MOT_COLOR_RGB || (options->color == MOT_COLOR_AUTO && grey == 0) ? 3 : 1;
    if (options->color != MOT_COLOR_AUTO || grey == 0 || colour == 0) return MOT_OK;
    return mot_fail(MOT_ERR_INPUT,
                    "%s: %zu pictures are grey and %zu in colour: shall all be one or the other? (--color "
                    "grey, --color rgb)",
                    options->files[0], grey, colour);
}

/* ---- samples ---- */

static mot_status read_sample(void *context, size_t index, void *out)
{
    const image_part *part = context;
    const image *from = part->image[index];
    const size_t plane = part->from->height * part->from->width, channels = part->from->channels;
    unsigned char *pixel = out;
    if (from->channels == channels) {
        memcpy(out, from->plane, plane * channels);
    } else if (channels == 3) {
        for (size_t c = 0; c < 3; ++c) memcpy(pixel + c * plane, from->plane, plane);
    } else { /* the eye's weights for red, green and blue (ITU-R BT.601) */
        const unsigned char *red = from->plane, *green = red + plane, *blue = green + plane;
        for (size_t i = 0; i < plane; ++i)
            pixel[i] = (unsigned char)((299u * red[i] + 587u * green[i] + 114u * blue[i] + 500) / 1000);
    }
    return MOT_OK;
}

/* ---- for a run ---- */

static mot_status read_next(void *context, size_t index, void *out)
{
    image_stream *stream = context;
    image *next = &stream->into->image[index];
    mot_status status = MOT_OK;
    MOT_TRY(read_image(stream->options, stream->into, index));
    stream->into->recoloured += next->channels != stream->into->channels;
    status = read_sample(&stream->part, index, out);
done:
    mot_free(next->plane);
    next->plane = NULL;
    return status;
}

static void note_changes(const mot_import_options *options, const images *x)
{
    if (x->resampled > 0)
        mot_import_note(options, "%s: pictures of another size than %zu x %zu are resampled: %zu, such as %s",
                        options->files[0], x->height, x->width, x->resampled, x->first_resampled);
    if (x->recoloured > 0)
        mot_import_note(options, "%s: %s: %zu", options->files[0],
                        x->channels == 1 ? "pictures in colour are taken as grey ones, as the run learned them"
                                         : "grey pictures are taken as ones in colour, as the run learned them",
                        x->recoloured);
    if (x->list.others > 0)
        mot_import_note(options,
                        "%s: files that are no PNG or JPEG by their names, and left out: %zu, such as %s",
                        options->files[0], x->list.others, x->list.other);
}

static mot_status copy_paths(const images *x, mot_import_paths *paths)
{
    char **path = NULL;
    if (paths == NULL) return MOT_OK;
    mot_status status = mot_allocate(&path, x->list.count, sizeof *path, "names of pictures");
    for (size_t i = 0; status == MOT_OK && i < x->list.count; ++i) path[i] = x->list.file[i].path;
    paths->count = x->list.count;
    if (status == MOT_OK) status = mot_dataset_names_copy(&paths->path, path, paths->count);
    mot_free(path);
    return status;
}

/* In the run's size and colours, one after another: memory does not grow with them. */
static mot_status import_for_run(const mot_import_options *options, images *x)
{
    const mot_sample_format *run = &options->as->format;
    mot_import_options sized = *options;
    image_stream stream = {{x, NULL}, x, &sized};
    mot_status status = MOT_OK;
    if (run->channels != 1 && run->channels != 3)
        return mot_fail(MOT_ERR_INPUT, "%s: the run learned pictures of %zu channels, expected 1 or 3",
                        options->files[0], run->channels);
    sized.height = run->height;
    sized.width = run->width;
    x->channels = run->channels;
    MOT_TRY(mot_image_folder_list_all(options->files[0], &x->list));
    MOT_TRY(mot_allocate(&x->image, x->list.count, sizeof *x->image, "pictures"));
    MOT_TRY(mot_allocate(&x->part[0], x->list.count, sizeof *x->part[0], "pictures"));
    for (size_t i = 0; i < x->list.count; ++i) x->part[0][i] = &x->image[i];
    stream.part.image = x->part[0];
    x->set.format = (mot_sample_format){
        .kind = MOT_SAMPLE_PICTURE, .channels = run->channels, .height = run->height, .width = run->width};
    x->set.part[0] = (import_part){
        .path = options->files[0], .samples = x->list.count, .context = &stream, .sample = read_next};
    MOT_TRY(mot_import_plan(options, &x->set));
    MOT_TRY(mot_import_write(options, &x->set));
    note_changes(options, x);
    status = copy_paths(x, options->paths);
done:
    return status;
}

/* ---- the importer ---- */

static mot_status make_parts(const mot_import_options *options, images *x, image_part *parts)
{
    mot_status status = MOT_OK;
    for (int s = 0; s < IMPORT_SPLITS; ++s) {
        MOT_TRY(mot_allocate(&x->part[s], x->list.count, sizeof *x->part[s], "pictures"));
        MOT_TRY(mot_allocate(&x->class_of[s], x->list.count, sizeof *x->class_of[s], "pictures"));
        for (size_t i = 0; i < x->list.count; ++i) {
            if (x->list.file[i].split != s || x->image[i].plane == NULL) continue;
            x->class_of[s][x->count[s]] = x->list.file[i].class_name;
            x->part[s][x->count[s]++] = &x->image[i];
        }
        parts[s] = (image_part){x, x->part[s]};
        x->set.part[s] = (import_part){.path = options->files[s] != NULL ? options->files[s]
                                                                         : options->files[0],
                                       .samples = x->count[s],
                                       .label = {.text = x->class_of[s]},
                                       .context = &parts[s],
                                       .sample = read_sample};
    }
    if (x->count[0] == 0) status = mot_fail(MOT_ERR_INPUT, "%s: no picture to train with", options->files[0]);
done:
    return status;
}

mot_status mot_import_images(const mot_import_options *options)
{
    images x = {.height = 0};
    image_part parts[IMPORT_SPLITS];
    mot_status status = MOT_OK;
    if (options->as != NULL) {
        status = import_for_run(options, &x);
        goto done;
    }
    for (int s = 0; s < IMPORT_SPLITS; ++s)
        if (options->files[s] != NULL) MOT_TRY(mot_image_folder_list(options->files[s], s, &x.list));
    MOT_TRY(read_images(options, &x));
    MOT_TRY(find_channels(options, &x));
    MOT_TRY(make_parts(options, &x, parts));
    x.set.format = (mot_sample_format){
        .kind = MOT_SAMPLE_PICTURE, .channels = x.channels, .height = x.height, .width = x.width};
    MOT_TRY(mot_import_plan(options, &x.set));
    MOT_TRY(mot_import_write(options, &x.set));
done:
    mot_import_set_free(&x.set);
    for (size_t i = 0; x.image != NULL && i < x.list.count; ++i) mot_free(x.image[i].plane);
    for (int s = 0; s < IMPORT_SPLITS; ++s) {
        mot_free(x.class_of[s]);
        mot_free(x.part[s]);
    }
    mot_free(x.image);
    mot_image_folder_free(&x.list);
    return status;
}
