/* screen.h: the terminal that somebody looks at, if anybody does, and lines that fit it.
 *
 * mpirun hands its ranks a pseudo-terminal of its own, whatever its output is, which does not follow when a window is
 * resized; so the terminal is that of the first process above this one whose output is another. Nobody looks where that is
 * a file or a pipe, where TERM is not set or "dumb" (it cannot draw a line anew), or on a host without the mpirun.
 * Columns are those of the terminal's cells: none for a combining character, two for wide ones (UTF-8). Not collective. */
#ifndef MOT_SCREEN_H
#define MOT_SCREEN_H

#include <stdbool.h>
#include <stddef.h>

/* Looks for it. Whoever does not call this has none. After MPI_Init. */
void mot_screen_find(void);
bool mot_screen_is_there(void);
/* Whether a line is seen before it ends. Not below the launcher of Open MPI 5 (PRRTE 3.0.8): it passes on whole lines. */
bool mot_screen_shows_parts(void);

/* Columns for a table: those of the terminal as wide as it is now, but the last, behind which some terminals begin a line.
 * Where there is none, or it does not tell: those of COLUMNS in the environment, or of 80. */
int mot_screen_width(void);

/* Columns for a sentence: as many on a terminal, as many as it takes in a file. */
int mot_screen_room(void);

/* A piece of a line, with what separates it from the one before. Where the line does not fit the pieces of the least
 * weight are left out, then those of the next: all of one weight go together. */
enum { MOT_PIECE = 64 };
typedef struct mot_piece {
    int weight;
    char text[MOT_PIECE];
} mot_piece;

/* Puts those that fit `width` columns into `line`; what is left is cut, if need be. */
void mot_screen_join(char *line, size_t size, int width, size_t pieces, const mot_piece *piece);

/* A row of a table whose columns are pieces: `width` of them as printf takes it, negative for a text at its left end. */
typedef struct mot_screen_column {
    int weight, width;
} mot_screen_column;
enum { MOT_SCREEN_COLUMNS = 16 }; /* at most */
void mot_screen_row(char *line, size_t size, size_t columns, const mot_screen_column *column,
                    const char *const *text);

/* Puts `text` into `cell`, left in `width` columns (below size / 4): filled with blanks, or cut, with a '~' at its end.
 * Control characters become '?'. */
void mot_screen_cell(char *cell, size_t size, const char *text, int width);

/* The blank to break `text` at, so that `width` columns hold what is before it, unless that is a word which is longer.
 * NULL: it fits, or has no such blank. */
const char *mot_screen_break(const char *text, int width);

#endif
