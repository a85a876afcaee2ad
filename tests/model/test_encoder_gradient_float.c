/* A whole expert's gradient in float, against that in double. */
#include "encoder_gradients.h"

MOT_CK_MAIN("expert gradients in float", encoder_gradient_tests)
