// Advice, and the settings of the kernel.
local panels = import '../panels.libsonnet';

function(kit)
  // Their names as sysctl(8) writes them: only the dots before the last part have become underscores.
  local sysctls = std.foldl(
    function(expr, part) 'label_replace(%s, "sysctl", "%s$1", "__name__", "timewait_sysctl_%s_(.+)")' % [
      expr,
      part + '.',
      std.strReplace(part, '.', '_'),
    ],
    ['net.ipv4', 'net.core', 'net.netfilter'],
    '{__name__=~"timewait_sysctl_net_.+", job=~"$job", instance=~"$instance", netns=~"$netns"}'
  );

  panels.section('Settings and advice', [
    panels.table(
      'Advice',
      |||
        Checks of the settings against what this host does. Click a rule for what it means, what to do, and what not
        to touch. A rule that is missing lacks a source.
      |||,
      [panels.rows('sum by (rule, severity) (%s)' % kit.ofNamespace('timewait_advice'))],
      [
        ['Value', 'State', {
          'custom.width': 90,
          'custom.cellOptions': { type: 'color-text' },
          mappings: [{ type: 'value', options: {
            '0': { text: 'silent', color: 'green', index: 1 },
            '1': { text: 'speaks', color: 'orange', index: 0 },
          } }],
        }],
        ['severity', 'Severity', panels.width(100)],
        ['rule', 'Rule', panels.linkColumn('What to do', kit.runbookOf('${__value.raw}'))],
      ],
      { width: 12, height: 14, sortBy: 'State' }
    ),
    panels.table(
      'Settings of the kernel',
      |||
        The sysctls that govern TIME-WAIT and ephemeral ports, in the exporter's network namespace; dots are
        underscores. A pair has _min and _max, a list of ports its length as _ports. One that this kernel lacks is not
        there.
      |||,
      [panels.rows('sum by (sysctl) (%s)' % sysctls)],
      [
        ['sysctl', 'Setting'],
        ['Value', 'Value', { unit: 'none', 'custom.width': 120 }],
      ],
      { width: 12, height: 14 }
    ),
  ])
