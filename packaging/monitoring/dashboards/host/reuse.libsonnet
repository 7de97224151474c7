// Reuse of TIME-WAIT, segments dropped for their timestamp, and ends without TIME-WAIT.
local panels = import '../panels.libsonnet';

function(kit)
  panels.section('Reuse and PAWS', [
    panels.timeseries(
      'Reuse of TIME-WAIT by connect()',
      |||
        Connects a second that took over a TIME-WAIT socket (TWRecycled: the name misleads, it counts tcp_tw_reuse),
        and ports that could be taken over now. Many reusable ports of a full destination while nothing is taken over:
        the remote host has no timestamps, and these ports are not free.
      |||,
      [
        panels.query('sum(%s)' % kit.rateOf('timewait_netstat_tw_recycled_total'), 'taken over, per second'),
        panels.query('sum(%s)' % kit.ofNamespace('timewait_connect_ports_reusable'), 'reusable ports'),
      ],
      {
        width: 8,
        overrides: [
          panels.byName('taken over, per second', { unit: 'cps', 'custom.axisPlacement': 'right' }),
        ],
        links: [
          kit.runbook('TimewaitConnectDependsOnTimeWaitReuse'),
          kit.runbook('TimewaitTimeWaitReuseNotHappening'),
        ],
      }
    ),
    panels.timeseries(
      'PAWS: segments dropped for their timestamp',
      |||
        Protection against wrapped sequence numbers. TIME-WAIT: a SYN of a client whose clock is behind, such as of
        several hosts behind one NAT address. tcp_tw_recycle (PAWSPassive, until Linux 4.11): clients that it refused.
        Kernels have some of these only; what is missing is not drawn.
      |||,
      [
        panels.query('sum(%s)' % kit.rateOf('timewait_netstat_%s_total' % each[0]), each[1])
        for each in [
          ['paws_active', 'SYN-SENT'],
          ['paws_estab', 'established'],
          ['paws_timewait', 'TIME-WAIT'],
          ['paws_old_ack', 'old ACK'],
          ['ts_ecr_rejected', 'echo never sent'],
          ['paws_passive', 'tcp_tw_recycle'],
        ]
      ],
      { width: 8, unit: 'cps', links: [kit.runbook('TimewaitPawsRejectionsWithRecycle')] }
    ),
    panels.timeseries(
      'Ends without TIME-WAIT',
      |||
        Connections that were reset instead: they explain why there are fewer TIME-WAIT sockets than closes. Data:
        SO_LINGER with 0 seconds, or data that came after the close. Close: data was left unread at the close.
      |||,
      [
        panels.query('sum(%s)' % kit.rateOf('timewait_netstat_tcp_abort_on_%s_total' % each), each)
        for each in ['data', 'close', 'linger', 'timeout', 'memory']
      ],
      { width: 8, unit: 'cps', links: [kit.runbook('linger_resets')] }
    ),
  ])
