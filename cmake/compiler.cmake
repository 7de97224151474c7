# One interface target carries the flags; every target of the project links it privately.
add_library(timewait_compiler INTERFACE)
target_compile_options(timewait_compiler INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor
  -Wold-style-cast -Woverloaded-virtual -Wcast-align -Wformat=2
  $<$<BOOL:${TIMEWAIT_WERROR}>:-Werror>)

if(TIMEWAIT_SANITIZE)
  add_compile_options(-fsanitize=${TIMEWAIT_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${TIMEWAIT_SANITIZE})
endif()
if(TIMEWAIT_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
