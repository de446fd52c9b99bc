# Compiler and linker flags of every target: warnings, and the hardening set of the OpenSSF guide.
include(CheckCXXCompilerFlag)
include(CheckLinkerFlag)

add_library(claviger_flags INTERFACE)
target_compile_options(claviger_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Werror
  -fstack-protector-strong -fstack-clash-protection -fcf-protection=full
  -fno-delete-null-pointer-checks -fno-strict-overflow -fno-strict-aliasing
  -ffile-prefix-map=${CMAKE_SOURCE_DIR}=. -fno-plt)
if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
  target_compile_options(claviger_flags INTERFACE -Wthread-safety)
else()
  # g++ 12 takes an optional that is looked into only when it holds something for one that may hold nothing,
  # and an `if` in front of one of GoogleTest's macros for an ambiguous one; both are guarded.
  target_compile_options(claviger_flags INTERFACE -Wno-maybe-uninitialized -Wno-dangling-else)
endif()
target_compile_definitions(claviger_flags INTERFACE _GLIBCXX_ASSERTIONS)
target_link_options(claviger_flags INTERFACE -pie -Wl,-z,relro,-z,now,-z,noexecstack)

foreach(flag -ftrivial-auto-var-init=zero -fzero-call-used-regs=used-gpr)
  string(MAKE_C_IDENTIFIER ${flag} known)
  check_cxx_compiler_flag(${flag} has${known})
  if(has${known} AND CMAKE_BUILD_TYPE STREQUAL "Release")
    target_compile_options(claviger_flags INTERFACE ${flag})
  endif()
endforeach()

if(CMAKE_BUILD_TYPE STREQUAL "Release")
  target_compile_definitions(claviger_flags INTERFACE _FORTIFY_SOURCE=3)
  target_link_options(claviger_flags INTERFACE -Wl,--gc-sections)
  target_compile_options(claviger_flags INTERFACE -ffunction-sections -fdata-sections)
endif()

# The program is optimised across its rooms when it is linked (a request then costs a tenth less). The objects
# hold machine code too, which the tests are linked from, so that only one link takes its time.
set(CLAVIGER_WHOLE_PROGRAM "")
if(CMAKE_CXX_COMPILER_ID MATCHES Clang AND CMAKE_BUILD_TYPE STREQUAL "Release")
  set(CLAVIGER_WHOLE_PROGRAM -flto=thin -ffat-lto-objects)
endif()

# What those rooms do most was counted under load: the compiler lays out the frequent ways first and inlines
# along them (a request then takes a fifth fewer instructions). Code that has changed since is compiled as
# without a profile, so it may grow old; `./dev profile` counts anew. A function of one file is known by the
# file's name without its folders, which are others in every copy of the tree.
set(CLAVIGER_PROFILED "")
if(CLAVIGER_WHOLE_PROGRAM)
  if(CLAVIGER_COUNT)
    set(CLAVIGER_PROFILED -fprofile-generate -fprofile-update=atomic)
    target_link_options(claviger_flags INTERFACE -fprofile-generate)
  else()
    # Objects of two profiles do not link: its name tells one from another, so that all are compiled anew.
    file(SHA256 ${CMAKE_SOURCE_DIR}/cmake/release.profdata profile)
    string(SUBSTRING ${profile} 0 12 profile)
    configure_file(cmake/release.profdata ${CMAKE_BINARY_DIR}/${profile}.profdata COPYONLY)
    # Relative to where compilers are started, so that their cache serves every copy of the tree.
    set(CLAVIGER_PROFILED -fprofile-use=${profile}.profdata
      -Wno-profile-instr-out-of-date -Wno-profile-instr-unprofiled -Wno-backend-plugin)
  endif()
  list(APPEND CLAVIGER_PROFILED "SHELL:-mllvm -static-func-full-module-prefix=false")
endif()

# Sanitised programs are built to report, not to be fast: lines for the stacks, and assert() stays on. A sum
# that overflows is a fault here, which the hardening above defines as wrapping.
set(CMAKE_CXX_FLAGS_SANITIZED "-O1 -gline-tables-only")
if(CLAVIGER_SANITIZE)
  target_compile_options(claviger_flags INTERFACE
    -fsanitize=${CLAVIGER_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all -fstrict-overflow)
  target_link_options(claviger_flags INTERFACE -fsanitize=${CLAVIGER_SANITIZE})
endif()
