/* Gradients of gate, choice and the mixture as a whole in float, against those in double. */
#include "route_gradients.h"

MOT_CK_MAIN("route gradients in float", route_gradient_tests)
