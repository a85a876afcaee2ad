#include "mot/roll_call.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mot/memory.h"
#include "thread.h"

/* Where a rank is asked. Some address of a host may lead nowhere from another one, or to that one itself (a bridge for
 * containers has the same on each host): all are tried, and a message says whom it is for. */
enum { MOST_ADDRESSES = 4 };
typedef struct door {
    int addresses; /* 0: none */
    in_port_t port;
    struct in_addr address[MOST_ADDRESSES];
} door;

/* Ranks are of one program and one kind of machine, as everywhere. */
typedef struct message {
    uint64_t job; /* a number that nobody else knows */
    int32_t from, to;
    uint32_t question; /* its number; an answer repeats it */
    int32_t is_answer;
    int32_t whom;
    char phase[24], part[44]; /* no gaps: all of it is sent */
    int64_t step;
    uint64_t progress;
} message;

typedef struct member {
    bool heard, moving;
    message last;
} member;

struct mot_roll_call {
    uint64_t job;
    int rank, ranks, socket, stop; /* stop: an eventfd that ends the thread */
    door *door;                    /* [ranks] */
    bool listening;
    pthread_t thread;
    pthread_mutex_t lock;              /* on what follows */
    member *member;                    /* [ranks] */
    uint32_t question, first_question; /* the last; the first one whose answers count */
    uint64_t moves;
};

/* ---- the thread ---- */

static void answer(const mot_roll_call *roll, const message *asked, const struct sockaddr_in *asker)
{
    const mot_watch_place place = mot_watch_look();
    message mine = {
        .job = roll->job,
        .from = roll->rank,
        .to = asked->from,
        .question = asked->question,
        .is_answer = true,
        .whom = place.whom,
        .step = place.step,
        .progress = place.progress,
    };
    snprintf(mine.phase, sizeof mine.phase, "%s", place.phase != NULL ? place.phase : "");
    snprintf(mine.part, sizeof mine.part, "%s", place.part != NULL ? place.part : "");
    (void)sendto(roll->socket, &mine, sizeof mine, MSG_DONTWAIT, (const struct sockaddr *)asker,
                 sizeof *asker); /* lost: it is asked again */
}

static void note(mot_roll_call *roll, const message *said)
{
    pthread_mutex_lock(&roll->lock);
    member *const who = &roll->member[said->from];
    /* What answers an older question, or came by another address as well, says nothing new. */
    const uint32_t oldest = who->heard ? who->last.question + 1 : roll->first_question;
    if (said->question >= oldest && said->question <= roll->question) {
        who->moving = who->heard && said->progress != who->last.progress;
        if (who->moving) ++roll->moves;
        who->heard = true;
        who->last = *said;
        who->last.phase[sizeof said->phase - 1] = who->last.part[sizeof said->part - 1] = '\0';
    }
    pthread_mutex_unlock(&roll->lock);
}

static void receive(mot_roll_call *roll)
{
    message said;
    struct sockaddr_in sender;
    socklen_t length = sizeof sender;
    const ssize_t got = recvfrom(roll->socket, &said, sizeof said, MSG_DONTWAIT | MSG_TRUNC,
                                 (struct sockaddr *)&sender, &length);
    if (got != (ssize_t)sizeof said || said.job != roll->job || said.to != roll->rank) return;
    if (said.from < 0 || said.from >= roll->ranks || said.from == roll->rank) return;
    if (said.is_answer)
        note(roll, &said);
    else
        answer(roll, &said, &sender);
}

static void *live(void *context)
{
    mot_roll_call *roll = context;
    struct pollfd ready[] = {{.fd = roll->stop, .events = POLLIN}, {.fd = roll->socket, .events = POLLIN}};
    for (;;) {
        if (poll(ready, MOT_COUNT(ready), -1) < 0) continue; /* EINTR */
        if (ready[0].revents != 0) return NULL;
        receive(roll);
    }
}

/* ---- the socket ---- */

static void find_addresses(door *mine)
{
    struct ifaddrs *all = NULL;
    struct in_addr loopback = {0};
    if (getifaddrs(&all) != 0) return;
    for (const struct ifaddrs *one = all; one != NULL; one = one->ifa_next) {
        if (one->ifa_addr == NULL || one->ifa_addr->sa_family != AF_INET || !(one->ifa_flags & IFF_UP))
            continue;
        struct sockaddr_in address;
        memcpy(&address, one->ifa_addr, sizeof address);
        if (one->ifa_flags & IFF_LOOPBACK)
            loopback = address.sin_addr;
        else if (mine->addresses < MOST_ADDRESSES)
            mine->address[mine->addresses++] = address.sin_addr;
    }
    freeifaddrs(all);
    if (mine->addresses == 0 && loopback.s_addr != 0) mine->address[mine->addresses++] = loopback;
}

/* *mine stays without an address where there is no socket. */
static void open_socket(mot_roll_call *roll, door *mine)
{
    struct sockaddr_in any = {.sin_family = AF_INET};
    socklen_t length = sizeof any;
    pthread_mutex_init(&roll->lock, NULL);
    roll->socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    roll->stop = eventfd(0, EFD_CLOEXEC);
    if (roll->socket < 0 || roll->stop < 0) return;
    if (bind(roll->socket, (const struct sockaddr *)&any, sizeof any) != 0) return;
    if (getsockname(roll->socket, (struct sockaddr *)&any, &length) != 0) return;
    mine->port = any.sin_port;
    find_addresses(mine);
}

static mot_status start(mot_roll_call *roll)
{
    const int error = mot_thread_start(&roll->thread, live, roll);
    roll->listening = error == 0;
    if (error != 0) return mot_fail(MOT_ERR_MEMORY, "cannot start a thread: %s", strerror(error));
    return MOT_OK;
}

mot_status mot_roll_call_create(mot_roll_call **result, const mot_comm *comm)
{
    mot_status status;
    mot_roll_call *roll = NULL;
    door mine = {0};
    *result = NULL;
    if (comm->size == 1) return MOT_OK;
    status = mot_allocate(&roll, 1, sizeof *roll, "a roll call");
    if (status == MOT_OK) open_socket(roll, &mine);
    MOT_TRY(mot_comm_agree(comm, status));
    roll->rank = comm->rank;
    roll->ranks = comm->size;
    status = mot_allocate(&roll->door, (size_t)comm->size, sizeof *roll->door, "addresses of ranks");
    if (status == MOT_OK)
        status = mot_allocate(&roll->member, (size_t)comm->size, sizeof *roll->member, "answers of ranks");
    bool silent = mine.addresses == 0 ||
                  getrandom(&roll->job, sizeof roll->job, GRND_NONBLOCK) != (ssize_t)sizeof roll->job;
    MOT_TRY(mot_comm_agree_any(comm, status, &silent));
    if (silent) goto done;
    mot_comm_bcast(comm, &roll->job, sizeof roll->job, MOT_ROOT);
    MPI_Allgather(&mine, sizeof mine, MPI_BYTE, roll->door, sizeof mine, MPI_BYTE, comm->mpi);
    MOT_TRY(mot_comm_agree(comm, start(roll)));
    *result = roll;
    roll = NULL;
done:
    mot_roll_call_destroy(&roll);
    return status;
}

void mot_roll_call_destroy(mot_roll_call **handle)
{
    mot_roll_call *roll = *handle;
    *handle = NULL;
    if (roll == NULL) return;
    if (roll->listening) {
        (void)eventfd_write(roll->stop, 1);
        pthread_join(roll->thread, NULL);
    }
    if (roll->socket >= 0) close(roll->socket);
    if (roll->stop >= 0) close(roll->stop);
    pthread_mutex_destroy(&roll->lock);
    mot_free(roll->member);
    mot_free(roll->door);
    mot_free(roll);
}

/* ---- asking ---- */

void mot_roll_call_ask(mot_roll_call *roll, bool anew)
{
    if (roll == NULL) return;
    message question = {.job = roll->job, .from = roll->rank};
    pthread_mutex_lock(&roll->lock);
    question.question = ++roll->question;
    if (anew) roll->first_question = question.question;
    for (int r = 0; anew && r < roll->ranks; ++r) roll->member[r].heard = false;
    pthread_mutex_unlock(&roll->lock);
    for (int r = 0; r < roll->ranks; ++r) {
        if (r == roll->rank) continue;
        question.to = r;
        for (int a = 0; a < roll->door[r].addresses; ++a) {
            const struct sockaddr_in there = {
                .sin_family = AF_INET,
                .sin_port = roll->door[r].port,
                .sin_addr = roll->door[r].address[a],
            };
            (void)sendto(roll->socket, &question, sizeof question, MSG_DONTWAIT,
                         (const struct sockaddr *)&there, sizeof there); /* lost: it is asked again */
        }
    }
}

mot_roll_answer mot_roll_call_look(mot_roll_call *roll, int rank)
{
    mot_roll_answer answer = {.whom = MOT_WATCH_NOBODY};
    if (roll == NULL || rank == roll->rank) return answer;
    pthread_mutex_lock(&roll->lock);
    const member *const who = &roll->member[rank];
    if (who->heard && roll->question - who->last.question < 2) {
        answer.answered = true;
        answer.moving = who->moving;
        answer.step = who->last.step;
        answer.whom = who->last.whom;
        memcpy(answer.phase, who->last.phase, sizeof answer.phase);
        memcpy(answer.part, who->last.part, sizeof answer.part);
    }
    pthread_mutex_unlock(&roll->lock);
    return answer;
}

uint64_t mot_roll_call_moves(mot_roll_call *roll)
{
    if (roll == NULL) return 0;
    pthread_mutex_lock(&roll->lock);
    const uint64_t moves = roll->moves;
    pthread_mutex_unlock(&roll->lock);
    return moves;
}
