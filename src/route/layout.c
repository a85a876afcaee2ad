#include "mot/layout.h"

#include <string.h>

#include "mot/memory.h"

static size_t members_here(const mot_nodes *nodes)
{
    return (size_t)mot_nodes_members(nodes, nodes->mine);
}

mot_status mot_layout_init(mot_layout *layout, const mot_nodes *nodes)
{
    mot_status status;
    const size_t ranks = (size_t)nodes->ranks, members = members_here(nodes), count = (size_t)nodes->count;
    *layout = (mot_layout){.nodes = nodes};
    MOT_TRY(mot_allocate(&layout->sent, members * ranks, sizeof(size_t), "a plan"));
    MOT_TRY(mot_allocate(&layout->received, members * ranks, sizeof(size_t), "a plan"));
    MOT_TRY(mot_allocate(&layout->home, count + 1, sizeof(size_t), "a plan"));
    MOT_TRY(mot_allocate(&layout->owner, count + 1, sizeof(size_t), "a plan"));
    MOT_TRY(mot_allocate(&layout->to_peer, ranks, sizeof(size_t), "a plan"));
    MOT_TRY(mot_allocate(&layout->of_peer, ranks, sizeof(size_t), "a plan"));

done:
    if (status != MOT_OK) mot_layout_free(layout);
    return status;
}

void mot_layout_free(mot_layout *layout)
{
    mot_free(layout->sent);
    mot_free(layout->received);
    mot_free(layout->home);
    mot_free(layout->owner);
    mot_free(layout->to_peer);
    mot_free(layout->of_peer);
    *layout = (mot_layout){0};
}

void mot_layout_clear(mot_layout *layout)
{
    const size_t bytes = members_here(layout->nodes) * (size_t)layout->nodes->ranks * sizeof(size_t);
    memset(layout->sent, 0, bytes);
    memset(layout->received, 0, bytes);
}

void mot_layout_settle(mot_layout *layout)
{
    const mot_nodes *nodes = layout->nodes;
    const int mine = nodes->mine, rank = nodes->rank, count = nodes->count;
    const size_t ranks = (size_t)nodes->ranks;
    size_t at = 0;
    for (int n = 0; n < count; ++n) {
        layout->home[n] = at;
        for (int h = nodes->first[mine]; h < nodes->first[mine + 1]; ++h) {
            const int home = nodes->member[h];
            const size_t *sent = layout->sent + (size_t)nodes->place[home] * ranks;
            for (int o = nodes->first[n]; o < nodes->first[n + 1]; ++o) {
                const int owner = nodes->member[o];
                if (home == rank) layout->to_peer[owner] = at;
                if (owner == rank) layout->of_peer[home] = at;
                at += sent[owner];
            }
        }
    }
    layout->home[count] = at;
    for (int n = 0; n < count; ++n) {
        layout->owner[n] = at;
        if (n == mine) continue;
        for (int h = nodes->first[n]; h < nodes->first[n + 1]; ++h) {
            const int home = nodes->member[h];
            for (int o = nodes->first[mine]; o < nodes->first[mine + 1]; ++o) {
                const int owner = nodes->member[o];
                if (owner == rank) layout->of_peer[home] = at;
                at += layout->received[(size_t)nodes->place[owner] * ranks + (size_t)home];
            }
        }
    }
    layout->owner[count] = at;
}
