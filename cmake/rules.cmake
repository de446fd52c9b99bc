# Compiles rules/*.toml into the layer that finds secrets: a tool of that layer makes a C++ file of them.
function(claviger_rules layer)
  file(GLOB rules CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/rules/*.toml)
  set(out ${CMAKE_BINARY_DIR}/embedded/compiled_rules.cpp)
  # The tool takes the layer's archive by its file: by its target it would get what it is about to make.
  add_executable(compile_rules ${CMAKE_SOURCE_DIR}/src/${layer}/main.cpp)
  target_include_directories(compile_rules PRIVATE ${CMAKE_SOURCE_DIR}/src)
  target_compile_features(compile_rules PRIVATE cxx_std_23)
  get_target_property(libraries claviger_${layer} LINK_LIBRARIES)
  target_link_libraries(compile_rules PRIVATE $<TARGET_FILE:claviger_${layer}> ${libraries})
  add_dependencies(compile_rules claviger_${layer})
  add_custom_command(OUTPUT ${out} COMMAND compile_rules ${out} ${rules}
                     DEPENDS compile_rules ${rules} VERBATIM)
  add_library(claviger_rules STATIC ${out})
  target_include_directories(claviger_rules PRIVATE ${CMAKE_SOURCE_DIR}/src)
  target_compile_features(claviger_rules PRIVATE cxx_std_23)
  target_link_libraries(claviger_rules PRIVATE claviger_base)
  target_link_libraries(claviger_${layer} INTERFACE claviger_rules)
endfunction()
