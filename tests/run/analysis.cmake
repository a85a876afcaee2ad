# The recipes of docs/analysis.md, run on a record that the real functions write.
add_executable(test_run_analysis_record run/analysis_record.c)
target_link_libraries(test_run_analysis_record PRIVATE mot_record mot_program mot_first_level)
set_target_properties(test_run_analysis_record PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
add_test(NAME run.analysis COMMAND ${MOT_TEST_LAUNCH} /usr/bin/python3 ${CMAKE_CURRENT_LIST_DIR}/analysis.py
                                   $<TARGET_FILE:test_run_analysis_record> ${PROJECT_SOURCE_DIR}/docs/analysis.md)
mot_test_properties(1 "" run.analysis)
