# Puts a data file into a layer's library as `extern const std::string_view <folder>::k<Name>Data`,
# so that the program runs with no other file of the checkout.
function(claviger_embed layer file)
  get_filename_component(stem ${file} NAME_WE)
  set(out ${CMAKE_BINARY_DIR}/embedded/${stem}_data.cpp)
  add_custom_command(
    OUTPUT ${out}
    COMMAND ${CMAKE_COMMAND} -DIN=${CMAKE_SOURCE_DIR}/${file} -DOUT=${out}
            -DNAMESPACE=claviger::${layer} -DSTEM=${stem} -P ${CMAKE_SOURCE_DIR}/cmake/embed_file.cmake
    DEPENDS ${CMAKE_SOURCE_DIR}/${file} ${CMAKE_SOURCE_DIR}/cmake/embed_file.cmake
    VERBATIM)
  target_sources(claviger_${layer} PRIVATE ${out})
endfunction()
