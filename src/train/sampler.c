#include "mot/sampler.h"

#include "mot/order.h"
#include "mot/rng.h"

/* Orders of different stages, legs and pools have nothing to do with each other; d = 0 are those of order.c. */
static uint64_t order_seed(const mot_sampler *sampler, int leg, int pool)
{
    const mot_random4 random = mot_random(sampler->seed, MOT_STREAM_ORDER, (uint32_t)sampler->stage, (uint32_t)leg,
                                          (uint32_t)pool, 1);
    return (uint64_t)random.word[0] << 32 | random.word[1];
}

mot_gidx mot_sampler_index(const mot_sampler *sampler, mot_gidx position)
{
    const mot_gidx batch = (mot_gidx)sampler->batch, step = position / batch - sampler->first;
    size_t slot = (size_t)(position % batch);
    int l = 0;
    while (l + 1 < sampler->legs && step >= sampler->leg[l].end) ++l;
    const mot_leg *leg = &sampler->leg[l];
    const int p = slot >= leg->pool[0].of_batch;
    const mot_sample_pool *pool = &leg->pool[p];
    if (p == 1) slot -= leg->pool[0].of_batch;
    const mot_gidx of_leg = step - (l > 0 ? sampler->leg[l - 1].end : 0) + sampler->skipped;
    const mot_gidx draw = of_leg * (mot_gidx)pool->of_batch + (mot_gidx)slot;
    const mot_gidx place = sampler->shuffled ? mot_order_sample(order_seed(sampler, l, p), pool->count, draw)
                                             : draw % pool->count;
    return pool->index != NULL ? pool->index[place] : pool->first + place;
}
