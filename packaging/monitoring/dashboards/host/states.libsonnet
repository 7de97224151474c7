// All TCP states.
local panels = import '../panels.libsonnet';

function(kit)
  panels.section('States', [
    panels.timeseries(
      'TCP sockets by state',
      'All TCP sockets, IPv4 and IPv6.',
      [panels.query('sum by (state) (%s)' % kit.ofNamespace('timewait_sockets'), '{{state}}')],
      { stacked: true, overrides: kit.stateColors, placement: 'right', height: 9 }
    ),
    panels.timeseries(
      'States that should pass quickly',
      |||
        CLOSE-WAIT that only rises: a program forgets to close. FIN-WAIT-2: the remote host is slow to close
        (tcp_fin_timeout is about this). SYN-SENT: a destination does not answer. LAST-ACK and FIN-WAIT-1: the remote
        host has vanished.
      |||,
      [panels.query(
        'sum by (state) (%s)' % kit.ofNamespace(
          'timewait_sockets', 'state=~"close_wait|fin_wait1|fin_wait2|last_ack|syn_sent|syn_recv|closing"'
        ),
        '{{state}}'
      )],
      {
        overrides: kit.stateColors,
        placement: 'right',
        height: 9,
        links: [kit.runbook('TimewaitCloseWaitAccumulating')],
      }
    ),
  ])
