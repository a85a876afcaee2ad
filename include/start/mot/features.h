/* features.h: what processors of the x86-64 kind may have or lack, as far as compilers make use of it unasked.
 *
 * A set of features is one number. Which ones a source was compiled for is known at compile time, which ones the
 * processor has and the operating system keeps registers for, at run time (processor.h). On another architecture both
 * are empty. */
#ifndef MOT_FEATURES_H
#define MOT_FEATURES_H

#include <stdint.h>

typedef uint64_t mot_features;

/* X(name, the compiler's macro, register of CPUID, bit, registers that the operating system must keep) */
#define MOT_FEATURES(X)                                                                                      \
    X(sse3, __SSE3__, LEAF_1_ECX, 0, XMM)                                                                    \
    X(ssse3, __SSSE3__, LEAF_1_ECX, 9, XMM)                                                                  \
    X(fma, __FMA__, LEAF_1_ECX, 12, YMM)                                                                     \
    X(cmpxchg16b, __GCC_HAVE_SYNC_COMPARE_AND_SWAP_16, LEAF_1_ECX, 13, XMM)                                  \
    X(sse4_1, __SSE4_1__, LEAF_1_ECX, 19, XMM)                                                               \
    X(sse4_2, __SSE4_2__, LEAF_1_ECX, 20, XMM)                                                               \
    X(movbe, __MOVBE__, LEAF_1_ECX, 22, XMM)                                                                 \
    X(popcnt, __POPCNT__, LEAF_1_ECX, 23, XMM)                                                               \
    X(avx, __AVX__, LEAF_1_ECX, 28, YMM)                                                                     \
    X(f16c, __F16C__, LEAF_1_ECX, 29, YMM)                                                                   \
    X(bmi1, __BMI__, LEAF_7_EBX, 3, XMM)                                                                     \
    X(avx2, __AVX2__, LEAF_7_EBX, 5, YMM)                                                                    \
    X(bmi2, __BMI2__, LEAF_7_EBX, 8, XMM)                                                                    \
    X(avx512f, __AVX512F__, LEAF_7_EBX, 16, ZMM)                                                             \
    X(avx512dq, __AVX512DQ__, LEAF_7_EBX, 17, ZMM)                                                           \
    X(adx, __ADX__, LEAF_7_EBX, 19, XMM)                                                                     \
    X(avx512ifma, __AVX512IFMA__, LEAF_7_EBX, 21, ZMM)                                                       \
    X(avx512cd, __AVX512CD__, LEAF_7_EBX, 28, ZMM)                                                           \
    X(avx512bw, __AVX512BW__, LEAF_7_EBX, 30, ZMM)                                                           \
    X(avx512vl, __AVX512VL__, LEAF_7_EBX, 31, ZMM)                                                           \
    X(avx512vbmi, __AVX512VBMI__, LEAF_7_ECX, 1, ZMM)                                                        \
    X(avx512vbmi2, __AVX512VBMI2__, LEAF_7_ECX, 6, ZMM)                                                      \
    X(gfni, __GFNI__, LEAF_7_ECX, 8, XMM)                                                                    \
    X(avx512vnni, __AVX512VNNI__, LEAF_7_ECX, 11, ZMM)                                                       \
    X(avx512bitalg, __AVX512BITALG__, LEAF_7_ECX, 12, ZMM)                                                   \
    X(avx512vpopcntdq, __AVX512VPOPCNTDQ__, LEAF_7_ECX, 14, ZMM)                                             \
    X(avx512fp16, __AVX512FP16__, LEAF_7_EDX, 23, ZMM)                                                       \
    X(avxvnni, __AVXVNNI__, LEAF_7_1_EAX, 4, YMM)                                                            \
    X(avx512bf16, __AVX512BF16__, LEAF_7_1_EAX, 5, ZMM)                                                      \
    X(avxifma, __AVXIFMA__, LEAF_7_1_EAX, 23, YMM)                                                           \
    X(avxvnniint8, __AVXVNNIINT8__, LEAF_7_1_EDX, 4, YMM)                                                    \
    X(avxneconvert, __AVXNECONVERT__, LEAF_7_1_EDX, 5, YMM)                                                  \
    X(avxvnniint16, __AVXVNNIINT16__, LEAF_7_1_EDX, 10, YMM)                                                 \
    X(avx10_1, __AVX10_1__, LEAF_7_1_EDX, 19, ZMM)                                                           \
    X(apxf, __APX_F__, LEAF_7_1_EDX, 21, APX)                                                                \
    X(lahf, __LAHF_SAHF__, LEAF_EXTENDED_ECX, 0, XMM)                                                        \
    X(lzcnt, __LZCNT__, LEAF_EXTENDED_ECX, 5, XMM)                                                           \
    X(sse4a, __SSE4A__, LEAF_EXTENDED_ECX, 6, XMM)                                                           \
    X(xop, __XOP__, LEAF_EXTENDED_ECX, 11, YMM)                                                              \
    X(fma4, __FMA4__, LEAF_EXTENDED_ECX, 16, YMM)                                                            \
    X(tbm, __TBM__, LEAF_EXTENDED_ECX, 21, XMM)

#define MOT_FEATURE_NUMBER(name, macro, leaf, bit, kept) MOT_FEATURE_##name,
enum { MOT_FEATURES(MOT_FEATURE_NUMBER) MOT_FEATURE_COUNT };

/* The features that this source is compiled for: a macro that is defined has become a number, which is its text. */
#define MOT_FEATURE_TEXT(macro)                            #macro
#define MOT_FEATURE_COMPILED(name, macro, leaf, bit, kept) | (mot_features)(MOT_FEATURE_TEXT(macro)[0] != '_') << MOT_FEATURE_##name
#define MOT_FEATURES_COMPILED                              (0 MOT_FEATURES(MOT_FEATURE_COMPILED))

#endif
