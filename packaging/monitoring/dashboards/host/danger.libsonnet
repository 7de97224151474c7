// Is the host in danger? The figures to look at first.
local panels = import '../panels.libsonnet';

function(kit)
  // Of what is all but empty the trend says nothing yet, of what is all but full nothing any more.
  local secondsLeft =
    local usage = kit.ofNamespace('timewait_connect_ports_usage_ratio');
    'min(((1 - %(usage)s) / (deriv(%(usage)s[10m]) > 0) < 21600 and %(usage)s >= 0.4) or 0 * (%(usage)s >= 0.98))' %
    { usage: usage };

  panels.section('Is this host in danger?', [
    panels.stat(
      'Fullest destination',
      |||
        Share of the ephemeral ports that the fullest destination (remote address and port) has taken. At 100 %
        connect() to it fails with EADDRNOTAVAIL; other destinations are not affected.
      |||,
      panels.query('max(%s)' % kit.ofNamespace('timewait_connect_ports_usage_ratio_max'), 'usage'),
      {
        unit: 'percentunit',
        decimals: 0,
        thresholds: kit.usage,
        links: [kit.runbook('TimewaitConnectPortsNearlyExhausted')],
      }
    ),
    panels.stat(
      'Full in',
      |||
        When the first destination runs out, if its use of ports goes on as in the last ten minutes. "not in sight" is
        what you want: none above 40 % is growing, or it takes more than six hours. 0: one is full.
      |||,
      panels.instant(secondsLeft),
      {
        unit: 's',
        noValue: 'not in sight',
        noValueColor: 'green',
        thresholds: panels.thresholds([['orange', 600], ['green', 7200]], 'red'),
        links: [kit.runbook('TimewaitConnectPortsExhaustionPredicted')],
      }
    ),
    panels.stat(
      'Connects failing',
      |||
        connect() calls a second that found no free port, in all network namespaces of the host. No counter of the
        kernel tells of them; the exporter counts a tracepoint of the kernel, for which it needs CAP_PERFMON.
      |||,
      panels.query('sum(%s)' % kit.rate(kit.ofHost('timewait_connect_failures_total')), 'failing'),
      {
        unit: 'cps',
        noValue: 'not counted',
        thresholds: panels.zeroThresholds(),
        links: [kit.runbook('TimewaitConnectFailures')],
      }
    ),
    panels.stat(
      'Preferred half',
      |||
        connect() searches the ports of one parity first. This is how full they are for the fullest destination. At
        100 % each connect() searches through all of them in vain: it becomes slow, before anything fails.
      |||,
      panels.query('max(%s)' % kit.ofNamespace('timewait_connect_preferred_ports_usage_ratio_max'), 'preferred half'),
      {
        unit: 'percentunit',
        decimals: 0,
        thresholds: kit.usage,
        links: [kit.runbook('TimewaitConnectPreferredPortsExhausted')],
      }
    ),
    panels.stat(
      'bind() to port 0',
      |||
        Share of the ports that bind(address, port 0) cannot take, for the fullest local address. Here every socket on
        the address counts, wherever it is connected to. At 100 % bind() fails with EADDRINUSE. Clients that set
        IP_BIND_ADDRESS_NO_PORT are not concerned.
      |||,
      panels.query('max(%s)' % kit.ofNamespace('timewait_bind_ports_usage_ratio_max'), 'bind()'),
      {
        unit: 'percentunit',
        decimals: 0,
        thresholds: kit.usage,
        links: [kit.runbook('TimewaitBindPortsNearlyExhausted')],
      }
    ),
    panels.stat(
      'Sustainable rate',
      |||
        New connections a second to one destination that the range carries, if this host closes first and nothing is
        reused: ephemeral ports / 60 seconds.
      |||,
      panels.query(kit.capacity + ' / 60', 'sustainable'),
      { unit: 'cps', decimals: 0 }
    ),
  ])
