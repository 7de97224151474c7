# The revision shown by --version and build_info: git's where there is a repository, else "unknown".
set(TIMEWAIT_REVISION "unknown" CACHE STRING "Source revision, for builds outside a git checkout")
if(TIMEWAIT_REVISION STREQUAL "unknown")
  find_package(Git QUIET)
  if(GIT_FOUND)
    execute_process(
      COMMAND ${GIT_EXECUTABLE} -C ${PROJECT_SOURCE_DIR} rev-parse --short=12 HEAD
      OUTPUT_VARIABLE timewait_git_revision OUTPUT_STRIP_TRAILING_WHITESPACE
      RESULT_VARIABLE timewait_git_result ERROR_QUIET)
    if(timewait_git_result EQUAL 0)
      set(TIMEWAIT_REVISION ${timewait_git_revision})
      # A commit makes CMake run again, so that the revision does not grow stale.
      if(EXISTS ${PROJECT_SOURCE_DIR}/.git/logs/HEAD)
        set_property(DIRECTORY ${PROJECT_SOURCE_DIR} APPEND PROPERTY
          CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/.git/logs/HEAD)
      endif()
    endif()
  endif()
endif()
