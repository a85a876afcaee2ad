/* A whole expert's gradient in double, against central differences. */
#include "encoder_gradients.h"

MOT_CK_MAIN("expert gradients", encoder_gradient_tests)
