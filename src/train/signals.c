#include <signal.h>

#include "run_private.h"

static const int caught[] = {SIGTERM, SIGINT, SIGUSR1, SIGUSR2};
static volatile sig_atomic_t asked;

static void ask(int signal)
{
    (void)signal;
    asked = 1;
}

void mot_signals_catch(void)
{
    struct sigaction action = {.sa_handler = ask, .sa_flags = SA_RESETHAND | SA_RESTART};
    sigemptyset(&action.sa_mask);
    asked = 0;
    for (size_t i = 0; i < MOT_COUNT(caught); ++i) sigaction(caught[i], &action, NULL);
}

bool mot_signals_asked(void)
{
    return asked != 0;
}
