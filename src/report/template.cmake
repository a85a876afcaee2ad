# PAGE as a C array in ARRAY.
file(READ ${PAGE} bytes HEX)
string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
file(WRITE ${ARRAY} "/* Made by template.cmake. */
#include \"template.h\"

const char mot_report_template[] = { ${bytes}0 };
const size_t mot_report_template_size = sizeof mot_report_template - 1;
")
