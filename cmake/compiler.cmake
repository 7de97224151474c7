# One interface target carries the flags; every target of the project links it privately.
add_library(timewait_compiler INTERFACE)
target_compile_options(timewait_compiler INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor
  -Wold-style-cast -Woverloaded-virtual -Wcast-align -Wformat=2
  $<$<BOOL:${TIMEWAIT_WERROR}>:-Werror>)

if(TIMEWAIT_SANITIZE)
  # The check of virtual calls asks the kernel by pipe() what memory is readable: where the last file
  # descriptors are in use, it takes every object for none.
  add_compile_options(
    -fsanitize=${TIMEWAIT_SANITIZE} -fno-sanitize=vptr -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${TIMEWAIT_SANITIZE})
endif()
if(TIMEWAIT_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

# An instrumented build is made to be tested, and built often: its libraries share what nearly every file includes.
# The other presets build without, so that each file has to include what it uses.
function(timewait_precompile target)
  if(TIMEWAIT_SANITIZE)
    target_precompile_headers(${target} PRIVATE
      <algorithm> <chrono> <functional> <map> <memory> <optional> <string> <string_view> <vector>
      <tl/expected.hpp> ${ARGN})
  endif()
endfunction()

# clang-tidy looks at every declaration of every header for each file, so the tidy preset joins files
# (CMAKE_UNITY_BUILD, which includes .cpp files: hence the one check that it leaves out). Not those that have
# names in common, and not the largest.
function(timewait_compile_alone)
  set_source_files_properties(${ARGN} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
endfunction()
