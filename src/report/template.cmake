# The page of `mot report` in one file, and that file as a C array: cmake -DFOLDER= -DSCRIPTS= -DLIBRARY= -DLICENCE= -DPAGE=
# -DARRAY= -P template.cmake. With no LIBRARY the array is empty.

cmake_minimum_required(VERSION 3.25)

# A content security policy names what may run, and how a page may look, by the SHA-256 of what stands between the tags, in
# base 64.
function(policy_hash variable text)
  string(SHA256 hex "${text}")
  string(APPEND hex 00) # to groups of three bytes
  set(letters ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/)
  set(hash "")
  foreach(start RANGE 0 60 6)
    string(SUBSTRING ${hex} ${start} 6 group)
    foreach(shift 18 12 6 0)
      math(EXPR letter "(0x${group} >> ${shift}) & 63")
      string(SUBSTRING ${letters} ${letter} 1 letter)
      string(APPEND hash ${letter})
    endforeach()
  endforeach()
  string(SUBSTRING ${hash} 0 43 hash) # what was filled up with
  set(${variable} "'sha256-${hash}='" PARENT_SCOPE)
endfunction()

set(bytes "")
file(REMOVE ${PAGE})
if(LIBRARY)
  file(READ ${FOLDER}/page.html page)
  file(READ ${FOLDER}/page.css css)
  file(READ ${LIBRARY} library)
  set(licence "")
  if(LICENCE)
    file(READ ${LICENCE} licence)
    string(REPLACE "-->" "" licence "${licence}")
  endif()
  set(js "(() => {\n'use strict';\n")
  foreach(script ${SCRIPTS})
    file(READ ${FOLDER}/${script} text)
    string(APPEND js "${text}")
  endforeach()
  string(APPEND js "})();\n")
  policy_hash(library_hash "${library}")
  policy_hash(js_hash "${js}")
  policy_hash(css_hash "${css}")
  string(REPLACE @SCRIPT_HASHES@ "${library_hash} ${js_hash}" page "${page}")
  string(REPLACE @STYLE_HASHES@ "${css_hash}" page "${page}")
  string(REPLACE @CSS@ "${css}" page "${page}")
  string(REPLACE @LICENCE@ "${licence}" page "${page}")
  string(REPLACE @JS@ "${js}" page "${page}")
  string(REPLACE @LIBRARY@ "${library}" page "${page}")
  file(WRITE ${PAGE} "${page}")
  file(READ ${PAGE} bytes HEX)
  string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
endif()
file(WRITE ${ARRAY} "/* Made by template.cmake. */
#include \"template.h\"

const char mot_report_template[] = { ${bytes}0 };
const size_t mot_report_template_size = sizeof mot_report_template - 1;
")
