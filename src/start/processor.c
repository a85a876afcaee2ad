#include "processor.h"

#include <stdio.h>

#if defined(__x86_64__)

#include <cpuid.h>

enum { LEAF_1_ECX, LEAF_7_EBX, LEAF_7_ECX, LEAF_7_EDX, LEAF_7_1_EAX, LEAF_7_1_EDX, LEAF_EXTENDED_ECX, WORDS };

/* Bits of XCR0: the registers that the operating system keeps for a program. */
enum { XMM = 0, YMM = 0x6, ZMM = 0xe6, APX = 1 << 19 };

static uint64_t kept_registers(void)
{
    unsigned a, b, c, d, low, high;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c >> 27 & 1)) return 0; /* OSXSAVE: it may be asked */
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}

static void ask(unsigned word[WORDS])
{
    unsigned a, b, c, d;
    if (__get_cpuid(1, &a, &b, &c, &d)) word[LEAF_1_ECX] = c;
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d)) {
        word[LEAF_7_EBX] = b;
        word[LEAF_7_ECX] = c;
        word[LEAF_7_EDX] = d;
        if (a >= 1 && __get_cpuid_count(7, 1, &a, &b, &c, &d)) {
            word[LEAF_7_1_EAX] = a;
            word[LEAF_7_1_EDX] = d;
        }
    }
    if (__get_cpuid(0x80000001, &a, &b, &c, &d)) word[LEAF_EXTENDED_ECX] = c;
}

mot_features processor_features(void)
{
#define FEATURE(name, macro, leaf, bit, kept) {leaf, bit, kept},
    static const struct feature {
        int word, bit;
        uint64_t kept;
    } feature[] = {MOT_FEATURES(FEATURE)};
    const uint64_t kept = kept_registers();
    unsigned word[WORDS] = {0};
    mot_features features = 0;
    ask(word);
    for (int i = 0; i < MOT_FEATURE_COUNT; ++i)
        if (word[feature[i].word] >> feature[i].bit & 1 && (feature[i].kept & ~kept) == 0)
            features |= (mot_features)1 << i;
    return features;
}

#else

mot_features processor_features(void)
{
    return MOT_FEATURES_COMPILED;
}

#endif

void processor_names(mot_features features, char *text, int size)
{
#define NAME(name, macro, leaf, bit, kept) #name,
    static const char *const names[] = {MOT_FEATURES(NAME)};
    int at = 0;
    text[0] = '\0';
    for (int i = 0; i < MOT_FEATURE_COUNT && at < size; ++i)
        if (features >> i & 1) at += snprintf(text + at, (size_t)(size - at), "%s%s", at > 0 ? " " : "", names[i]);
}
