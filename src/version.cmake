# Writes version.h; run at every build, as only then is it known where HEAD stands. configure_file leaves an
# unchanged file alone, so nothing is compiled again unless the commit moved.
# In: SOURCE_DIR, VERSION, BUILD_FLAGS, INPUT, OUTPUT; GIT may be empty.
set(COMMIT unknown)
if(GIT AND EXISTS ${SOURCE_DIR}/.git)
  # No optional locks: a build must not hold up a commit that is being made in the same checkout.
  execute_process(COMMAND ${GIT} --no-optional-locks describe --always --dirty --abbrev=10 --exclude=*
                  WORKING_DIRECTORY ${SOURCE_DIR} RESULT_VARIABLE failed OUTPUT_VARIABLE said ERROR_QUIET
                  OUTPUT_STRIP_TRAILING_WHITESPACE)
  if(NOT failed AND said)
    set(COMMIT ${said})
  endif()
endif()
string(REPLACE "." ";" numbers ${VERSION})
list(GET numbers 0 VERSION_MAJOR)
list(GET numbers 1 VERSION_MINOR)
list(GET numbers 2 VERSION_PATCH)
configure_file(${INPUT} ${OUTPUT} @ONLY)
