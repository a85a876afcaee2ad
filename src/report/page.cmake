# The page of `mot report` is part of the program: page/page.html as a C array. Included behind mot_module(report).
set(page_html ${CMAKE_CURRENT_LIST_DIR}/page/page.html)
set(page_array ${CMAKE_CURRENT_BINARY_DIR}/report/template.c)
add_custom_command(OUTPUT ${page_array} VERBATIM DEPENDS ${page_html} ${CMAKE_CURRENT_LIST_DIR}/template.cmake
                   COMMAND ${CMAKE_COMMAND} -DPAGE=${page_html} -DARRAY=${page_array} -P ${CMAKE_CURRENT_LIST_DIR}/template.cmake)
target_sources(mot_report-once PRIVATE ${page_array})
