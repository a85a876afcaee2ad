# The page of `mot report` is part of the program: page/ and a chart library, D3 (d3js.org), which Debian has as node-d3. Without
# it everything else is built, and `mot report` says what is missing. Included behind mot_module(report).
find_file(MOT_D3 d3.min.js PATHS /usr/share/nodejs/d3/dist NO_DEFAULT_PATH
          DOC "D3, version 5 to 7, in one file: dist/d3.min.js of Debian's node-d3 or of npm's d3")
set(d3 "")
set(licence "")
set(MOT_REPORT_PAGE "no page, for want of D3: install Debian's node-d3, or name npm's d3/dist/d3.min.js by -DMOT_D3=" PARENT_SCOPE)
if(MOT_D3)
  set(d3 ${MOT_D3})
  file(STRINGS ${d3} first LIMIT_COUNT 1 LIMIT_INPUT 200)
  if(NOT first MATCHES "d3js\\.org v([567]\\.[0-9.]+)")
    message(FATAL_ERROR "MOT_D3=${d3} is not D3 of version 5 to 7 in one file, whose first line says so")
  endif()
  set(MOT_REPORT_PAGE "page with D3 ${CMAKE_MATCH_1} (${d3})" PARENT_SCOPE)
  get_filename_component(folder ${d3} DIRECTORY)
  foreach(file ${folder}/../LICENSE /usr/share/doc/node-d3/copyright)
    if(EXISTS ${file} AND NOT licence)
      set(licence ${file})
    endif()
  endforeach()
endif()
set(page_folder ${CMAKE_CURRENT_LIST_DIR}/page)
set(scripts base.js colour.js chart.js heat.js series.js flow.js gallery.js table.js page.js) # in this order
set(page ${CMAKE_CURRENT_BINARY_DIR}/report/page.html)
set(array ${CMAKE_CURRENT_BINARY_DIR}/report/template.c)
list(TRANSFORM scripts PREPEND ${page_folder}/ OUTPUT_VARIABLE parts)
add_custom_command(OUTPUT ${array} BYPRODUCTS ${page} VERBATIM
                   COMMAND ${CMAKE_COMMAND} -DFOLDER=${page_folder} "-DSCRIPTS=${scripts}" -DLIBRARY=${d3} -DLICENCE=${licence}
                           -DPAGE=${page} -DARRAY=${array} -P ${CMAKE_CURRENT_LIST_DIR}/template.cmake
                   DEPENDS ${CMAKE_CURRENT_LIST_DIR}/template.cmake ${page_folder}/page.html ${page_folder}/page.css ${parts} ${d3} ${licence}
                   COMMENT "The page of mot report")
add_custom_target(mot_page ALL DEPENDS ${array})
target_sources(mot_report-once PRIVATE ${array})
add_dependencies(mot_report-once mot_page)
