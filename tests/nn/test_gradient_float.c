/* The layers' gradients in float, against those in double. */
#include "layer_gradients.h"

MOT_CK_MAIN("layer gradients in float", layer_gradient_tests)
