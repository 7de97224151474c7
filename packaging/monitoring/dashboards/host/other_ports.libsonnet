// Ports that are closed to all, bind(), and the server side.
local panels = import '../panels.libsonnet';

function(kit)
  local blocked(evidence) = panels.query(
    'sum(%s)' % kit.ofNamespace('timewait_ephemeral_ports_blocked', 'evidence="%s"' % evidence), 'blocked, ' + evidence
  );

  panels.section('Ports that are closed to all, bind(), and the server side', [
    panels.timeseries(
      'Ephemeral ports of the host',
      |||
        unused: no socket has the port, so it is free for every destination. blocked: no connect() may use it,
        whatever its destination, because bind() took it; observed is certain, inferred an estimate. shared:
        connections have it, and connect() may use it again towards another destination.
      |||,
      [
        blocked('observed'),
        blocked('inferred'),
        panels.query(
          'clamp_min(sum(%s) - sum(%s) - sum(%s), 0)' % [
            kit.ofNamespace('timewait_ephemeral_ports'),
            kit.ofNamespace('timewait_ephemeral_ports_unused'),
            kit.ofNamespace('timewait_ephemeral_ports_blocked'),
          ],
          'shared by connections'
        ),
        panels.query('sum(%s)' % kit.ofNamespace('timewait_ephemeral_ports_unused'), 'unused'),
      ],
      {
        width: 7,
        stacked: true,
        overrides: [
          panels.inColor('blocked, observed', 'red'),
          panels.inColor('blocked, inferred', 'orange'),
          panels.inColor('shared by connections', 'blue'),
          panels.inColor('unused', 'green'),
        ],
        links: [kit.runbook('TimewaitEphemeralPortsBlocked')],
      }
    ),
    panels.timeseries(
      'bind() to port 0, by local address',
      |||
        Share of the ports that bind(address, port 0) cannot take. A program that binds to its source address without
        IP_BIND_ADDRESS_NO_PORT takes a port here for each connection, wherever it goes. 0.0.0.0 and :: stand for a
        bind to every address.
      |||,
      [panels.query(
        'topk(10, max by (local_address) (%s))' % kit.ofNamespace('timewait_bind_ports_usage_ratio'),
        '{{local_address}}'
      )],
      {
        width: 7,
        unit: 'percentunit',
        max: 1,
        thresholds: kit.usage,
        links: [kit.runbook('TimewaitBindPortsNearlyExhausted')],
      }
    ),
    panels.table(
      "Clients of this host's servers",
      |||
        Quadruplets between a listening port and one remote host. The ports are the remote host's; the ratio takes it
        to have 28,232 of them (server_assumed_remote_ports). Seldom a problem here: a newer SYN takes the place of a
        TIME-WAIT socket. It tells which client is about to run out.
      |||,
      [
        panels.rows('max by (local_address, local_port, remote_address) (%s)' %
                    kit.ofNamespace('timewait_server_remote_ports_usage_ratio')),
        panels.rows('max by (local_address, local_port, remote_address) (%s)' %
                    kit.ofNamespace('timewait_server_remote_ports_used')),
      ],
      [
        ['local_address', 'Server'],
        ['local_port', 'Port', panels.width(65)],
        ['remote_address', 'Client'],
        ['Value #B', 'Used', panels.count(70)],
        ['Value #A', 'Usage', panels.ratioColumn(kit.usage) + panels.width(180)],
      ],
      {
        width: 10,
        sortBy: 'Used',
        noValue: 'No connection was accepted.',
        links: [kit.runbook('TimewaitServerQuadrupletsNearlyExhausted')],
      }
    ),
  ])
