#include <signal.h>

#include "run_private.h"

static const int caught[] = {SIGTERM, SIGINT, SIGUSR1, SIGUSR2};
static volatile sig_atomic_t asked;
static double asked_s;

/* One wish may come as several signals: mpirun passes on what Slurm sent to every process of the job already. */
static const double burst_s = 0.5;

static void ask(int signal)
{
    const double now = mot_clock_s();
    if (!asked) {
        asked_s = now;
        asked = 1;
    } else if (now - asked_s > burst_s) {
        struct sigaction action = {.sa_handler = SIG_DFL};
        sigemptyset(&action.sa_mask);
        sigaction(signal, &action, NULL);
        raise(signal);
    }
}

void mot_signals_catch(void)
{
    struct sigaction action = {.sa_handler = ask, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    /* One at a time: their handler shares its time. */
    for (size_t i = 0; i < MOT_COUNT(caught); ++i) sigaddset(&action.sa_mask, caught[i]);
    for (size_t i = 0; i < MOT_COUNT(caught); ++i) sigaction(caught[i], &action, NULL);
}

bool mot_signals_asked(void)
{
    return asked != 0;
}
