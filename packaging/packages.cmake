# All three formats from the install rules, so that they cannot disagree; what CPack lacks for Debian's (maintainer
# scripts, changelog) is in debian/. Debian's names have no underscore. Files in /etc want DESTDIR.
set(CPACK_PACKAGE_NAME timewait-exporter)
set(CPACK_PACKAGE_VENDOR "timewait_exporter")
set(CPACK_PACKAGE_CONTACT "${TIMEWAIT_MAINTAINER}")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_PACKAGE_DESCRIPTION
  "timewait_exporter watches for the exhaustion of TCP ports: for each destination\n\
how many ephemeral ports are left and what holds the others, the connects that\n\
found none, TIME-WAIT sockets by role and remaining time, the kernel's counters\n\
of TIME-WAIT, and the sysctls that govern it all. It reads the kernel and\n\
changes nothing.")
string(TOLOWER "${CMAKE_SYSTEM_NAME}-${CMAKE_SYSTEM_PROCESSOR}" timewait_system)
set(CPACK_PACKAGE_FILE_NAME timewait-exporter-${PROJECT_VERSION}-${timewait_system})
set(CPACK_GENERATOR TGZ)
find_program(TIMEWAIT_DPKG_SHLIBDEPS dpkg-shlibdeps)
find_program(TIMEWAIT_RPMBUILD rpmbuild)
mark_as_advanced(TIMEWAIT_DPKG_SHLIBDEPS TIMEWAIT_RPMBUILD)
if(TIMEWAIT_DPKG_SHLIBDEPS)
  list(APPEND CPACK_GENERATOR DEB)
endif()
if(TIMEWAIT_RPMBUILD)
  list(APPEND CPACK_GENERATOR RPM)
endif()
set(CPACK_PACKAGE_DIRECTORY ${PROJECT_BINARY_DIR}/packages)
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_VERBATIM_VARIABLES ON)

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# For the unit's /bin/kill.
set(CPACK_DEBIAN_PACKAGE_DEPENDS procps)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
  ${CMAKE_CURRENT_SOURCE_DIR}/debian/conffiles
  ${CMAKE_CURRENT_SOURCE_DIR}/debian/postinst
  ${CMAKE_CURRENT_SOURCE_DIR}/debian/prerm
  ${CMAKE_CURRENT_SOURCE_DIR}/debian/postrm)

set(CPACK_RPM_FILE_NAME RPM-DEFAULT)
set(CPACK_RPM_PACKAGE_LICENSE Apache-2.0)
set(CPACK_RPM_PACKAGE_DESCRIPTION "${CPACK_PACKAGE_DESCRIPTION}")
set(CPACK_PACKAGE_RELOCATABLE OFF)
set(CPACK_RPM_SPEC_MORE_DEFINE "%define _build_id_links none")
set(CPACK_RPM_PACKAGE_REQUIRES util-linux)
set(CPACK_RPM_POST_INSTALL_SCRIPT_FILE ${CMAKE_CURRENT_SOURCE_DIR}/rpm/post)
set(CPACK_RPM_PRE_UNINSTALL_SCRIPT_FILE ${CMAKE_CURRENT_SOURCE_DIR}/rpm/preun)
set(CPACK_RPM_POST_UNINSTALL_SCRIPT_FILE ${CMAKE_CURRENT_SOURCE_DIR}/rpm/postun)
set(CPACK_RPM_USER_FILELIST
  "%config(noreplace) /etc/default/timewait_exporter"
  "%config(noreplace) /etc/timewait_exporter/config.yml")
# Directories that belong to other packages.
set(CPACK_RPM_EXCLUDE_FROM_AUTO_FILELIST_ADDITION
  /etc /etc/default /usr/share/licenses /usr/lib/systemd /usr/lib/systemd/system
  /usr/share/bash-completion /usr/share/bash-completion/completions
  /usr/share/man /usr/share/man/man1 /usr/share/zsh /usr/share/zsh/vendor-completions)

include(CPack)
