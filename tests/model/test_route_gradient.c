/* Gradients of gate, choice and the mixture as a whole in double, against central differences. */
#include "route_gradients.h"

MOT_CK_MAIN("route gradients", route_gradient_tests)
