/* The layers' gradients in double, against central differences. */
#include "layer_gradients.h"

MOT_CK_MAIN("layer gradients", layer_gradient_tests)
