"""Each rule of check_rules.py can fail: a small tree that breaks it is told so."""

import pathlib
import tempfile
import unittest

import check_rules


class CheckRules(unittest.TestCase):
    def problems(self, name, text):
        with tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory) / name
            path.parent.mkdir(parents=True)
            path.write_text(text, encoding="utf-8")
            return check_rules.check_tree(pathlib.Path(directory))

    def test_a_collector_may_not_include_the_daemon(self):
        self.assertEqual(len(self.problems("collectors/x.cpp", '#include "daemon/log.h"\n')), 1)

    def test_the_configuration_may_not_include_collectors(self):
        self.assertEqual(len(self.problems("config/x.h", '#include "collectors/error.h"\n')), 1)

    def test_the_daemon_may_include_all(self):
        text = '#include "collectors/error.h"\n#include "config/config.h"\n#include "daemon/log.h"\n'
        self.assertEqual(self.problems("daemon/x.cpp", text), [])

    def test_a_library_stays_behind_its_border(self):
        self.assertEqual(len(self.problems("daemon/main.cpp", "#include <yaml-cpp/yaml.h>\n")), 1)
        self.assertEqual(self.problems("config/yaml.cpp", "#include <yaml-cpp/yaml.h>\n"), [])

    def test_no_process_is_started(self):
        self.assertEqual(len(self.problems("daemon/x.cpp", '  system("ss -tan");\n')), 1)

    def test_no_file_is_opened_for_writing(self):
        self.assertEqual(len(self.problems("daemon/x.cpp", "open(path, O_RDWR);\n")), 1)

    def test_a_comment_breaks_no_rule(self):
        self.assertEqual(self.problems("daemon/x.cpp", "// unlike fork() it waits\n"), [])

    def test_no_header_spills_names(self):
        self.assertEqual(len(self.problems("daemon/x.h", "using namespace std;\n")), 1)


if __name__ == "__main__":
    unittest.main()
